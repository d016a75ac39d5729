"""From a login to a root shell: whatever shell it is, whatever it prints or asks, and by sudo or doas where it is not root's.

The controller logs in to `home` in each test; bcc and company stay root's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab, own_lab
from tests.lab.test_ssh_ways import HOME, on_terminal

pytestmark = [pytest.mark.slow(70), pytest.mark.drawn(4)]

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def _own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("logins", tmp_path_factory, systemd=False) as lab:
        hashed = lab.world.run("home", "openssl", "passwd", "-6", PASSWORD).stdout.strip()
        lab.world.add_user("home", "operator", "ALL", hashed)
        yield lab


@pytest.fixture
def lab(_own: Lab) -> Iterator[Lab]:
    """`home` with a user who may use sudo with a password; root's own shell is sh."""
    yield _own
    _own.world.sh(
        "home",
        "usermod -s /bin/sh root; rm -rf /root/.bashrc /root/.zshenv /root/.tcshrc /root/.config /root/.ssh/rc; rm -f /etc/doas.conf; "
        "printf 'operator ALL=(root) ALL\\n' >/etc/sudoers.d/operator; rm -rf /run/sudo /var/lib/sudo /usr/local/bin/sudo",
    )


@pytest.fixture(autouse=True, params=draw(["paramiko", "openssh"], 1, salt="client"))
def either_client(lab: Lab, request: pytest.FixtureRequest) -> Iterator[None]:
    """Each way to become root works by either SSH client."""
    lab.client = request.param
    yield
    lab.client = ""


@pytest.fixture
def operator(lab: Lab) -> str:
    """The inventory that logs in to `home` as that user."""
    return str(lab.edited((HOME, "    ssh: operator@192.168.0.9\n")))


def may(lab: Lab, rights: str) -> None:
    lab.world.write("home", "/etc/sudoers.d/operator", f"{rights}\n", "440")


NOISE = {
    "/bin/sh": (".ssh/rc", "echo noise; read -r a <&0"),
    "/bin/bash": (
        ".bashrc",
        "echo noise; read -r -p 'your name? ' a; read -r b; PATH=/usr/bin; LANG=de_DE.UTF-8; sleep 3",
    ),
    "/usr/bin/zsh": (".zshenv", "echo noise; read 'a?your name? '; PATH=/usr/bin; export LC_ALL=zh_CN.UTF-8"),
    "/usr/bin/fish": (".config/fish/config.fish", "echo noise; set -x PATH /usr/bin; set -x LANG fr_FR.UTF-8"),
    "/usr/bin/tcsh": (".tcshrc", 'echo noise; set a = "$<"; setenv PATH /usr/bin; alias ls "ls --color"'),
    "/bin/busybox": ("", ""),
}


@pytest.mark.parametrize("shell", draw(list(NOISE), 2, salt="shells"))
@pytest.mark.kind("login shell: sh, bash, zsh, fish, tcsh, busybox, with a start-up file that prints and asks", "works")
def test_no_login_shell_and_no_noise_reaches_a_parser(lab: Lab, shell: str) -> None:
    world = lab.world
    file, text = NOISE[shell]
    if shell == "/bin/busybox":
        world.sh("home", "ln -sf busybox /bin/ash; usermod -s /bin/ash root")
    else:
        world.sh("home", f"usermod -s {shell} root")
    if file:
        world.write("home", f"/root/{file}", f"{text}\n")
    lab.wgorch("plan", INVENTORY, code=2)
    lab.up()
    assert world.ping("home", "10.10.13.61")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    lab.wgorch("teardown", INVENTORY, "--yes")


def test_paramikos_own_login_works_as_well(lab: Lab, operator: str) -> None:
    """The quick login rests on private methods of paramiko, and can be turned off."""
    done = lab.wgorch("plan", operator, code=2, env={"WGORCH_PLAIN_LOGIN": "1", "WGORCH_SUDO_PASSWORD": PASSWORD})
    assert "+ interface wg0" in done.stdout


@pytest.mark.kind("another user, sudo without a password", "works")
def test_sudo_without_a_password(lab: Lab, operator: str) -> None:
    may(lab, "operator ALL=(root) NOPASSWD: /bin/sh, /usr/bin/sh")
    lab.wgorch("up", operator, "--yes")
    assert lab.world.ping("home", "10.10.13.61")
    # A password that nobody asks for is sent nowhere: sudo's own question is what it answers.
    assert "No changes." in lab.wgorch("up", operator, env={"WGORCH_SUDO_PASSWORD": PASSWORD}).stdout
    lab.wgorch("teardown", operator, "--yes")


@pytest.mark.kind(
    "another user, sudo with a password", "works", "--ask-sudo-password, WGORCH_SUDO_PASSWORD or a keyring"
)
def test_sudo_with_a_password(lab: Lab, operator: str) -> None:
    env = {"WGORCH_SUDO_PASSWORD": PASSWORD}
    refused = lab.wgorch("up", operator, "--yes", code=4)
    expected = r"home: cannot open a root shell: sudo asks for a password\n    hint: --ask-sudo-password"
    assert re.search(expected, refused.stderr)

    up = lab.wgorch("up", operator, "--yes", "-v", "-v", env=env)
    assert lab.world.ping("home", "10.10.13.61")
    told = up.stdout + up.stderr + lab.world.sh("controller", "cat /root/.local/state/wgorch/*.jsonl")
    assert PASSWORD not in told

    wrong = lab.wgorch("plan", operator, code=4, env={"WGORCH_SUDO_PASSWORD": "wrong"})
    assert "sudo rejected the password" in wrong.stderr

    # A ticket that sudo still remembers: it asks nothing, and the password becomes no command.
    may(lab, "Defaults:operator timestamp_type=global\noperator ALL=(root) ALL")
    lab.world.run("home", "su", "operator", "-c", "sudo -S true", input=f"{PASSWORD}\n")
    quiet = lab.wgorch("plan", operator, "-vv", env=env)
    assert "horse" not in quiet.stdout + quiet.stderr
    lab.wgorch("teardown", operator, "--yes", env=env)
    assert "horse" not in lab.world.sh("home", "cat /run/sshd.log; cat /proc/*/cmdline | tr '\\0' ' '", check=False)


def test_the_password_is_asked_for_once(lab: Lab, operator: str) -> None:
    code, shown = on_terminal(lab, "plan", operator, "--ask-sudo-password", answers={"sudo password": PASSWORD})
    assert 2 == code, shown
    assert 1 == shown.count("sudo password on the hosts:")
    assert "horse" not in shown
    nobody = lab.wgorch("plan", operator, "--ask-sudo-password", code=3)
    assert "WGORCH_SUDO_PASSWORD" in nobody.stderr


@pytest.mark.parametrize("password", ["", PASSWORD], ids=["without", "with"])
@pytest.mark.kind("sudo that wants a terminal (requiretty)", "works")
def test_a_sudo_that_wants_a_terminal_gets_one(lab: Lab, operator: str, password: str) -> None:
    may(lab, f"Defaults requiretty\nDefaults use_pty\noperator ALL=(root) {'' if password else 'NOPASSWD: '}ALL")
    env = {"WGORCH_SUDO_PASSWORD": password} if password else {}
    lab.wgorch("up", operator, "--yes", env=env)
    assert lab.world.ping("home", "10.10.13.61")
    assert "No changes." in lab.wgorch("plan", operator, env=env).stdout
    lab.wgorch("teardown", operator, "--yes", env=env)


@pytest.mark.kind(
    "another user, doas",
    "works with a limit",
    "with `nopass`; doas asks only on a terminal, so with a password it is refused",
)
def test_doas(lab: Lab, operator: str) -> None:
    may(lab, "")
    lab.world.write("home", "/etc/doas.conf", "permit nopass operator as root\n", "600")
    lab.wgorch("up", operator, "--yes")
    assert lab.world.ping("home", "10.10.13.61")
    lab.wgorch("teardown", operator, "--yes")


@pytest.mark.kind("no right to become root", "refused", "USER may not become root: …")
def test_who_has_no_right_is_told_so(lab: Lab, operator: str) -> None:
    may(lab, "")
    world = lab.world
    world.sh("home", "mv /usr/bin/sudo /usr/bin/sudo.away; mv /usr/bin/doas /usr/bin/doas.away")
    try:
        refused = lab.wgorch("up", operator, "--yes", code=4)
    finally:
        world.sh("home", "mv /usr/bin/sudo.away /usr/bin/sudo; mv /usr/bin/doas.away /usr/bin/doas")
    reason = "operator may not become root: neither sudo nor doas is installed"
    assert re.search(rf"home: cannot open a root shell: {reason}", refused.stderr)
    assert re.search(r"hint: log in as root, or allow this user", refused.stderr)


@pytest.mark.kind("root's login refused by sshd", "refused", "log in as root: … refused")
def test_a_refused_login_of_root_is_told(lab: Lab) -> None:
    world = lab.world
    world.stop_sshd("home")
    world.sh(
        "home",
        "cp /etc/ssh/world_sshd_config /root/kept; sed -i 's/^PermitRootLogin.*/PermitRootLogin no/' /etc/ssh/world_sshd_config",
    )
    world.start_sshd("home")
    try:
        refused = lab.wgorch("up", INVENTORY, "--yes", code=4)
    finally:
        world.stop_sshd("home")
        world.sh("home", "mv /root/kept /etc/ssh/world_sshd_config")
        world.start_sshd("home")
    assert re.search(r"home: cannot log in as root: 192\.168\.0\.9 refused: ", refused.stderr)


@pytest.mark.kind("dropbear instead of OpenSSH's sshd", "works")
def test_dropbear_lets_in_as_sshd_does(lab: Lab) -> None:
    world = lab.world
    world.sh(
        "home",
        "mkdir -p /run/dropbear; dropbearkey -t ed25519 -f /run/dropbear/key; "
        "dropbear -E -r /run/dropbear/key -p 2222 -P /run/dropbear/pid >/run/dropbear/log 2>&1",
    )
    world.sh("controller", "cp /root/.ssh/known_hosts /root/kept; ssh-keygen -q -t ed25519 -N '' -f /root/stranger")
    try:
        inventory = lab.edited((HOME, "    ssh: {host: 192.168.0.9, user: root, port: 2222}\n"))
        assert "unknown key ssh-ed25519" in lab.wgorch("plan", inventory, code=4).stderr
        lab.wgorch("trust", "home", inventory, "--yes")
        lab.wgorch("up", inventory, "--yes")
        assert world.ping("home", "10.10.13.61")
        assert "No changes." in lab.wgorch("plan", inventory).stdout
        lab.wgorch("teardown", inventory, "--yes")
        stranger = "    ssh: {host: 192.168.0.9, user: root, port: 2222, identity: /root/stranger}\n"
        refused = lab.wgorch("plan", lab.edited((HOME, stranger)), code=4)
        assert re.search(r"home: cannot log in as root: 192\.168\.0\.9 refused: /root/stranger", refused.stderr)
        # It takes none but one of RSA's signatures, and says so just before it says that one may log in.
        old = world.sh(
            "controller", "rm /root/stranger*; ssh-keygen -q -t rsa -N '' -f /root/stranger; cat /root/stranger.pub"
        )
        world.sh(
            "home", f"cp -p /root/.ssh/authorized_keys /root/kept; echo '{old.strip()}' >>/root/.ssh/authorized_keys"
        )
        lab.wgorch("plan", lab.edited((HOME, stranger)), code=2)
    finally:
        print(
            world.sh("home", "cat /run/dropbear/log; kill $(cat /run/dropbear/pid); rm -rf /run/dropbear", check=False)
        )
        world.sh("home", "[ ! -e /root/kept ] || mv /root/kept /root/.ssh/authorized_keys")
        world.sh("controller", "mv /root/kept /root/.ssh/known_hosts; rm -f /root/stranger*")


BOX = """set -e
ip netns add box
ip link add tobox type veth peer name eth0 netns box
ip address add 192.168.77.1/24 dev tobox; ip link set tobox up
ip -n box address add 192.168.77.2/24 dev eth0; ip -n box link set eth0 up; ip -n box link set lo up
ip -n box route add default via 192.168.77.1
echo 1 >/proc/sys/net/ipv4/ip_forward
iptables -t nat -A POSTROUTING -s 192.168.77.0/24 -j MASQUERADE
"""


@pytest.mark.kind(
    "a network namespace or container on a host (`enter:`)",
    "works",
    "by `ip netns exec`, `nsenter` or `docker exec -i`",
)
def test_a_host_inside_a_namespace_of_another_one(lab: Lab) -> None:
    world = lab.world
    world.sh("home", BOX)
    inside = "    ssh: root@192.168.0.9\n    enter: [ip, netns, exec, box]\n"
    try:
        inventory = lab.edited((HOME, inside))
        lab.wgorch("up", inventory, "--yes")
        assert "10.10.13.61" in world.sh("home", "ip netns exec box ping -n -c 1 -W 2 10.10.13.61")
        assert "wg0" not in world.sh("home", "ls /sys/class/net")
        assert "No changes." in lab.wgorch("plan", inventory).stdout
        lab.wgorch("teardown", inventory, "--yes")
        wrong = lab.edited((HOME, inside.replace("box]", "fox]")))
        refused = lab.wgorch("plan", wrong, code=4)
        assert re.search(r"home: cannot run ip netns exec fox: Cannot open network namespace", refused.stderr)
    finally:
        world.sh("home", "ip netns delete box; nft flush ruleset; echo 0 >/proc/sys/net/ipv4/ip_forward", check=False)


def test_no_ssh_child_with_a_terminal_outlives_a_killed_controller(lab: Lab, operator: str) -> None:
    lab.client = "openssh"
    may(lab, "Defaults requiretty\nDefaults use_pty\noperator ALL=(root) NOPASSWD: ALL")
    pattern = "(^|/)ssh -v.* -tt |wgorch-[^ ]*/reaper"
    # It cannot be confirmed before it is killed.
    slow = lab.with_run("sleep 5", "home")
    words = ("up", operator, "--yes", "--confirm-timeout", "10", "--playbooks", slow)

    def children() -> str:
        return lab.world.run("controller", "pgrep", "-af", pattern, check=False).stdout

    def lock() -> str:
        return lab.world.sh("home", "cat /var/lib/wgorch/office/lock 2>/dev/null || :")

    for host in HOSTS:  # left by a run that was killed before
        lab.world.sh(host, "rm -rf /var/lib/wgorch/office/lock")
    process = lab.spawn(*words)
    try:
        lab.wait(lock, 60, "a change")
        assert "-tt" in children()
    finally:
        lab.world.sh("controller", "pkill -KILL -f '[m] wgorch up' || :")
        process.wait(10)
    lab.wait(lambda: not children(), 5, lambda: f"children live on: {children()}")
    lab.wait(lambda: "wg0" not in lab.world.sh("home", "ip link"), 60, "home rolls back")
