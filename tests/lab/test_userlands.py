"""Small and old userlands: what is not there is not needed, is installed, or is refused in one clear sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.lab.conftest import INVENTORY, Lab, own_lab

pytestmark = [pytest.mark.slow(40), pytest.mark.drawn(1)]

NEEDED = "sh iptables iptables-save iptables-restore"

# Every applet of busybox stands before the real commands, but for ip; what is large is gone.
BUSYBOX = """set -e
for applet in $(busybox --list); do
    case $applet in ip | sh | ash | mount | umount | init | reboot | halt | poweroff) ;; *) ln -s /bin/busybox /usr/local/sbin/$applet ;; esac
done
chsh -s /bin/sh root
mkdir /run/away
for large in bash python3 perl awk mawk gawk nft systemctl systemd-run tcpdump; do
    for place in /bin /usr/bin /usr/sbin; do [ ! -e $place/$large ] || mv $place/$large /run/away/; done
done
mount --bind /bin/busybox $(readlink -f /bin/sh)
"""


@pytest.fixture(scope="module")
def _own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("userlands", tmp_path_factory, systemd=False) as lab:
        yield lab


@pytest.fixture
def lab(_own: Lab) -> Iterator[Lab]:
    """`home` and `company` as they were built."""
    yield _own
    for host in ("home", "company"):
        _own.world.sh(host, "rm -rf /usr/local/sbin/*; umount -l $(readlink -f /bin/sh) 2>/dev/null; true", check=False)


@pytest.mark.kind(
    "a userland of busybox's, without bash, Python, perl, awk, nft, systemd",
    "works with a limit",
    "a packet of full size may be cut on its way: busybox's ping cannot forbid it",
)
def test_busybox_is_enough(lab: Lab) -> None:
    world = lab.world
    for host in ("home", "company"):
        world.sh(host, BUSYBOX)
    assert "busybox" in world.sh("home", "readlink -f $(command -v ping sha256sum setsid ls | tr '\n' ' ')")
    up = lab.up()
    note = r"note: .*\bhome\b.*: the network will not survive a reboot: neither systemd"
    assert re.search(note, up.stdout)
    assert re.search(note, lab.wgorch("status", INVENTORY).stdout)
    assert world.ping("controller", "192.168.0.9")
    assert "1 packets received" in world.sh("home", "ping -c 1 -W 2 10.10.13.61")
    assert "No changes." in lab.wgorch("up", INVENTORY).stdout
    world.sh("home", "ip link delete wg0")
    lab.wgorch("plan", INVENTORY, code=2)
    lab.up()
    lab.wgorch("verify", INVENTORY)
    lab.wgorch("trace", "home", "10.10.13.61", INVENTORY)
    down = lab.wgorch("teardown", INVENTORY, "--yes", "--purge").stdout
    assert "empty iptables tables stay" in down
    assert "wg0" not in world.sh("home", "ls /sys/class/net; ls /var/lib/wgorch 2>/dev/null", check=False)


def test_the_reason_why_wireguard_go_does_not_start_is_told(lab: Lab) -> None:
    fails = "#!/bin/sh\necho 'ERROR: Failed to create TUN device: /dev/net/tun does not exist' >&2; exit 1\n"
    lab.world.write("company", "/usr/local/sbin/wireguard-go", fails, "755")
    done = lab.wgorch("up", INVENTORY, "--yes", code=5)
    assert "company: cannot add interface wg0: ERROR: Failed to create TUN device" in done.stdout
    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")


@pytest.mark.kind("an ip of busybox's", "works", "iproute2 is installed first")
def test_an_ip_of_busybox_is_read_and_then_replaced(lab: Lab) -> None:
    lab.world.sh("home", "ln -s /bin/busybox /usr/local/sbin/ip")
    told = lab.wgorch("plan", INVENTORY, code=2).stdout
    assert "+ packages iproute2  — not installed; by apt" in told


@pytest.mark.kind("an iptables without the match `comment`", "refused", "cannot use iptables: … match `comment'")
def test_an_iptables_without_comments_is_refused(lab: Lab) -> None:
    world, before = lab.world, lab.differences()
    place = world.sh("company", "find /usr/lib -name libxt_comment.so").strip()
    world.sh("company", f"mv {place} /run/kept")
    try:
        refused = lab.wgorch("up", INVENTORY, "--yes", code=4)
    finally:
        world.sh("company", f"mv /run/kept {place}")
    assert "company: cannot use iptables: " in refused.stderr
    assert "`comment'" in refused.stderr
    assert "hint: install the matches comment" in refused.stderr
    assert before == lab.differences()
