"""Other people's hosts, files and rules, taken as they are."""

from __future__ import annotations

import pytest

from tests.conftest import draw
from tests.lab.conftest import INVENTORY, Lab

pytestmark = pytest.mark.slow(200)

VMAP = "nft 'add rule ip filter FORWARD ct state vmap { established : accept, related : accept, invalid : drop }'"
UNDO_VMAP = "nft flush chain ip filter FORWARD; nft delete table ip filter"


def test_a_table_that_iptables_cannot_show_is_refused_before_a_change(lab: Lab) -> None:
    lab.world.sh("company", f"iptables -P FORWARD ACCEPT; {VMAP}")
    try:
        refused = lab.wgorch("up", INVENTORY, "--yes", code=4).stderr
        status = lab.wgorch("status", INVENTORY, code=2).stdout
    finally:
        lab.world.sh("company", UNDO_VMAP)
    assert "company: cannot read the firewall (ip filter)" in refused
    assert "nft -a list table ip filter" in refused
    assert "cannot read the firewall" in status
    assert {} == lab.differences()


def test_a_table_that_became_unreadable_is_claimed_by_nobody(network: Lab) -> None:
    network.world.sh("company", VMAP)
    try:
        plan = network.wgorch("plan", INVENTORY, code=4)
        down = network.wgorch("teardown", INVENTORY, "--yes", code=4)
        status = network.wgorch("status", INVENTORY, code=2).stdout
    finally:
        network.world.sh(
            "company",
            "nft -a list chain ip filter FORWARD | sed -n 's/.*vmap.*handle //p' | while read h; do nft delete rule ip filter FORWARD handle $h; done",
        )
    for said in (plan.stderr, down.stderr, status):
        assert "cannot read the firewall (ip filter)" in said
    assert "restored" not in down.stdout
    assert "No changes." in network.wgorch("plan", INVENTORY).stdout


def test_a_tool_that_fails_is_no_empty_table(lab: Lab) -> None:
    real = lab.world.sh("company", "command -v iptables-save").strip()
    lab.world.sh(
        "company",
        f"mkdir -p /usr/local/sbin; printf '#!/bin/sh\\n{real} | head -n 3; exit 4\\n' >/usr/local/sbin/iptables-save; chmod +x /usr/local/sbin/iptables-save",
    )
    try:
        refused = lab.wgorch("up", INVENTORY, "--yes", code=4).stderr
    finally:
        lab.world.sh("company", "rm /usr/local/sbin/iptables-save")
    assert "company: cannot use iptables: iptables-save failed with status 4" in refused


# --- networks that others made

ROUTER = "0EF9xmdq5vI0ox3CIYQOPV6yA2lf4Bn0JqDg1ZE6hXU="


class Live:
    """A hand-made wg0 on bcc and home; `bcc` and `home`: further commands there."""

    def __init__(self, lab: Lab, addresses: dict[str, str], port: int = 51820) -> None:
        self.lab, self.port = lab, port
        for host, its in addresses.items():
            adding = "; ".join(f"ip address add {address} dev wg0" for address in its.split(","))
            lab.world.sh(
                host,
                f"umask 077; wg genkey >/root/live; ip link add wg0 type wireguard 2>/dev/null || wireguard-go wg0; wg set wg0 private-key /root/live listen-port 51820; {adding}; ip link set wg0 up mtu 1420",
            )
        self.key = {host: lab.world.sh(host, "wg show wg0 public-key").strip() for host in addresses}

    def peers(self, of_bcc: str, of_home: str) -> None:
        """Allowed-ips: of home at bcc, and of bcc at home."""
        self.lab.world.sh("bcc", f"wg set wg0 peer {self.key['home']} allowed-ips {of_bcc}")
        self.lab.world.sh(
            "home",
            f"wg set wg0 peer {self.key['bcc']} allowed-ips {of_home} endpoint 203.0.113.13:{self.port} persistent-keepalive 25",
        )

    def state(self) -> dict[str, str]:
        show = "wg show wg0 allowed-ips | sort; ip -br address show wg0; ip route show dev wg0 | sed 's/ proto [a-z0-9]*//' | sort"
        return {host: self.lab.world.sh(host, show) for host in self.key}

    def end(self) -> None:
        for host in self.key:
            self.lab.world.sh(host, "ip link delete wg0; rm -f /root/live; ip route flush proto bird", check=False)


HOSTS_OF_IT = ("root@203.0.113.13", "root@192.168.0.9")


@pytest.mark.parametrize(
    "case", draw(["routed link", "two addresses", "another network", "wide peer"], 2, salt="cannot say")
)
def test_what_an_inventory_cannot_say_is_refused_before_a_file_is_written(lab: Lab, case: str) -> None:
    addresses = {"bcc": "10.255.0.1/30", "home": "10.255.0.2/30"}
    if case == "two addresses":
        addresses = {"bcc": "10.6.0.1/24,10.6.0.53/32", "home": "10.6.0.2/24"}
    elif case == "another network":
        addresses = {"bcc": "10.6.0.1/24,10.7.0.1/24", "home": "10.6.0.2/24"}
    live = Live(lab, addresses)
    path = lab.directory / f"{case.split()[0]}.yaml"
    path.unlink(missing_ok=True)
    try:
        if case == "routed link":
            live.peers("0.0.0.0/0", "0.0.0.0/0")
            lab.world.sh("bcc", "ip route add 172.20.0.0/16 dev wg0 proto bird")
        elif case == "wide peer":
            live.peers("10.255.0.2/32,172.30.99.0/24", "10.255.0.1/32")
        else:
            live.peers("10.6.0.2/32", "10.6.0.1/32")
        before = live.state()
        done = lab.wgorch("adopt", *HOSTS_OF_IT, "-o", path, code=None)
        assert done.returncode in (3, 4), done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert not path.exists()
        assert before == live.state()
        named = {
            "routed link": "peer",
            "two addresses": "10.6.0.53",
            "another network": "10.7.0",
            "wide peer": "172.30.99.0/24",
        }
        assert named[case] in done.stderr
    finally:
        live.end()


def test_a_router_without_ssh_is_taken_over_as_a_device_with_its_lan(lab: Lab) -> None:
    live = Live(lab, {"bcc": "10.6.0.1/24", "home": "10.6.0.2/24"})
    path = lab.directory / "router.yaml"
    path.unlink(missing_ok=True)
    try:
        live.peers("10.6.0.2/32", "10.6.0.0/24,192.168.178.0/24")
        lab.world.sh(
            "bcc",
            f"wg set wg0 peer {ROUTER} allowed-ips 10.6.0.3/32,192.168.178.0/24; ip route add 192.168.178.0/24 dev wg0",
        )
        lab.world.sh("home", "ip route add 192.168.178.0/24 dev wg0")
        before = live.state()
        lab.wgorch("adopt", *HOSTS_OF_IT, "-o", path)
        path.chmod(0o644)
        assert "subnets: [192.168.178.0/24]" in path.read_text()
        lab.wgorch("check", path)
        lab.wgorch("up", path, "--adopt", "--yes")
        assert before == live.state()
        assert "No changes." in lab.wgorch("plan", path).stdout
        down = lab.wgorch("teardown", path, "--yes", "--purge").stdout
        assert "was there before wgorch adopted it" in down
        assert "wg0 was adopted, and is gone" in down
    finally:
        live.end()


def test_a_forwarded_port_is_the_endpoint_that_others_dial(lab: Lab) -> None:
    live = Live(lab, {"bcc": "10.6.0.1/24", "home": "10.6.0.2/24", "company": "10.6.0.3/24"}, port=4500)
    path = lab.directory / "forwarded.yaml"
    path.unlink(missing_ok=True)
    lab.world.sh("controller", "printf 'Host 10.10.13.62\\n  ProxyJump root@198.51.100.66\\n' >/root/.ssh/config")
    try:
        live.peers("10.6.0.2/32", "10.6.0.0/24")
        lab.world.sh("bcc", f"wg set wg0 peer {live.key['company']} allowed-ips 10.6.0.3/32")
        lab.world.sh(
            "company",
            f"wg set wg0 peer {live.key['bcc']} allowed-ips 10.6.0.0/24 endpoint 203.0.113.13:4500 persistent-keepalive 25",
        )
        lab.world.sh("bcc", "iptables -t nat -I PREROUTING -p udp --dport 4500 -j REDIRECT --to-ports 51820")
        lab.wgorch("adopt", *HOSTS_OF_IT, "root@10.10.13.62", "-o", path)
        assert 'endpoint: "203.0.113.13:4500"' in path.read_text()
        assert "listen_port: 51820" in path.read_text()
    finally:
        lab.world.sh("bcc", "iptables -t nat -D PREROUTING 1; nft delete table ip nat", check=False)
        live.end()


# --- proof, routes, endpoints

CLOSED = (
    "iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT; "
    "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
)


def test_a_relay_that_answers_no_pings_but_forwards_is_no_reason_to_roll_back(lab: Lab) -> None:
    lab.world.sh("bcc", CLOSED)
    try:
        done = lab.wgorch("up", INVENTORY, "--yes")
        assert lab.world.ping("home", "10.10.13.61")
        assert "bcc does not answer pings in the tunnel" in done.stdout
        assert "by the way back" in done.stdout
        lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
    finally:
        lab.world.sh("bcc", "iptables -P INPUT ACCEPT; iptables -F INPUT; nft delete table ip filter", check=False)


def test_a_gateway_that_forwards_nothing_is_still_one(network: Lab) -> None:
    network.world.sh(
        "company",
        "iptables -I INPUT -i wg0 -p icmp --icmp-type echo-request -j DROP; iptables -I FORWARD -i wg0 -j DROP",
    )
    try:
        done = network.wgorch("verify", INVENTORY, code=1)
    finally:
        network.world.sh("company", "iptables -D INPUT 1; iptables -D FORWARD 1")
    assert "✗" in done.stdout


@pytest.mark.parametrize(
    "route",
    draw(
        [
            "blackhole 10.10.13.0/24 metric 9999",
            "unreachable 10.10.13.0/24 metric 4294967295",
            "throw 10.10.13.0/24 metric 50",
        ],
        1,
        salt="routes",
    ),
)
def test_a_route_that_does_not_beat_the_tunnels_is_no_conflict(lab: Lab, route: str) -> None:
    lab.world.sh("home", f"ip route add {route}")
    try:
        lab.wgorch("up", INVENTORY, "--yes")
        assert lab.world.ping("home", "10.10.13.61")
        lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
    finally:
        lab.world.sh("home", f"ip route delete {route}")


def test_a_route_that_beats_the_tunnels_is_named_by_its_kind(lab: Lab) -> None:
    lab.world.sh("home", "ip route add blackhole 10.10.13.0/24")
    try:
        refused = lab.wgorch("up", INVENTORY, "--yes", code=4).stderr
    finally:
        lab.world.sh("home", "ip route delete blackhole 10.10.13.0/24")
    assert "a blackhole route to 10.10.13.0/24 exists already" in refused


def test_a_more_specific_route_is_said_by_plan_and_status(network: Lab) -> None:
    network.world.sh("home", "ip route add 10.10.13.0/25 via 192.168.0.1")
    try:
        for verb in ("plan", "status"):
            said = network.wgorch(verb, INVENTORY, code=None).stdout
            assert "route to 10.10.13.0/25 via 192.168.0.1 dev" in said, verb
            assert "takes that part of 10.10.13.0/24 from the tunnel" in said
    finally:
        network.world.sh("home", "ip route delete 10.10.13.0/25")


def test_a_host_inside_a_lan_gets_no_route_to_it(lab: Lab) -> None:
    nas = "  nas:\n    ssh: {host: 10.10.13.61, user: root, via: root@198.51.100.66}\n    address: 192.168.2.4\n"
    text = INVENTORY.read_text().replace("\nverify:", f"\n{nas}    behind: company\n\nverify:")
    without = lab.inventory(text.replace("    behind: company\n", ""), "nas0.yaml")
    inside = lab.inventory(text, "nas.yaml")
    refused = lab.wgorch("up", without, "--yes", code=4).stderr
    assert "behind: GATEWAY" in refused
    lab.wgorch("up", inside, "--yes")
    assert "10.10.13.0/24 dev wg0" not in lab.world.sh("target", "ip route")
    assert lab.world.ping("home", "192.168.2.4")
    assert lab.world.ping("home", "10.10.13.61")
    assert "No changes." in lab.wgorch("plan", inside).stdout
    lab.wgorch("teardown", inside, "--yes", "--purge")


def test_two_hosts_at_one_endpoint_are_refused_by_check(lab: Lab) -> None:
    twice = lab.edited(
        ("    ssh: root@192.168.0.9\n", '    ssh: root@192.168.0.9\n    endpoint: "203.0.113.13:38371"\n')
    )
    assert "is also the endpoint of hosts.bcc" in lab.wgorch("check", twice, code=3).stderr


@pytest.mark.parametrize("place", draw(["/etc/resolv.conf", "/etc/systemd/system"], 1, salt="place"))
def test_what_is_written_last_is_tried_before_anything_changes(lab: Lab, place: str) -> None:
    inventory = lab.edited(("    ssh: root@192.168.0.9\n", "    ssh: root@192.168.0.9\n    dns: [192.168.2.1]\n"))
    lab.world.sh("home", f"mount --bind {place} {place} && mount -o remount,bind,ro {place}")
    try:
        done = lab.wgorch("up", inventory, "--yes", code=4)
    finally:
        lab.world.sh("home", f"umount {place}")
    assert f"home: cannot write {place}" in done.stderr
    assert {} == lab.differences()


WRAPPED = "mkdir -p /usr/local/sbin; printf '%s\\n' '#!/bin/sh' 'case \" $* \" in *\" show wg0 \"*) echo Unable to access interface: Operation not permitted >&2; exit 1 ;; esac' 'exec {real} \"$@\"' >/usr/local/sbin/wg; chmod +x /usr/local/sbin/wg"


def test_what_a_tool_did_not_say_is_unknown_and_no_drift(network: Lab) -> None:
    real = network.world.sh("company", "command -v wg").strip()
    network.world.sh("company", WRAPPED.format(real=real))
    try:
        status = network.wgorch("status", INVENTORY, code=2)
        state = network.wgorch("status", INVENTORY, "--json", code=2).stdout
        metrics = network.wgorch("status", INVENTORY, "--prometheus", code=2).stdout
        plan = network.wgorch("plan", INVENTORY, code=4)
        down = network.wgorch("teardown", INVENTORY, "--yes", code=4)
    finally:
        network.world.sh("company", "rm /usr/local/sbin/wg")
    assert "unknown: company: cannot read facts: wg show wg0 failed with status 1" in status.stdout
    assert "drift: " not in status.stdout
    assert "in sync" not in status.stdout
    assert '"drift": [\n' not in state
    assert 'wgorch_drift_changes{network="office",host="company"}' not in metrics
    assert "wg show wg0 failed" in plan.stderr
    assert "wg show wg0 failed" in down.stderr
    assert "No changes." in network.wgorch("plan", INVENTORY).stdout


def test_a_table_of_the_internet_stays_on_its_host(network: Lab) -> None:
    many = 'i=0; while [ $i -lt 60000 ]; do echo "route add 100.$((i / 65536)).$((i / 256 % 256)).$((i % 256))/32 dev lo proto bird"; i=$((i + 1)); done'
    network.world.sh("bcc", f"({many}) | ip -batch -")
    try:
        assert "No changes." in network.wgorch("plan", INVENTORY).stdout
        network.wgorch("status", INVENTORY)
        network.wgorch("up", network.edited(("keepalive: 15", "keepalive: 17")), "--yes")
        network.world.sh("bcc", "ip route add blackhole 10.10.13.0/25")
        said = network.wgorch("plan", INVENTORY, code=None).stdout
        assert "a blackhole route to 10.10.13.0/25 takes that part of 10.10.13.0/24" in said
    finally:
        network.world.sh("bcc", "ip route delete blackhole 10.10.13.0/25; ip route flush proto bird", check=False)


def test_what_else_writes_at_the_next_start_is_said(network: Lab) -> None:
    files = {
        "/etc/iptables/rules.v4": "*filter\\n:wgorch-office-fwd - [0:0]\\nCOMMIT\\n",
        "/etc/nftables.conf": "flush ruleset\\n",
        "/etc/sysctl.d/60-cis.conf": "net.ipv4.ip_forward=0\\n# wg0\\n",
        "/etc/systemd/network/30-wg0.netdev": "[NetDev]\\nName=wg0\\nKind=wireguard\\n",
        "/etc/network/interfaces.d/tunnel": f"auto wg0\\n  post-up wg set wg0 private-key {ROUTER}\\n",
        "/etc/sysctl.d/61-fine.conf": "net.ipv4.ip_forward=1\\n",
    }
    for path, text in files.items():
        place = path.rpartition("/")[0]
        made = f"[ -d {place} ] || {{ mkdir -p {place}; touch {place}/.made; }}"
        network.world.sh("company", f"{made}; [ ! -e {path} ] || cp -p {path} {path}.kept; printf '{text}' >{path}")
    wants = "/etc/systemd/system/zz.target.wants"
    network.world.sh("company", f"mkdir {wants} && ln -s /lib/systemd/system/nftables.service {wants}/nftables.service")
    network.world.sh("company", "mkdir -p /lib/systemd/system; [ -e /lib/systemd/system/nftables.service ]")
    try:
        plan = network.wgorch("plan", INVENTORY).stdout
        loud = network.wgorch("plan", INVENTORY, "-vv")
        down = network.wgorch("teardown", INVENTORY, "--yes").stdout
    finally:
        network.world.sh("company", f"rm -r {wants}")
        for path in files:
            place = path.rpartition("/")[0]
            back = f"rm {path}; [ ! -e {path}.kept ] || mv {path}.kept {path}"
            gone = f"[ ! -e {place}/.made ] || {{ rm {place}/.made; rmdir -p --ignore-fail-on-non-empty {place}; }}"
            network.world.sh("company", f"{back}; {gone}", check=False)
    for path in ("/etc/nftables.conf", "/etc/sysctl.d/60-cis.conf", "/etc/systemd/network/30-wg0.netdev"):
        assert f"note: company: {path}" in plan, plan
    assert "61-fine" not in plan
    assert "/etc/network/interfaces.d/tunnel names wg0, too" in plan
    assert ROUTER not in loud.stdout + loud.stderr
    assert "another program saved rules of wgorch in /etc/iptables/rules.v4" in down


def test_an_answer_that_came_past_the_tunnel_is_no_success(lab: Lab) -> None:
    inventory = lab.edited(("    ssh: root@192.168.0.9\n", "    ssh: root@192.168.0.9\n    exit: bcc\n"))
    done = lab.wgorch("trace", "home", "198.51.100.66", inventory, code=1)
    assert "reachable" not in done.stdout
    assert "✗ home" in done.stdout


def test_a_bridge_that_is_called_as_the_tunnel_is_no_wireguard(lab: Lab) -> None:
    lab.world.sh("home", "ip link add wg0 type bridge")
    try:
        for adopt in ([], ["--adopt"]):
            said = lab.wgorch("plan", INVENTORY, *adopt, code=4)
            assert "home: cannot create wg0: wg0 exists and is no WireGuard interface with a key" in said.stderr
            assert "set network.interface: wg1" in said.stderr
    finally:
        lab.world.sh("home", "ip link delete wg0")


def test_a_lan_inside_another_one_is_reached_at_its_own_gateway(lab: Lab) -> None:
    inside = (
        "    ssh: root@192.168.0.9\n",
        "    ssh: root@192.168.0.9\n    subnets: [10.10.0.0/16]\n    lan_interface: wlp2s0\n",
    )
    inventory = lab.edited(inside)
    checked = lab.wgorch("check", inventory)
    assert "lies inside hosts.home.subnets[0] 10.10.0.0/16" in checked.stdout + checked.stderr
    lab.up(inventory)
    for host in ("home", "bcc"):
        assert lab.world.ping(host, "10.10.13.61")
        assert "company" in lab.wgorch("trace", host, "10.10.13.61", inventory).stdout
    assert "✓" in lab.wgorch("status", inventory).stdout
