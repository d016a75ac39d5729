"""Members from elsewhere through the whole program: Ansible and a command, a source that falls silent, NetBox over HTTP."""

from __future__ import annotations

import json
import sys

import pytest

from tests.lab.conftest import Lab

pytestmark = pytest.mark.slow(30)

INVENTORY = """\
network: {name: office, subnet: 192.168.2.0/24}
from:
  - {ansible: hosts.ini, group: gateways}
  - command: [./relay.sh]
hosts:
  bcc: {relay: true, endpoint: "203.0.113.13:38371"}
verify:
  - home -> 10.10.13.61
"""

ANSIBLE = """\
[gateways]
home ansible_host=192.168.0.9
company ansible_host=10.10.13.62 wgorch_subnets="['10.10.13.0/24']" ansible_ssh_common_args='-o ProxyJump=root@198.51.100.66'
[others]
printer ansible_connection=network_cli
[all:vars]
ansible_user=root
"""

RELAY = """#!/bin/sh
echo '{"hosts": {"bcc": {"ssh": "root@203.0.113.13"}}}'
"""

REFUSED, BAD_INPUT, CHANGED = 3, 3, 4


def written(lab: Lab, ansible: str = ANSIBLE) -> str:
    """The inventory with its sources, in the lab's directory."""
    lab.inventory(ansible, "hosts.ini")
    lab.inventory(RELAY, "relay.sh").chmod(0o755)
    return str(lab.inventory(INVENTORY))


def test_a_network_of_sources_comes_up_and_does_not_vanish_with_them(lab: Lab) -> None:
    inventory = written(lab)
    refused = lab.wgorch("up", inventory, "--yes", code=None)
    assert refused.returncode == BAD_INPUT, refused.stderr
    assert "from[1].command: is not run: only you can allow it" in refused.stderr

    lab.world.sh("controller", "mkdir -p /root/.config/wgorch")
    allowed = f"{lab.directory}: {{commands: [[./relay.sh]]}}\n"
    lab.world.write("controller", "/root/.config/wgorch/sources.yaml", allowed)
    lab.wgorch("up", inventory, "--yes")
    assert lab.world.ping("home", "10.10.13.61")
    assert "No changes." in lab.wgorch("up", inventory, "--yes", "--run-sources").stdout
    assert "subnets: [10.10.13.0/24]" in lab.wgorch("check", inventory, "--show", "company").stdout

    # A plan file holds what the sources gave.
    written(lab, ANSIBLE.replace("wgorch_subnets", "wgorch_mtu=1380 wgorch_subnets"))
    plan = lab.directory / "change.plan"
    lab.wgorch("plan", inventory, "-o", plan, code=2)
    written(lab, "# nothing here\n")
    lab.wgorch("apply", plan, "--yes")
    assert "1380" in lab.world.sh("company", "cat /sys/class/net/wg0/mtu")

    # The Ansible inventory gives no host any more, and then one of two; nothing is taken down.
    assert "has no group gateways" in lab.wgorch("up", inventory, "--yes", code=None).stderr
    written(lab, "[gateways]\n[all:vars]\nansible_user=root\n")
    assert "gives no host and no device" in lab.wgorch("up", inventory, "--yes", code=BAD_INPUT).stderr
    text = INVENTORY.replace("  - {ansible: hosts.ini, group: gateways}\n", "").split("verify")[0]
    alone = str(lab.inventory(text, "alone.yaml"))
    silent = lab.wgorch("up", alone, "--yes", code=None)
    assert "of 3 hosts the sources (from:) leave out 2: company, home" in silent.stderr
    assert lab.world.ping("home", "10.10.13.61")

    written(lab)
    lab.wgorch("teardown", inventory, "--yes")
    assert lab.is_as_before(), lab.differences()


SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

LISTS = json.load(open(sys.argv[1]))

class NetBox(BaseHTTPRequestHandler):
    def do_GET(self):
        with open(sys.argv[2], "a") as log:
            print(self.server.server_port, self.headers.get("Authorization"), self.path, file=log)
        if self.server.server_port == 8001:  # leads away
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:8002" + self.path)
            self.end_headers()
            return
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        objects = LISTS[parts.path]
        if "site_id" in query:
            objects = [o for o in objects if str(o["scope_id"]) in query["site_id"]]
        at = int(query.get("offset", ["0"])[0])
        more = f"http://elsewhere{parts.path}?{parts.query}&offset={at + 1}" if at + 1 < len(objects) else None
        data = json.dumps({"count": len(objects), "next": more, "results": objects[at:at + 1]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *_): pass

servers = [ThreadingHTTPServer(("127.0.0.1", port), NetBox) for port in (8000, 8001, 8002)]
for server in servers[1:]:
    Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
servers[0].serve_forever()
"""


def test_netbox_is_asked_over_http_and_its_token_stays_with_it(lab: Lab) -> None:
    def device(number: int, name: str, address: str) -> dict[str, object]:
        return {"id": number, "name": name, "primary_ip4": {"address": address}, "site": {"id": number}}

    def prefix(text: str, site: int) -> dict[str, object]:
        return {"prefix": text, "scope_type": "dcim.site", "scope_id": site, "status": {"value": "active"}}

    lists = {
        "/api/dcim/devices/": [device(1, "Home", "192.168.0.9/24"), device(2, "Company", "10.10.13.62/24")],
        "/api/ipam/prefixes/": [prefix("10.10.13.0/24", 2), prefix("10.10.14.0/24", 2), prefix("10.7.0.0/16", 7)],
    }
    data, log = lab.inventory(json.dumps(lists), "lists.json"), lab.directory / "requests"
    script = lab.inventory(SERVER, "server.py")
    log.write_text("")
    log.chmod(0o666)
    server = lab.world.spawn("controller", sys.executable, str(script), str(data), str(log))
    try:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "ready"
        text = INVENTORY.split("from:")[0] + "from: {netbox: 'http://127.0.0.1:8000', tag: vpn, token: {env: TOKEN}}\n"
        text += 'hosts:\n  bcc: {ssh: root@203.0.113.13, relay: true, endpoint: "203.0.113.13:38371"}\n'
        inventory = str(lab.inventory(text))
        assert "is not asked" in lab.wgorch("check", inventory, code=BAD_INPUT, env={"TOKEN": "s3cret"}).stderr
        assert log.read_text() == ""
        checked = lab.wgorch("check", inventory, "--run-sources", "--show", "company", env={"TOKEN": "s3cret"})
        assert "subnets: [10.10.13.0/24, 10.10.14.0/24]" in checked.stdout
        assert "/dcim/devices/2/" in checked.stdout
        requests = log.read_text().splitlines()
        assert len(requests) == 4
        assert all(line.startswith("8000 Token s3cret ") for line in requests)

        log.write_text("")
        lab.inventory(text.replace("8000", "8001"))
        away = lab.wgorch("check", inventory, "--run-sources", code=BAD_INPUT, env={"TOKEN": "s3cret"})
        assert "from[0].netbox: leads to http://127.0.0.1:8002" in away.stderr
        assert "s3cret" not in away.stderr
        assert [line.split()[0] for line in log.read_text().splitlines()] == ["8001"]
    finally:
        server.kill()
        server.wait()
