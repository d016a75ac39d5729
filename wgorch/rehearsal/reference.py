"""The reference world: the documents' machines with the documents' addresses, and documentation addresses outside.

controller 192.168.0.20 ─┐
      home 192.168.0.9  ─┴─ home LAN ─ home-router (NAT) ──┐
                                       198.51.100.34       │
                                                        internet ── bcc 203.0.113.13
                                       198.51.100.66       │
   company 10.10.13.62 ─┬─ company LAN ─ company-router ───┘
    target 10.10.13.61 ─┘               (NAT, SSH gateway)
"""

from __future__ import annotations

from wgorch.rehearsal.machine import Card, Machine
from wgorch.rehearsal.world import World

SERVICES = r"""
import socket, threading

def tcp():
    server = socket.create_server(("0.0.0.0", 7777))
    while True:
        client, peer = server.accept()
        threading.Thread(target=answer, args=(client, peer), daemon=True).start()

def answer(client, peer):
    with client:
        client.settimeout(20)
        try:
            asked = client.recv(4096)
            if asked.startswith(b"send "):
                client.sendall(b"x" * int(asked.split()[1]))
            else:
                client.sendall(peer[0].encode() + b" said " + asked)
        except OSError:
            pass

def udp():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 7777))
    while True:
        asked, peer = server.recvfrom(4096)
        server.sendto(peer[0].encode() + b" said " + asked, peer)

threading.Thread(target=udp, daemon=True).start()
tcp()
"""

ASK = r"""
import socket, sys
kind, address, port, text = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((address, port))
s.sendall(text.encode())
if text.startswith("send "):
    left = int(text.split()[1])
    while left > 0:
        data = s.recv(65536)
        if not data:
            sys.exit("ended early")
        left -= len(data)
    print("all")
else:
    print(s.recv(4096).decode())
"""


def machines(*, systemd: bool = True, hard_nat: bool = False) -> dict[str, Machine]:
    """The machines of the reference world."""
    found = [
        Machine(
            "internet",
            (
                Card("bcc", "net-bcc", ("203.0.113.1/24",)),
                Card("home", "net-home", ("198.51.100.33/27",)),
                Card("company", "net-company", ("198.51.100.65/27",)),
            ),
            forwards=True,
        ),
        Machine("bcc", (Card("eth0", "net-bcc", ("203.0.113.13/24",)),), ("203.0.113.1",), sshd=(), systemd=systemd),
        Machine(
            "home-router",
            (Card("wan", "net-home", ("198.51.100.34/27",)), Card("lan", "home-lan", ("192.168.0.1/24",))),
            ("198.51.100.33",),
            forwards=True,
            nat="wan",
            hard_nat=hard_nat,
        ),
        Machine("home", (Card("wlp2s0", "home-lan", ("192.168.0.9/24",)),), ("192.168.0.1",), sshd=(), systemd=systemd),
        Machine("controller", (Card("eth0", "home-lan", ("192.168.0.20/24",)),), ("192.168.0.1",)),
        Machine(
            "company-router",
            (Card("wan", "net-company", ("198.51.100.66/27",)), Card("lan", "company-lan", ("10.10.13.1/24",))),
            ("198.51.100.65",),
            forwards=True,
            nat="wan",
            hard_nat=hard_nat,
            tcp_in=(22,),
            sshd=(),
        ),
        Machine(
            "company", (Card("ens192", "company-lan", ("10.10.13.62/24",)),), ("10.10.13.1",), sshd=(), systemd=systemd
        ),
        Machine("target", (Card("ens192", "company-lan", ("10.10.13.61/24",)),), ("10.10.13.1",), sshd=()),
    ]
    return {machine.name: machine for machine in found}


SSH_NAMES = {
    "bcc": "203.0.113.13",
    "home": "192.168.0.9",
    "company": "10.10.13.62",
    "company-router": "198.51.100.66",
    "target": "10.10.13.61",
}


class ReferenceWorld(World):
    """The reference world, with target's services and the controller's SSH set up."""

    def __init__(self, name: str = "reference", *, systemd: bool = True, hard_nat: bool = False) -> None:
        super().__init__(name, machines(systemd=systemd, hard_nat=hard_nat))

    def up(self) -> World:
        super().up()
        try:
            self._services()
            self._controller()
        except BaseException:
            self.down()
            raise
        return self

    def _services(self) -> None:
        """What is there to be reached at target: an echo by TCP and UDP, and a resolver for the company's names."""
        self.write("target", "/root/services.py", SERVICES)
        self.sh("target", "setsid /usr/bin/python3 /root/services.py </dev/null >/run/services.log 2>&1 &")
        zone = "--no-resolv --no-hosts --no-daemon --user=root --port=53 --address=/intranet.example/10.10.13.61"
        self.sh("target", f"setsid dnsmasq {zone} </dev/null >/run/dnsmasq.log 2>&1 &")
        for machine in ("home", "controller"):
            self.write(machine, "/root/ask.py", ASK)

    def _controller(self) -> None:
        self.sh("controller", "rm -rf /root/.ssh /root/.local/state; mkdir -p -m 700 /root/.ssh")
        self.write("controller", "/root/.ssh/id_ed25519", self.controller_key(), "600")
        known = "".join(f"{address} {self.host_key(name)}\n" for name, address in SSH_NAMES.items())
        self.write("controller", "/root/.ssh/known_hosts", known, "600")

    def ask(self, machine: str, kind: str, address: str, port: int = 7777, text: str = "hello") -> str:
        """Ask target's echo by TCP or UDP from a machine; empty where no answer comes."""
        done = self.run(
            machine, "/usr/bin/python3", "/root/ask.py", kind, address, str(port), text, check=False, timeout=60
        )
        return done.stdout.strip()

    def ping(self, machine: str, address: str, *options: str, count: int = 1, wait: int = 2) -> bool:
        """True where a ping from a machine is answered."""
        argv = ("ping", "-n", "-c", str(count), "-i", "0.2", "-W", str(wait), *options, address)
        return self.run(machine, *argv, check=False, timeout=60).returncode == 0
