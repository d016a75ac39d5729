"""Hosts that are full, read-only, slow, talkative or hostile: each ends in a named error or in success, never in a hang."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab
from wgorch.host.library import library

pytestmark = [pytest.mark.slow(160), pytest.mark.drawn(12)]

PLACE = "mkdir -p /var/lib/wgorch && mount -t tmpfs -o mode=700,{} place /var/lib/wgorch"
AWAY = "umount /var/lib/wgorch; rmdir /var/lib/wgorch; true"


@pytest.mark.parametrize("option", ["size=8k", "ro"])
def test_a_full_or_read_only_disk_stops_before_anything_runs(lab: Lab, option: str) -> None:
    lab.world.sh("home", PLACE.format(option))
    try:
        done = lab.wgorch("up", INVENTORY, "--yes", code=4)
    finally:
        lab.world.sh("home", AWAY)

    assert "home: " in done.stderr
    assert "disk full" in done.stderr or "writable" in done.stderr or "read-only" in done.stderr.lower()
    assert {} == lab.differences()


@pytest.mark.parametrize(
    ("spoil", "mend", "named"),
    draw(
        [
            ("chmod 777 {}", "chmod 700 {}", "can be written by others (drwxrwxrwx)"),
            ("chown nobody {}", "chown root {}", "belongs to uid 65534, not to root"),
            ("chmod 777 {}/..", "chmod 700 {}/..", "can be written by others (drwxrwxrwx)"),
            ("chmod 666 {}/boot", "chmod 600 {}/boot", "/boot can be written by others (-rw-rw-rw-)"),
            ("mkdir {}/lock", "rmdir {}/lock", "/lock is a directory, not a file"),
            ("mkfifo -m 600 {}/pending", "rm {}/pending", "/pending is a FIFO, not a file"),
            ("mv {} {}.x; ln -s {}.x {}", "rm {}; mv {}.x {}", "is a symbolic link, not a directory"),
        ],
        2,
        salt="spoilt",
    ),
)
def test_a_directory_that_others_may_write_is_refused_by_name(network: Lab, spoil: str, mend: str, named: str) -> None:
    world, place = network.world, "/var/lib/wgorch/office"
    world.sh("home", spoil.replace("{}", place))
    try:
        for verb in (("plan",), ("up", "--yes"), ("teardown", "--yes")):
            refused = network.wgorch(verb[0], INVENTORY, *verb[1:], code=4).stderr
            assert "home: cannot use /var/lib/wgorch/office: " in refused
            assert named in refused
        assert named in network.wgorch("status", INVENTORY, code=2).stdout
    finally:
        world.sh("home", mend.replace("{}", place))
    assert "No changes." in network.wgorch("plan", INVENTORY).stdout


def test_a_directory_made_by_another_before_the_first_up_is_refused(lab: Lab) -> None:
    lab.world.sh("home", "mkdir -m 777 /var/lib/wgorch")
    try:
        assert "/var/lib/wgorch can be written by others" in lab.wgorch("up", INVENTORY, "--yes", code=4).stderr
    finally:
        lab.world.sh("home", "rmdir /var/lib/wgorch")
    assert {} == lab.differences()


def test_two_hosts_that_claim_one_address_are_both_named(lab: Lab) -> None:
    open_ = lab.edited(*((f"    address: 192.168.2.{n}\n", "") for n in (1, 2, 3)))
    lab.up(open_)
    there = json.loads(lab.world.sh("company", "ip -j -4 address show dev wg0"))[0]["addr_info"][0]["local"]
    lab.world.sh("home", f"ip address add {there}/24 dev wg0")
    refused = lab.wgorch("up", open_, "--yes", code=4).stderr
    for host in ("home", "company"):
        assert f"{host}: cannot keep its tunnel address: {there} is on " in refused
    assert f"home: cannot keep its tunnel address: {there}" in lab.wgorch("status", open_, code=2).stdout
    # A hostile host must not keep the operator from taking the network down.
    lab.wgorch("teardown", open_, "--yes", "--purge")
    assert {} == lab.differences()


def test_a_place_without_exec_is_enough(lab: Lab) -> None:
    lab.world.sh("home", PLACE.format("noexec,size=1m"))
    try:
        lab.up()
        lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
    finally:
        lab.world.sh("home", AWAY)


def test_a_command_that_hangs_is_ended_named_and_taken_back(lab: Lab) -> None:
    began = time.monotonic()
    place = lab.with_run("sleep 600", "home")
    done = lab.wgorch("up", INVENTORY, "--yes", "--confirm-timeout", "10", "--playbooks", place, code=5)

    assert "home: cannot add run fault" in done.stdout + done.stderr
    assert time.monotonic() - began < 60
    assert {} == lab.differences()


def test_ten_mebibytes_of_output_are_refused(lab: Lab) -> None:
    place = lab.with_run("head -c 10485760 /dev/zero | tr '\\000' x", "home")
    done = lab.wgorch("up", INVENTORY, "--yes", "--confirm-timeout", "10", "--playbooks", place, code=5)

    assert "larger than 4 MiB" in done.stdout + done.stderr
    lab.wait(lambda: not lab.differences(), 30, f"all as before: {lab.differences()}")


def test_sshd_with_one_session_and_few_startups_is_enough(lab: Lab) -> None:
    for host in HOSTS:
        lab.world.stop_sshd(host)
        lab.world.sh(
            host,
            "cp /etc/ssh/world_sshd_config /root/kept; printf 'MaxSessions 1\\nMaxStartups 2:100:3\\n' >>/etc/ssh/world_sshd_config",
        )
        lab.world.start_sshd(host)
    try:
        lab.up()
        assert "No changes." in lab.wgorch("up", INVENTORY).stdout
    finally:
        for host in HOSTS:
            lab.world.stop_sshd(host)
            lab.world.sh(
                host,
                "cat /root/kept >/etc/ssh/world_sshd_config; rm /root/kept; touch -d '1 hour ago' /etc/ssh/world_sshd_config; touch -r /etc/ssh/world_host_key.pub /etc/ssh/world_sshd_config",
            )
            lab.world.start_sshd(host)


def test_iptables_legacy_with_a_held_lock_waits_for_it(lab: Lab) -> None:
    legacy = "mount -t tmpfs -o mode=755 shim /usr/local/sbin && for c in iptables iptables-save iptables-restore; do ln -s /usr/sbin/xtables-legacy-multi /usr/local/sbin/$c; done"
    lab.world.sh("company", legacy)
    holder = lab.world.spawn("company", "flock", "/run/xtables.lock", "sleep", "4")
    try:
        lab.up()
        assert lab.world.ping("home", "10.10.13.61")
        lab.wgorch("teardown", INVENTORY, "--yes")
        left = lab.world.sh("company", "iptables-legacy-save | grep -e '^-A' -e wgorch", check=False)
    finally:
        holder.wait(20)
        lab.world.sh("company", "umount /usr/local/sbin; rm -f /run/xtables.lock")

    assert "" == left


BAD_KEYS = [
    "",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",
    "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",
    "7P///////////////////////////////////////38=",
    "short",
    "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dh=",
    "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D==",
    "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= -",
    "$(touch /root/canary)AAAAAAAAAAAAAAAAAAAAAA=",
    "'; touch /root/canary; '",
]


def test_fake_public_keys_stop_the_run_before_any_change(lab: Lab) -> None:
    lab.world.sh("home", "mount -t tmpfs -o mode=755 shim /usr/local/sbin")
    try:
        for key in BAD_KEYS:
            script = f"#!/bin/sh\ncase $1 in pubkey) cat <<'KEY'\n{key}\nKEY\n;; *) exec /usr/bin/wg \"$@\" ;; esac\n"
            lab.world.write("home", "/usr/local/sbin/wg", script, "755")
            done = lab.wgorch("up", INVENTORY, "--yes", code=4)
            assert "home: " in done.stderr, key
    finally:
        lab.world.sh("home", "umount /usr/local/sbin")

    assert {} == lab.differences()
    for host in HOSTS:
        lab.world.sh(host, "[ ! -e /root/canary ]")


def test_another_hosts_key_is_refused_and_both_are_named(lab: Lab) -> None:
    lab.up()
    lab.wgorch("teardown", INVENTORY, "--yes")
    key = lab.world.sh("company", "cat /var/lib/wgorch/office/private_key")
    lab.world.sh("home", f"echo '{key.strip()}' >/var/lib/wgorch/office/private_key")
    done = lab.wgorch("up", INVENTORY, "--yes", code=4)

    assert "same key" in done.stderr
    assert "home" in done.stderr
    assert "company" in done.stderr


def test_a_changed_key_needs_consent(network: Lab) -> None:
    network.world.sh(
        "home", "systemctl disable --quiet wgorch-office; ip link delete wg0; sleep 0.5; rm -rf /var/lib/wgorch/office"
    )
    refused = network.wgorch("up", INVENTORY, "--yes", code=4)
    network.up(INVENTORY, "--accept-new-key", "home")

    assert "--accept-new-key home" in refused.stderr
    assert network.world.ping("home", "10.10.13.61")
    assert 2 == len(network.world.sh("bcc", "wg show wg0 peers").split())


def test_nothing_that_a_host_says_controls_the_terminal(network: Lab) -> None:
    evil = "\x1b]0;owned\x07\x1b[31m\u202eevil\x9b"
    network.world.run(
        "company",
        "iptables",
        "-A",
        "wgorch-office-fwd",
        "-m",
        "comment",
        "--comment",
        "x\x1b[2Jy\u202e",
        "-j",
        "RETURN",
    )
    network.world.sh("company", "rm /etc/os-release")
    network.world.write("company", "/etc/os-release", f'ID=debian\nPRETTY_NAME="{evil}"\n')
    outputs = []
    for verb in ("plan", "status", "verify"):
        for option in ((), ("--json",), ("-vv",)):
            done = network.wgorch(verb, INVENTORY, *option, code=None)
            outputs.append(done.stdout + done.stderr)
    network.world.sh(
        "company",
        "iptables -D wgorch-office-fwd -m comment --comment \"$(printf 'x\\033[2Jy\\342\\200\\256')\" -j RETURN",
        check=False,
    )
    network.world.sh("company", "rm /etc/os-release; ln -s ../usr/lib/os-release /etc/os-release")
    journal = network.world.sh("controller", "cat /root/.local/state/wgorch/*.jsonl")

    for text in [*outputs, journal]:
        assert not [c for c in text if c in "\x1b\x07\x9b\u202e"]


FIELDS = {
    "name: office": "name: $(touch /root/canary)",
    "ssh: root@192.168.0.9": "ssh: root@`touch /root/canary`",
    "user: root, via": "user: $(touch /root/canary), via",
    "via: root@198.51.100.66": 'via: "root@198.51.100.66; touch /root/canary"',
    "endpoint: 203.0.113.13:38371": 'endpoint: "$(touch /root/canary):38371"',
    "address: 192.168.2.2": "address: 192.168.2.2;touch /root/canary",
    "subnets: [10.10.13.0/24]": 'subnets: ["10.10.13.0/24; touch /root/canary"]',
    "lan_interface: ens192": "lan_interface: $(touch /root/canary)",
    "- home -> 10.10.13.61": "- home -> 10.10.13.61;touch /root/canary",
    "subnet: 192.168.2.0/24": "subnet: $(touch /root/canary)",
}


def test_shell_text_in_any_field_is_refused_and_never_runs(lab: Lab) -> None:
    for old, new in FIELDS.items():
        done = lab.wgorch("up", lab.edited((old, new)), "--yes", code=3)
        assert "error:" in done.stderr, new
    for machine in (*HOSTS, "controller"):
        lab.world.sh(machine, "[ ! -e /root/canary ]")


def test_a_machine_in_the_middle_gets_no_login(lab: Lab) -> None:
    lab.world.stop_sshd("home")
    lab.world.sh(
        "home",
        "ssh-keygen -q -t ed25519 -N '' -f /run/other_key; sed 's#^HostKey.*#HostKey /run/other_key#' /etc/ssh/world_sshd_config >/run/other_config; echo 'LogLevel DEBUG1' >>/run/other_config; /usr/sbin/sshd -f /run/other_config -E /run/other.log",
    )
    try:
        done = lab.wgorch("up", INVENTORY, "--yes", code=4)
        log = lab.world.sh("home", "cat /run/other.log")
    finally:
        lab.world.stop_sshd("home")
        lab.world.sh("home", "rm -f /run/other*")
        lab.world.start_sshd("home")

    assert re.search(r"home: cannot verify host key: ", done.stderr)
    assert "userauth-request" not in log
    assert {} == lab.differences(ignore=())


@pytest.mark.parametrize("shell", ["/bin/busybox", "/bin/bash"])
def test_the_programs_and_the_lease_run_under_other_shells(lab: Lab, shell: str) -> None:
    """dash is /bin/sh here anyway; these stand in its place on one host."""
    lab.world.sh("home", f"mount --bind {shell} $(readlink -f /bin/sh)")
    try:
        lab.wgorch("up", INVENTORY, "--yes", "--playbooks", lab.with_run("false", "home"), code=5)
        assert {} == lab.differences()
        lab.up()
        assert lab.world.ping("home", "10.10.13.61")
        assert "No changes." in lab.wgorch("up", INVENTORY).stdout
        # A lease that ends by itself: the timer alone takes a change back.
        lab.world.sh("home", LEASE_ALONE)
        lab.wait(
            lambda: "reverted alone" in lab.world.sh("home", "cat /var/lib/wgorch/office/outcome", check=False),
            20,
            "it ends",
        )
        assert "lease-ended" in lab.world.sh("home", "cat /var/lib/wgorch/office/outcome")
        assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
        lab.wgorch("teardown", INVENTORY, "--yes")
    finally:
        # Lazily: a watcher of the change may still be on its way out under this shell.
        lab.world.sh("home", "umount -l $(readlink -f /bin/sh)")

    lab.wait(lambda: not lab.differences(), 10, "everything is as before")


LEASE_ALONE = r"""
cd /var/lib/wgorch/office
printf '#!/bin/sh\nip link set dev wg0 mtu 1440\n' >undo
printf '#!/bin/sh\ncat /sys/class/net/wg0/mtu\n' >probe
printf '#!/bin/sh\nip link set dev wg0 mtu 1300\n' >do
sh ./referee lock alone test 60 && start_up=$(cat boot) sh ./referee apply alone 3 60 5
[ "$(cat /sys/class/net/wg0/mtu)" = 1300 ]
"""


def test_the_one_switch_of_older_kernels_for_ipv6_changes_nothing_but_itself(lab: Lab) -> None:
    """Before Linux 6.17 forwarding of IPv6 is one value for all cards, which turns every card's own as well."""
    functions = "\n".join(library().values())

    def run(words: str) -> None:
        script = f"directory=/run/six; mkdir -p /run/six; {functions}\n{words}"
        lab.world.run("home", "sh", "-c", script)

    def values() -> dict[str, str]:
        told = lab.world.sh("home", "cd /proc/sys/net/ipv6/conf; grep . */forwarding */accept_ra */accept_ra_defrtr")
        return dict(line.split(":") for line in told.split())

    lab.world.sh("home", "echo 1 >/proc/sys/net/ipv6/conf/lo/forwarding; echo 2 >/proc/sys/net/ipv6/conf/lo/accept_ra")
    try:
        before = values()
        run("set_value net/ipv6/conf/all/forwarding 1")
        assert {"all/forwarding": ("0", "1")} == {k: (before[k], v) for k, v in values().items() if v != before[k]}
        # Cut in the middle: what each card had is on disk, and the next run puts it back.
        lab.world.sh(
            "home",
            'cd /proc/sys/net/ipv6/conf; for c in */; do echo "${c%/} $(cat $c/forwarding) $(cat $c/accept_ra)"; done | grep -v ^all >/run/six/cards6; echo 1 >all/forwarding; echo 1 >wlp2s0/forwarding; echo 2 >wlp2s0/accept_ra',
        )
        run("set_value net/ipv6/conf/all/forwarding 0")
        assert before == values()
        assert "cards6" not in lab.world.sh("home", "ls /run/six")
    finally:
        lab.world.sh(
            "home",
            "echo 0 >/proc/sys/net/ipv6/conf/lo/forwarding; echo 1 >/proc/sys/net/ipv6/conf/lo/accept_ra; rm -rf /run/six",
        )
