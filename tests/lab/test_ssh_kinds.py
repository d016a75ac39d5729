"""Every way of logging in that OpenSSH has: what wgorch answers is what `ssh HOST true` answers in the same moment.

controller ── home, with a second sshd on port 2222 whose options each kind chooses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.lab.conftest import Lab, own_lab
from tests.lab.debs import fetch, unpack
from tests.lab.ssh_failures import FAILURES, Failing
from tests.lab.ssh_kinds import BOX, HELD, INVENTORY, KINDS, Kind, prepare
from tests.lab.terminal import on_terminal

pytestmark = [pytest.mark.slow(130), pytest.mark.drawn(60)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("kinds", tmp_path_factory) as lab:
        world = lab.world
        unpack(world, "controller", fetch(tmp_path_factory.mktemp("debs"), "openssh-tests"))
        known = world.sh("controller", "cat /root/.ssh/known_hosts")
        addresses = ("[192.168.0.9]:2222", "198.51.100.34")
        known += "".join(f"{address} {world.host_key('home')}\n" for address in addresses)
        world.write("controller", "/root/.ssh/known_hosts", known, "600")
        world.sh("controller", "cp -a /root/.ssh /root/.ssh.kept")
        world.sh("home", "cp -a /root/.ssh /root/.ssh.kept")
        yield lab


@pytest.fixture
def box(place: Lab) -> Iterator[Lab]:
    """The controller and home as they were, whatever a kind did to them."""
    yield place
    world = place.world
    world.sh(
        "controller", "[ ! -e /run/agent.env ] || { . /run/agent.env >/dev/null; kill $SSH_AGENT_PID; }", check=False
    )
    world.sh(
        "controller",
        "pkill -f [m]aster-; rm -rf /root/.ssh /run/agent.* /run/ca* /run/other* /run/known* /run/master* /run/lone*; cp -a /root/.ssh.kept /root/.ssh",
        check=False,
    )
    world.sh(
        "home",
        "kill $(cat /run/second.pid); rm -rf /root/.ssh /run/second.pid /run/ca* /run/host* /run/fips*; cp -a /root/.ssh.kept /root/.ssh",
        check=False,
    )


def by_ssh(lab: Lab, kind: Kind) -> str:
    """The answer of ssh: nothing, or its words."""
    env = {"SSH_AUTH_SOCK": "/run/agent.sock"} if kind.agent else {}
    done = lab.world.run("controller", "ssh", "-o", "BatchMode=yes", "box", "true", check=False, env=env, input="")
    return "" if done.returncode == 0 else done.stderr or "no"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_wgorch_gets_in_where_ssh_does(box: Lab, kind: Kind) -> None:
    prepare(box, kind)
    inventory = box.inventory(INVENTORY)
    env = {"SSH_AUTH_SOCK": "/run/agent.sock"} if kind.agent else {}

    # accept-new writes the key down: what comes second would find it known.
    kept = box.world.sh("controller", "cat /root/.ssh/known_hosts 2>/dev/null", check=False)
    ssh = by_ssh(box, kind)
    box.world.write("controller", "/root/.ssh/known_hosts", kept, "600")
    done = box.wgorch("plan", inventory, code=None, env=env)

    assert kind.accepted == (ssh == ""), ssh
    got_in = done.returncode == 2 and "+ interface wg0" in done.stdout
    assert got_in == (kind.accepted != bool(kind.differs)), f"{done.returncode}\n{done.stdout}{done.stderr}\nssh: {ssh}"
    if not got_in:
        assert done.returncode in (3, 4)
        assert "Traceback" not in done.stderr
        assert "hint: " in done.stderr


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
@pytest.mark.parametrize("failing", FAILURES, ids=lambda failing: failing.kind.name)
def test_a_failure_is_named_with_its_remedy(box: Lab, failing: Failing, client: str) -> None:
    prepare(box, failing.kind)
    env = {"SSH_AUTH_SOCK": "/run/agent.sock"} if failing.kind.agent else {}

    done = box.wgorch("plan", box.inventory(INVENTORY), "--ssh-client", client, code=failing.code, env=env)

    assert re.search(failing.message, done.stderr), done.stderr
    assert failing.hint in done.stderr
    assert "Traceback" not in done.stderr


# --- questions

LOCKED = "ssh-keygen -q -p -P '' -N 'four words of mine' -f /root/.ssh/id_ed25519"


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_a_locked_key_is_asked_for_once_for_all_hosts(box: Lab, client: str) -> None:
    prepare(box, Kind("locked", here=LOCKED))
    twice = INVENTORY + '  twin: {ssh: root@192.168.0.9, endpoint: "192.0.2.2:51820"}\n'
    known = box.world.sh("controller", "cat /root/.ssh/known_hosts")
    assert "192.168.0.9 " in known

    words = ("plan", box.inventory(twice), "--ssh-client", client)
    code, shown = on_terminal(box, *words, answers={"Passphrase for": "four words of mine"})

    assert code == 2, shown
    assert shown.count("Passphrase for /root/.ssh/id_ed25519") == 1
    assert "four words of mine" not in shown


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_without_a_terminal_a_locked_key_is_refused_at_once(box: Lab, client: str) -> None:
    prepare(box, Kind("locked", here=LOCKED))

    done = box.wgorch("plan", box.inventory(INVENTORY), "--ssh-client", client, code=4, timeout=20)

    assert "not unlocked" in done.stderr


PASSWORD = "AuthenticationMethods=password PasswordAuthentication=yes PermitRootLogin=yes"
PAM = (
    "AuthenticationMethods=publickey,keyboard-interactive:pam UsePAM=yes KbdInteractiveAuthentication=yes"
    " PermitRootLogin=yes"
)
BOTH = "AuthenticationMethods=publickey,password PasswordAuthentication=yes PermitRootLogin=yes"


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
@pytest.mark.parametrize("server", [PASSWORD, BOTH, PAM], ids=["password", "key and password", "key and PAM's prompt"])
def test_a_password_is_asked_for_once(box: Lab, server: str, client: str) -> None:
    prepare(box, Kind("password", server=server))
    shadow = box.world.sh("home", "cat /etc/shadow")
    try:
        box.world.sh("home", "echo 'root:correct horse' | chpasswd")
        words = ("plan", box.inventory(INVENTORY), "--ssh-client", client)
        refused = box.wgorch(*words, code=4).stderr
        code, shown = on_terminal(box, *words, "--ask-ssh-password", answers={"SSH password": "correct horse"})
        given = box.wgorch(*words, "--ask-ssh-password", code=2, env={"WGORCH_SSH_PASSWORD": "correct horse"})
    finally:
        box.world.write("home", "/etc/shadow", shadow, "640")

    assert "password" in refused
    assert code == 2, shown
    assert shown.count("SSH password") == 1
    assert "correct horse" not in shown + given.stdout + given.stderr


# --- without ssh, and with what it says


def test_without_an_ssh_program_a_plain_configuration_works_and_another_is_named(box: Lab) -> None:
    prepare(box, Kind("plain"))
    inventory = box.inventory(INVENTORY)
    hide = "mount --bind /dev/null /usr/bin/ssh"
    box.world.sh("controller", hide)
    try:
        box.wgorch("plan", inventory, code=2)
        box.world.write("controller", "/root/.ssh/config", f"{BOX}Match exec true\n  User root\n", "600")
        done = box.wgorch("plan", inventory, code=3)
    finally:
        box.world.sh("controller", "umount /usr/bin/ssh")

    assert "/root/.ssh/config:5: cannot interpret match exec true: there is no ssh program" in done.stderr


def test_the_client_and_its_reason_are_said(box: Lab) -> None:
    prepare(box, Kind("accept-new", "  StrictHostKeyChecking accept-new\n"))
    inventory = box.inventory(INVENTORY)

    assert "home: openssh, root@192.168.0.9:2222: StrictHostKeyChecking accept-new" in (
        box.wgorch("check", inventory, "-v").stdout
    )
    said = box.wgorch("plan", inventory, "-v", code=2).stderr
    assert re.search(r"home = SSH by openssh, \S+ \((classical|post-quantum)\): StrictHostKeyChecking accept-new", said)
    shown = box.wgorch("status", inventory, "-v", "--ssh-client", "paramiko", code=2).stdout
    assert re.search(r"home: SSH by paramiko, \S+ \((classical|post-quantum)\): --ssh-client", " ".join(shown.split()))


def test_the_agent_is_used_by_both_clients(box: Lab) -> None:
    prepare(box, Kind("agent", here=f"{HELD}mv /root/.ssh/id_ed25519 /root/.ssh/away; rm -f /root/.ssh/id_ed25519.pub"))
    for client in ("paramiko", "openssh"):
        box.wgorch("plan", box.inventory(INVENTORY), "--ssh-client", client, code=4)
        env = {"SSH_AUTH_SOCK": "/run/agent.sock"}
        box.wgorch("plan", box.inventory(INVENTORY), "--ssh-client", client, code=2, env=env)
