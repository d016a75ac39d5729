"""A WireGuard network that is there already, made by wg-quick as the documents have it, becomes ours without a lost packet.

home.wg0 -> bcc.wg0 -> company.wg0 -> company.ens192 -> target; and a phone that hangs on bcc.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.lab.conftest import INVENTORY, Lab, own_lab
from tests.lab.test_ssh_ways import config

pytestmark = [pytest.mark.drawn(1)]

ADDRESSES = {"bcc": "192.168.2.1", "home": "192.168.2.2", "company": "192.168.2.3"}
FORWARD = "PostUp = sysctl -q -w net.ipv4.ip_forward=1; iptables -A FORWARD -i %i -j ACCEPT; iptables -A FORWARD -o %i -j ACCEPT"
MASQUERADE = "PostUp = iptables -t nat -A POSTROUTING -s 192.168.2.0/24 -o ens192 -j MASQUERADE"
HOSTS = ("root@203.0.113.13", "root@192.168.0.9", "root@10.10.13.62")


def wg_quick(lab: Lab) -> str:
    """Bring the network up by hand; the phone's public key."""
    world = lab.world
    private = {name: world.sh("controller", "wg genkey").strip() for name in (*ADDRESSES, "phone")}
    public = {n: world.run("controller", "wg", "pubkey", input=f"{key}\n").stdout.strip() for n, key in private.items()}
    dial = "Endpoint = 203.0.113.13:38371\nPersistentKeepalive = 25\nAllowedIPs = 192.168.2.0/24"
    texts = {
        "bcc": f"ListenPort = 38371\n{FORWARD}\n"
        f"[Peer]\nPublicKey = {public['home']}\nAllowedIPs = 192.168.2.2/32\n"
        f"[Peer]\nPublicKey = {public['company']}\nAllowedIPs = 192.168.2.3/32, 10.10.13.0/24\n"
        f"[Peer]\nPublicKey = {public['phone']}\nAllowedIPs = 192.168.2.9/32\n",
        "home": f"ListenPort = 51820\n[Peer]\nPublicKey = {public['bcc']}\n{dial}, 10.10.13.0/24\n",
        "company": f"ListenPort = 51821\n{FORWARD}\n{MASQUERADE}\n[Peer]\nPublicKey = {public['bcc']}\n{dial}\n",
    }
    for name, text in texts.items():
        head = f"[Interface]\nAddress = {ADDRESSES[name]}/24\nPrivateKey = {private[name]}\nMTU = 1420\n"
        world.write(name, "/etc/wireguard/wg0.conf", head + text, "600")
        world.sh(name, "wg-quick up wg0")
        world.sh(
            name,
            "mkdir -p /etc/systemd/system/multi-user.target.wants && ln -sf /lib/systemd/system/wg-quick@.service /etc/systemd/system/multi-user.target.wants/wg-quick@wg0.service",
        )
    lab.wait(lambda: world.ping("home", "10.10.13.61"), 20, "the network made by hand")
    return public["phone"]


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("adopt", tmp_path_factory) as lab:
        config(lab, "Host 10.10.13.62\n  ProxyJump root@198.51.100.66\n")
        yield lab


def live(lab: Lab) -> dict[str, str]:
    """What a person would miss: keys, ports, peers, addresses, routes without their protocol."""
    asked = "wg show wg0 public-key; wg show wg0 listen-port; wg show wg0 allowed-ips | while read -r k n; do for i in $n; do echo $k $i; done; done | sort; ip -o -4 address show wg0; ip route show dev wg0 | sed 's/ proto [a-z0-9]*//' | sort"
    return {name: lab.world.sh(name, asked) for name in ADDRESSES}


@pytest.mark.kind(
    "a wg0 that is there already, by wg-quick or by hand",
    "works",
    "`wgorch adopt`, then `up --adopt`; refused without, and where everything leaves by it",
)
def test_a_live_network_is_taken_over_as_it_is(lab: Lab) -> None:
    world = lab.world
    phone = wg_quick(lab)
    before = live(lab)
    refused = lab.wgorch("up", INVENTORY, "--yes", code=4).stderr
    assert "home: cannot create wg0: wg0 exists and is not managed by wgorch" in refused
    assert "hint: --adopt adopts it as it is" in refused
    verify = lab.wgorch("verify", INVENTORY, code=1).stdout
    assert "(wg0 there is not managed by wgorch)\n    fix: wgorch up --adopt" in verify

    path = lab.directory / "adopted.yaml"
    made = lab.wgorch("adopt", *HOSTS, "-o", path)
    assert "wg-quick@wg0 also starts this interface" in made.stderr
    text = path.read_text()
    path.chmod(0o644)
    assert 'endpoint: "203.0.113.13:38371"' in text
    assert "relay: true" in text
    assert "subnets: [10.10.13.0/24]" in text
    assert phone in text
    assert before == live(lab)

    plan = lab.wgorch("plan", path, "--adopt", code=2).stdout
    changes = re.findall(r"^  ([+~-] .*)$", plan, re.M)
    marks = (
        "~ mark of wg0",
        "~ private key",
        "+ private key",
        "~ route",
        "+ chain",
        "~ sysctl",
        "+ boot script",
        "+ unit",
        "+ record of the members",
    )
    assert not [line for line in changes if not line.startswith(marks)], plan
    assert "- " not in "\n".join(f"\n{line}" for line in changes if line.startswith("- "))
    # Only that it takes over running interfaces: nothing of them changes.
    assert "; 3 disruptive" in plan

    # A change that fails gives all of it back, marks and routes too.
    broken = lab.with_run("false", "home")
    lab.wgorch("up", path, "--adopt", "--yes", "--playbooks", broken, code=5)
    assert before == live(lab)
    assert "proto 119" not in world.sh("home", "ip route")
    assert "" == world.sh("home", "cat /sys/class/net/wg0/ifalias").strip()

    # Not one packet is lost, and no session ends.
    sessions = {name: world.sh(name, "wg show wg0 latest-handshakes | sort") for name in ADDRESSES}
    pinging = world.spawn("home", "ping", "-n", "-i", "0.05", "-c", "120", "10.10.13.61")
    lab.wgorch("up", path, "--adopt", "--yes")
    said = pinging.communicate(timeout=30)[0]
    assert " 0% packet loss" in said, said[-300:]
    assert sessions == {name: world.sh(name, "wg show wg0 latest-handshakes | sort") for name in ADDRESSES}
    assert before == live(lab)
    assert "No changes." in lab.wgorch("plan", path).stdout
    assert phone in world.sh("bcc", "wg show wg0 peers")
    key = world.sh("home", "wg pubkey </var/lib/wgorch/office/private_key").strip()
    assert key in before["home"]

    for name in ADDRESSES:
        world.sh(name, "rm /etc/systemd/system/multi-user.target.wants/wg-quick@wg0.service")
    world.reboot("company")
    lab.wait(lambda: world.ping("home", "10.10.13.61"), 40, "it comes back without wg-quick")
    assert "No changes." in lab.wgorch("plan", path).stdout


def test_what_cannot_be_taken_over_is_refused_with_the_reason(lab: Lab) -> None:
    world = lab.world
    wg_quick(lab)
    assert (
        "WireGuard interface wg7 not found"
        in lab.wgorch("adopt", "root@192.168.0.9", "--interface", "wg7", code=4).stderr
    )
    # A preshared key at one end only: no session can begin, and an inventory cannot say that.
    world.sh("home", "wg genpsk >/run/psk; wg set wg0 peer $(wg show wg0 peers) preshared-key /run/psk")
    refused = lab.wgorch("adopt", *HOSTS, code=4).stderr
    assert "the inventory cannot say what is there: it would change peer bcc (another preshared key)" in refused


def test_preshared_keys_of_hosts_and_devices_are_adopted_and_come_back(lab: Lab) -> None:
    """Each host keeps its keys in files of its own; the controller sees digests."""
    world = lab.world
    wg_quick(lab)
    secrets = {name: world.sh("controller", "wg genpsk").strip() for name in ("home", "company", "phone")}
    for name in ADDRESSES:
        peers = world.sh(name, "wg show wg0 allowed-ips").strip().split("\n")
        for line in peers:
            key, nets = line.split("\t")
            other = name if name != "bcc" else "home" if "2.2/" in nets else "company" if "2.3/" in nets else "phone"
            world.write(name, "/run/psk", secrets[other], "600")
            world.sh(name, f"wg set wg0 peer {key} preshared-key /run/psk; rm /run/psk")
    asked = "wg show wg0 preshared-keys | sort"
    before = {name: world.sh(name, asked) for name in ADDRESSES}
    lab.wait(lambda: world.ping("home", "10.10.13.61"), 20, "the sessions with preshared keys")

    path = lab.directory / "adopted.yaml"
    path.unlink(missing_ok=True)
    said = lab.wgorch("adopt", *HOSTS, "-o", path).stderr + path.read_text()
    path.chmod(0o644)
    assert "preshared_keys: true" in said
    broken = lab.with_run("false", "home")
    said += lab.wgorch("up", path, "--adopt", "--yes", "--playbooks", broken, code=5).stdout
    assert {name: world.sh(name, asked) for name in ADDRESSES} == before, said
    pinging = world.spawn("home", "ping", "-n", "-i", "0.02", "-c", "250", "10.10.13.61")
    up = lab.wgorch("up", path, "--adopt", "--yes", "-vv")
    assert " 0% packet loss" in pinging.communicate(timeout=30)[0]
    said += up.stdout + up.stderr
    assert {name: world.sh(name, asked) for name in ADDRESSES} == before, said
    assert "No changes." in lab.wgorch("plan", path).stdout
    assert not [name for name, secret in secrets.items() if secret in said]
    assert "600" == world.sh("bcc", "stat -c %a /var/lib/wgorch/office/psk.other.* | sort -u").strip()

    for name in ADDRESSES:
        world.sh(name, "rm /etc/systemd/system/multi-user.target.wants/wg-quick@wg0.service")
    world.reboot("company")
    world.reboot("bcc")
    # A spoke that sends nothing begins another session after two minutes only.
    ways = {"company": "192.168.2.1", "home": "10.10.13.61"}
    lab.wait(lambda: all(world.ping(*way) for way in ways.items()), 60, "the same keys after a restart")
    assert {name: world.sh(name, asked) for name in ADDRESSES} == before
    assert "No changes." in lab.wgorch("plan", path).stdout
    # A new key pair: the pair keeps its preshared key; and without preshared keys those of hosts go, the phone's stays.
    lab.wgorch("rotate-key", "home", "--yes", "-i", path)
    assert world.sh("home", "wg show wg0 preshared-keys").split()[1] == secrets["home"]
    path.write_text(path.read_text().replace("  preshared_keys: true", "  # "))
    lab.wgorch("up", path, "--yes")
    left = world.sh("bcc", "wg show wg0 preshared-keys")
    assert [name for name, secret in secrets.items() if secret in left] == ["phone"]
    assert "No changes." in lab.wgorch("plan", path).stdout


def test_a_network_made_by_hand_after_a_teardown_is_adopted_beside_the_kept_keys(lab: Lab) -> None:
    """The key of the earlier network lies in wgorch's directory; the live one is another."""
    world = lab.world
    lab.up()
    lab.wgorch("teardown", INVENTORY, "--yes")
    wg_quick(lab)
    before = live(lab)
    path = lab.directory / "again.yaml"
    path.unlink(missing_ok=True)
    lab.wgorch("adopt", *HOSTS, "-o", path)
    path.chmod(0o644)
    pinging = world.spawn("home", "ping", "-n", "-i", "0.02", "-c", "250", "10.10.13.61")
    lab.wgorch("up", path, "--adopt", "--yes")
    assert " 0% packet loss" in pinging.communicate(timeout=30)[0]
    assert live(lab) == before
    assert "No changes." in lab.wgorch("plan", path).stdout
