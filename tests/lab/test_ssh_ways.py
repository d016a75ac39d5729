"""SSH as a user of OpenSSH expects it: aliases, jump hosts, keys, agents, passphrases; and no host key on trust.

controller ─┐                                  .── company
      home ─┴─ home-router ── internet ── company-router (SSH gateway)
                                 │             `── target
                                bcc
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import ALL
from tests.lab.conftest import INVENTORY, ROOT, Lab
from tests.lab.terminal import on_terminal

pytestmark = pytest.mark.slow(70)

COMPANY = (
    "    ssh: {host: 10.10.13.62, user: root, via: root@198.51.100.66}   # only through the office's SSH gateway\n"
)
HOME = "    ssh: root@192.168.0.9\n"
BCC = "    ssh: root@203.0.113.13\n"


@pytest.fixture(scope="module")
def untouched(_reference: Lab) -> Iterator[Lab]:
    """A world in which nothing is ever changed on a host: what differs after all tests is told."""
    yield _reference
    assert _reference.differences(ignore=()) == {}


@pytest.fixture
def ssh_lab(untouched: Lab) -> Iterator[Lab]:
    """The same, with a ~/.ssh of the controller that a test may spoil."""
    world = untouched.world
    world.sh("controller", "rm -rf /root/.ssh.kept; cp -a /root/.ssh /root/.ssh.kept")
    yield untouched
    world.sh("controller", "rm -rf /root/.ssh; mv /root/.ssh.kept /root/.ssh")


def config(lab: Lab, text: str) -> None:
    lab.world.write("controller", "/root/.ssh/config", text, "600")


def log_of(lab: Lab, host: str) -> int:
    """Where a host's sshd log ends now."""
    return len(lab.world.sh(host, "cat /run/sshd.log"))


def logins(lab: Lab, host: str, since: int) -> list[str]:
    """From where logins came since then, as the host's own sshd tells it."""
    return re.findall(r"Accepted publickey for (\w+@?) from ([\d.]+)", lab.world.sh(host, "cat /run/sshd.log")[since:])


def fingerprint(lab: Lab, host: str) -> str:
    return lab.world.sh(host, "ssh-keygen -lf /etc/ssh/world_host_key.pub").split()[1]


def known_hosts(lab: Lab, text: str) -> None:
    lab.world.write("controller", "/root/.ssh/known_hosts", text, "600")


def without(lab: Lab, address: str) -> str:
    """known_hosts without one machine."""
    lines = lab.world.sh("controller", "cat /root/.ssh/known_hosts").split("\n")
    return "".join(f"{line}\n" for line in lines if line and not line.startswith(f"{address} "))


# --- routes


def test_an_alias_of_the_users_configuration_has_jump_host_name_user_port_and_key(ssh_lab: Lab) -> None:
    world = ssh_lab.world
    world.sh(
        "company", "/usr/sbin/sshd -f /etc/ssh/world_sshd_config -p 2222 -o PidFile=/run/second.pid -E /run/sshd.log"
    )
    world.sh("controller", "cd /root/.ssh && mv id_ed25519 office_key")
    key = world.host_key("company")
    known_hosts(ssh_lab, world.sh("controller", "cat /root/.ssh/known_hosts") + f"[10.10.13.62]:2222 {key}\n")
    config(
        ssh_lab,
        """
Host office
    HostName 10.10.13.62
    Port 2222
    ProxyJump gate
Host gate
    HostName 198.51.100.66
Host gate office 192.* 203.*
    User root
    IdentityFile ~/.ssh/office_key
""",
    )
    at = log_of(ssh_lab, "company")
    try:
        done = ssh_lab.wgorch(
            "plan", ssh_lab.edited((COMPANY, "    ssh: office\n"), (HOME, "    ssh: 192.168.0.9\n")), code=2
        )
    finally:
        world.sh("company", "kill $(cat /run/second.pid); sleep 0.1; rm -f /run/second.pid")

    assert "+ interface wg0" in done.stdout
    assert logins(ssh_lab, "company", at) == [("root", "10.10.13.1")]


def test_two_jump_hosts_are_passed_one_after_the_other(ssh_lab: Lab) -> None:
    at = {machine: log_of(ssh_lab, machine) for machine in ("company-router", "target", "company")}
    chain = "    ssh: {host: 10.10.13.62, user: root, via: [root@198.51.100.66, root@10.10.13.61]}\n"

    ssh_lab.wgorch("plan", ssh_lab.edited((COMPANY, chain)), code=2)

    assert logins(ssh_lab, "company-router", at["company-router"]) == [("root", "198.51.100.34")]
    assert logins(ssh_lab, "target", at["target"]) == [("root", "10.10.13.1")]
    assert logins(ssh_lab, "company", at["company"]) == [("root", "10.10.13.61")]


def test_two_jump_hosts_of_the_users_configuration_are_passed_one_after_the_other(ssh_lab: Lab) -> None:
    config(
        ssh_lab,
        "Host 10.10.13.62\n  ProxyJump root@198.51.100.66:22,inner\nHost inner\n  HostName 10.10.13.61\n  User root\n",
    )
    at = {machine: log_of(ssh_lab, machine) for machine in ("target", "company")}

    ssh_lab.wgorch("plan", ssh_lab.edited((COMPANY, "    ssh: root@10.10.13.62\n")), code=2)

    assert logins(ssh_lab, "target", at["target"]) == [("root", "10.10.13.1")]
    assert logins(ssh_lab, "company", at["company"]) == [("root", "10.10.13.61")]


def test_another_host_of_the_inventory_is_a_jump_host_by_its_name(ssh_lab: Lab) -> None:
    world = ssh_lab.world
    world.sh("home-router", "iptables -I FORWARD -s 192.168.0.20 -d 203.0.113.13 -j REJECT")
    inventory = ssh_lab.edited((BCC, "    ssh: {host: 203.0.113.13, user: root, via: home}\n"))
    at = {machine: log_of(ssh_lab, machine) for machine in ("home", "bcc")}
    try:
        assert "203.0.113.13" in ssh_lab.wgorch("plan", INVENTORY, "--strict", code=4).stderr
        ssh_lab.wgorch("plan", inventory, code=2)
    finally:
        world.sh("home-router", "iptables -D FORWARD -s 192.168.0.20 -d 203.0.113.13 -j REJECT")

    assert logins(ssh_lab, "bcc", at["bcc"]) == [("root", "198.51.100.34")]
    assert set(logins(ssh_lab, "home", at["home"])) == {("root", "192.168.0.20")}


def test_this_machine_is_a_host_without_ssh(lab: Lab) -> None:
    world, inventory = lab.world, "/root/inventory.yaml"
    world.write("home", inventory, lab.edited((HOME, "    ssh: local\n")).read_text())
    world.sh("home", "cp -a /root/.ssh /root/.ssh.kept; mkdir -p /root/.local")
    world.write("home", "/root/.ssh/id_ed25519", world.controller_key(), "600")
    world.write("home", "/root/.ssh/known_hosts", world.sh("controller", "cat /root/.ssh/known_hosts"), "600")
    at = log_of(lab, "home")

    def here(*args: str, code: int = 0) -> str:
        argv = (sys.executable, "-m", "wgorch", args[0], inventory, *args[1:])
        done = world.run("home", *argv, check=False, timeout=120, env={"PYTHONPATH": str(ROOT)})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    try:
        assert "✓ up complete: " in here("up", "--yes")
        assert world.ping("home", "10.10.13.61", count=3)
        assert "No changes." in here("up")
        assert "in sync with the inventory" in here("status")
        here("teardown", "--yes", "--purge")
        assert logins(lab, "home", at) == []
        assert lab.differences(ignore=()) == {}
    finally:
        world.sh("home", "rm -rf /root/.ssh /root/.local/state /root/inventory.yaml; mv /root/.ssh.kept /root/.ssh")


# --- keys

SIGN_SIDE_BY_SIDE = """
from concurrent.futures import ThreadPoolExecutor
import paramiko
from wgorch.remote.ssh.agent import keys_in

[key] = keys_in("/run/agent.sock")
public = paramiko.Ed25519Key(data=key.asbytes())

def right(number):
    data = b"session %d" % number
    try:
        return public.verify_ssh_sig(data, paramiko.Message(key.sign_ssh_data(data)))
    except Exception:
        return False

with ThreadPoolExecutor(16) as pool:
    print(64 - sum(pool.map(right, range(64))), "of 64 signatures are wrong")
"""
"""What logging in to many hosts at the same moment asks of the agent's key."""


def test_a_key_with_a_passphrase_is_asked_for_on_the_terminal_once(ssh_lab: Lab) -> None:
    ssh_lab.world.sh("controller", "cd /root/.ssh && ssh-keygen -q -p -P '' -N 'four words of mine' -f id_ed25519")

    code, shown = on_terminal(ssh_lab, "plan", INVENTORY, answers={"Passphrase for": "four words of mine"})

    assert code == 2, shown
    assert shown.count("Passphrase for /root/.ssh/id_ed25519") == 1
    assert "four words of mine" not in shown
    assert "+ interface wg0" in shown


def test_without_a_terminal_a_passphrase_is_not_waited_for(ssh_lab: Lab) -> None:
    ssh_lab.world.sh("controller", "cd /root/.ssh && ssh-keygen -q -p -P '' -N 'four words of mine' -f id_ed25519")

    done = ssh_lab.wgorch("plan", INVENTORY, code=4, timeout=30)

    assert "Traceback" not in done.stderr
    assert "passphrase" in done.stderr


def test_an_identity_of_the_inventory_is_used_and_no_other(ssh_lab: Lab) -> None:
    world = ssh_lab.world
    world.sh("controller", "cd /root/.ssh && mv id_ed25519 mine && ssh-keygen -q -t ed25519 -N '' -f id_ed25519")
    identity = "user: root, identity: ~/.ssh/mine"
    inventory = ssh_lab.edited(
        (HOME, f"    ssh: {{host: 192.168.0.9, {identity}}}\n"),
        (BCC, f"    ssh: {{host: 203.0.113.13, {identity}}}\n"),
    )
    config(ssh_lab, "Host 10.10.13.62 198.51.100.66\n  IdentityFile ~/.ssh/mine\n  IdentitiesOnly yes\n")
    at = log_of(ssh_lab, "home")

    ssh_lab.wgorch("plan", inventory, code=2)

    assert len(logins(ssh_lab, "home", at)) == 1
    assert "Failed" not in world.sh("home", "cat /run/sshd.log")[at:]


def test_the_agent_is_asked_where_there_is_no_file(ssh_lab: Lab) -> None:
    world = ssh_lab.world
    started = world.sh("controller", "ssh-agent -s -a /run/agent.sock")
    pid = re.search(r"SSH_AGENT_PID=(\d+)", started)
    assert pid
    agent = {"SSH_AUTH_SOCK": "/run/agent.sock"}
    try:
        world.run("controller", "ssh-add", "-q", "/root/.ssh/id_ed25519", env=agent)
        world.sh("controller", "rm /root/.ssh/id_ed25519")

        assert "no key was found to try" in ssh_lab.wgorch("plan", INVENTORY, code=4).stderr
        ssh_lab.wgorch("plan", INVENTORY, code=2, env=agent)
        script = (sys.executable, "-c", SIGN_SIDE_BY_SIDE)
        wrong = world.run("controller", *script, env={"PYTHONPATH": str(ROOT), **agent}).stdout.strip()
        assert wrong == "0 of 64 signatures are wrong"
    finally:
        world.sh("controller", f"kill {pid[1]}; rm -f /run/agent.sock")


def test_a_refused_login_is_one_attempt_by_each_client_and_says_which_keys_were_tried(ssh_lab: Lab) -> None:
    world = ssh_lab.world
    world.sh("home", "mv /root/.ssh/authorized_keys /root/.ssh/kept")
    at = log_of(ssh_lab, "home")
    try:
        done = ssh_lab.wgorch("up", INVENTORY, "--yes", code=4)
    finally:
        world.sh("home", "mv /root/.ssh/kept /root/.ssh/authorized_keys")

    attempts = re.findall(r"authenticating user root 192.168.0.20", world.sh("home", "cat /run/sshd.log")[at:])
    assert len(attempts) == 2  # paramiko's, and OpenSSH's once
    expected = r"home: cannot log in as root: 192\.168\.0\.9 refused: /root/\.ssh/id_ed25519 \(ssh-ed25519\)"
    assert re.search(expected, done.stderr)
    assert ssh_lab.differences(ignore=()) == {}


# --- host keys


def test_an_unknown_host_key_is_refused_with_its_fingerprint_until_it_is_trusted(ssh_lab: Lab) -> None:
    known_hosts(ssh_lab, without(ssh_lab, "203.0.113.13"))
    print_ = fingerprint(ssh_lab, "bcc")

    done = ssh_lab.wgorch("plan", INVENTORY, code=4)
    assert re.search(r"bcc: cannot verify host key: 203\.0\.113\.13 presents the unknown key ", done.stderr)
    assert f"presents the unknown key ssh-ed25519 {print_}" in done.stderr
    assert "wgorch trust bcc" in done.stderr

    refused = ssh_lab.wgorch("trust", "bcc", INVENTORY, code=3)
    assert print_ in refused.stdout
    assert "203.0.113.13" not in ssh_lab.world.sh("controller", "cat /root/.ssh/known_hosts")

    ssh_lab.wgorch("trust", "bcc", INVENTORY, "--yes")
    ssh_lab.wgorch("plan", INVENTORY, code=2)


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_trust_goes_through_unknown_jump_hosts_one_by_one(ssh_lab: Lab, client: str) -> None:
    known_hosts(ssh_lab, without(ssh_lab, "198.51.100.66"))
    known_hosts(ssh_lab, without(ssh_lab, "10.10.13.62"))

    assert "198.51.100.66 presents the unknown key" in ssh_lab.wgorch("plan", INVENTORY, code=4).stderr
    told = ssh_lab.wgorch("trust", "company", INVENTORY, "--yes", "--ssh-client", client).stdout

    assert told.index(fingerprint(ssh_lab, "company-router")) < told.index(fingerprint(ssh_lab, "company"))
    ssh_lab.wgorch("plan", INVENTORY, code=2)


def test_trust_asks_on_a_terminal(ssh_lab: Lab) -> None:
    known_hosts(ssh_lab, without(ssh_lab, "203.0.113.13"))

    code, shown = on_terminal(ssh_lab, "trust", "bcc", INVENTORY, answers={"Do the fingerprints match? [y/N]": "n"})
    assert code == 3, shown
    assert "203.0.113.13" not in ssh_lab.world.sh("controller", "cat /root/.ssh/known_hosts")

    code, shown = on_terminal(ssh_lab, "trust", "bcc", INVENTORY, answers={"Do the fingerprints match? [y/N]": "y"})
    assert code == 0, shown
    ssh_lab.wgorch("plan", INVENTORY, code=2)


def test_a_changed_host_key_is_refused_and_trust_does_not_paper_over_it(ssh_lab: Lab) -> None:
    other = ssh_lab.world.host_key("company")
    known_hosts(ssh_lab, without(ssh_lab, "203.0.113.13") + f"203.0.113.13 {other}\n")
    before = ssh_lab.world.sh("controller", "cat /root/.ssh/known_hosts")

    done = ssh_lab.wgorch("plan", INVENTORY, code=4)

    assert f"203.0.113.13 presents ssh-ed25519 {fingerprint(ssh_lab, 'bcc')}" in done.stderr
    assert fingerprint(ssh_lab, "company") in done.stderr
    assert "ssh-keygen -R '203.0.113.13'" in done.stderr
    ssh_lab.wgorch("trust", "bcc", INVENTORY, "--yes", code=3)
    assert ssh_lab.world.sh("controller", "cat /root/.ssh/known_hosts") == before


def test_a_revoked_key_is_refused_although_it_is_known(ssh_lab: Lab) -> None:
    known = ssh_lab.world.sh("controller", "cat /root/.ssh/known_hosts")
    known_hosts(ssh_lab, known + f"@revoked * {ssh_lab.world.host_key('bcc')}\n")

    done = ssh_lab.wgorch("plan", INVENTORY, code=4)

    assert re.search(r"bcc: cannot verify host key: it presents the revoked key ", done.stderr)
    assert f"presents the revoked key ssh-ed25519 {fingerprint(ssh_lab, 'bcc')}" in done.stderr
    assert "home:" not in done.stderr


def test_hashed_known_hosts_are_known(ssh_lab: Lab) -> None:
    ssh_lab.world.sh("controller", "ssh-keygen -q -H -f /root/.ssh/known_hosts && rm -f /root/.ssh/known_hosts.old")

    assert "203.0.113.13" not in ssh_lab.world.sh("controller", "cat /root/.ssh/known_hosts")
    ssh_lab.wgorch("plan", INVENTORY, code=2)


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
@pytest.mark.parametrize("form", ["fingerprint", "key"])
def test_a_host_key_of_the_inventory_stands_in_for_known_hosts(ssh_lab: Lab, form: str, client: str) -> None:
    known_hosts(ssh_lab, without(ssh_lab, "203.0.113.13"))
    told = fingerprint(ssh_lab, "bcc") if form == "fingerprint" else ssh_lab.world.host_key("bcc")

    inventory = ssh_lab.edited((BCC, f"{BCC}    host_key: {told}\n"))
    ssh_lab.wgorch("plan", inventory, "--ssh-client", client, code=2)


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_a_wrong_host_key_of_the_inventory_is_refused_although_known_hosts_agrees(ssh_lab: Lab, client: str) -> None:
    wrong = fingerprint(ssh_lab, "company")

    inventory = ssh_lab.edited((BCC, f"{BCC}    host_key: {wrong}\n"))
    done = ssh_lab.wgorch("plan", inventory, "--ssh-client", client, code=4)

    assert f"it presents ssh-ed25519 {fingerprint(ssh_lab, 'bcc')}, but host_key is {wrong}" in done.stderr


# --- hosts as they are


def test_an_unreachable_host_stops_everything_if_strict(ssh_lab: Lab) -> None:
    inventory = ssh_lab.edited((HOME, "    ssh: root@192.168.0.77\n"))
    done = ssh_lab.wgorch("up", inventory, "--yes", "--strict", code=4, timeout=60)

    assert re.search(r"home: cannot connect: 192\.168\.0\.77 port 22: ", done.stderr)
    assert ssh_lab.differences(ignore=()) == {}


def test_every_host_that_cannot_be_reached_is_told_at_once(ssh_lab: Lab) -> None:
    for host in ("bcc", "home"):
        ssh_lab.world.stop_sshd(host)
    try:
        done = ssh_lab.wgorch("plan", INVENTORY, "--strict", code=4, timeout=60)
    finally:
        for host in ("bcc", "home"):
            ssh_lab.world.start_sshd(host)

    assert re.search(r"bcc: cannot connect: 203\.0\.113\.13 port 22: Connection refused", done.stderr)
    assert re.search(r"home: cannot connect: 192\.168\.0\.9 port 22: Connection refused", done.stderr)
    assert "company:" not in done.stderr


@pytest.mark.parametrize(
    "noise",
    [
        "echo welcome to a noisy shell",
        "printf 'no end of line'; printf '\\033[31m%s' x >&2",
        "fortune() { :; }; set -x",
    ],
)
def test_what_a_login_shell_prints_is_not_an_answer(ssh_lab: Lab, noise: str) -> None:
    before = ssh_lab.world.sh("home", "cat /root/.bashrc 2>/dev/null || :")
    ssh_lab.world.write("home", "/root/.bashrc", f"{noise}\n{before}")
    try:
        ssh_lab.wgorch("plan", INVENTORY, code=2)
    finally:
        ssh_lab.world.write("home", "/root/.bashrc", before)


# --- kinds of keys


@pytest.mark.kind("SSH certificates", "works", "the one that lies beside its key, as NAME-cert.pub")
def test_a_certificate_beside_the_key_lets_in(ssh_lab: Lab) -> None:
    world = ssh_lab.world
    world.sh(
        "controller",
        "cd /root/.ssh && ssh-keygen -q -t ed25519 -N '' -f /run/ca && ssh-keygen -q -t ed25519 -N '' -f cert",
    )
    world.sh("controller", "cd /root/.ssh && ssh-keygen -q -s /run/ca -I operator -n root cert.pub && rm /run/ca")
    authority = world.sh("controller", "cat /run/ca.pub").strip()
    kept = world.sh("home", "cat /root/.ssh/authorized_keys")
    inventory = ssh_lab.edited((HOME, "    ssh: {host: 192.168.0.9, user: root, identity: ~/.ssh/cert}\n"))
    at = log_of(ssh_lab, "home")
    world.write("home", "/root/.ssh/authorized_keys", f"cert-authority {authority}\n", "600")
    try:
        ssh_lab.wgorch("plan", inventory, code=2)
    finally:
        world.write("home", "/root/.ssh/authorized_keys", kept, "600")
        world.sh("controller", "rm -f /run/ca.pub")
    assert "ID operator" in world.sh("home", "cat /run/sshd.log")[at:]


@pytest.mark.kind(
    "an agent with 20 keys", "works", "where `identity:` names the key; else sshd disconnects, and the error says so"
)
def test_an_agent_with_many_keys(ssh_lab: Lab) -> None:
    world = ssh_lab.world
    pid = re.search(r"SSH_AGENT_PID=(\d+)", world.sh("controller", "ssh-agent -s -a /run/agent.sock"))
    assert pid
    agent = {"SSH_AUTH_SOCK": "/run/agent.sock"}
    many = "for n in $(seq 20); do ssh-keygen -q -t ed25519 -N '' -f /run/k$n; ssh-add -q /run/k$n; rm /run/k$n /run/k$n.pub; done"
    identity = "user: root, identity: ~/.ssh/id_ed25519"
    inventory = ssh_lab.edited(
        (HOME, f"    ssh: {{host: 192.168.0.9, {identity}}}\n"), (BCC, f"    ssh: {{host: 203.0.113.13, {identity}}}\n")
    )
    try:
        world.run("controller", "sh", "-c", many, env=agent)
        refused = ssh_lab.wgorch("plan", INVENTORY, code=4, env=agent)
        assert re.search(
            r"home: cannot log in as root: 192\.168\.0\.9 disconnected after \d keys \(agent \(ssh-ed25519\) …\)",
            refused.stderr,
        )
        assert "MaxAuthTries" in refused.stderr
        config(ssh_lab, "Host 10.10.13.62 198.51.100.66\n  IdentityFile ~/.ssh/id_ed25519\n  IdentitiesOnly yes\n")
        ssh_lab.wgorch("plan", inventory, code=2, env=agent)
    finally:
        world.sh("controller", f"kill {pid[1]}; rm -f /run/agent.sock")


@pytest.mark.kind("an IPv6 link-local address with its interface", "works", "`ssh: root@fe80::…%eth0`")
def test_a_link_local_address_with_its_interface(ssh_lab: Lab) -> None:
    world = ssh_lab.world
    local = world.sh("home", "ip -o -6 address show dev wlp2s0 scope link").split()[3].split("/")[0]
    place = f"{local}%eth0"
    known_hosts(ssh_lab, world.sh("controller", "cat /root/.ssh/known_hosts") + f"{place} {world.host_key('home')}\n")
    at = log_of(ssh_lab, "home")
    ssh_lab.wgorch("plan", ssh_lab.edited((HOME, f"    ssh: root@{place}\n")), code=2)
    assert re.search(r"Accepted publickey for root from fe80:", world.sh("home", "cat /run/sshd.log")[at:])


@pytest.mark.kind(
    "a host reached only through the tunnel itself",
    "works with a limit",
    "with `--accept-risk lose-ssh`; refused without, and by teardown",
)
def test_a_host_behind_the_tunnel_is_changed_last_and_only_where_that_is_accepted(lab: Lab) -> None:
    world = lab.world
    lab.up()
    known = world.sh("controller", "cat /root/.ssh/known_hosts")
    known_hosts(lab, known + f"192.168.2.3 {world.host_key('company')}\n")
    through = (
        COMPANY,
        "    ssh: {host: 192.168.2.3, user: root, via: root@192.168.0.9}\n    persistent_keepalive: 20\n",
    )
    try:
        inventory = lab.edited(through)
        refused = lab.wgorch("up", inventory, "--yes", code=4).stderr
        assert "company: cannot change the tunnel: SSH to the host runs through that tunnel" in refused
        lab.wgorch("up", inventory, "--yes", "--accept-risk", "lose-ssh")
        assert "every 20 seconds" in world.sh("company", "wg show wg0")
        assert "No changes." in lab.wgorch("up", inventory).stdout

        if ALL:  # it takes a minute
            # One that cuts us takes itself back: the peer's packets go elsewhere.
            cutting = lab.edited(through, ("address: 192.168.2.3", "address: 192.168.2.7"))
            done = lab.wgorch("up", cutting, "--yes", "--accept-risk", "lose-ssh", "--confirm-timeout", "15", code=None)
            assert done.returncode in (5, 6)
            lab.wait(lambda: world.ping("home", "192.168.2.3"), 60, "company is back")
            inventory = lab.edited(through)
            lab.wait(lambda: "No changes." in lab.wgorch("plan", inventory, code=None).stdout, 30, "all is as before")
        assert (
            "company: cannot remove the tunnel: SSH to the host runs through that tunnel"
            in lab.wgorch("teardown", inventory, "--yes", code=4).stderr
        )
    finally:
        known_hosts(lab, known)
