"""Build, enter and take down a world of namespaces; nothing of it is in the machine's own network.

Every machine is one set of namespaces. All cables end in the namespace `wires`, where each segment is a bridge; no
segment leads out of the world, and what is public in it has documentation addresses.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from pyroute2 import NetNS

from wgorch.rehearsal.cleanup import kill, start_time, sweep
from wgorch.rehearsal.machine import PLACE, Machine, WorldError

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "USER": "root",
    "LOGNAME": "root",
}


@dataclass
class World:
    """A world that is up. Machines are entered by name."""

    name: str
    machines: Mapping[str, Machine]
    pids: dict[str, int] = field(default_factory=dict)
    _parents: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> Path:
        return PLACE / self.name

    # --- using it

    def argv(self, machine: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs a command as a machine."""
        target = ["nsenter", "-t", str(self.pids[machine]), "-m", "-n", "-u", "-i", "-p", "-C", "--wd=/", "--"]
        return [*target, *argv]

    def run(
        self,
        machine: str,
        *argv: str,
        check: bool = True,
        timeout: float = 60,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as a machine, root, and return what it printed."""
        done = subprocess.run(
            self.argv(machine, argv),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**ENVIRONMENT, **(env or {})},
            check=False,
        )
        if check and done.returncode:
            raise WorldError(
                f"{machine}: {' '.join(argv)}: exit {done.returncode}: {done.stderr.strip() or done.stdout}"
            )
        return done

    def sh(self, machine: str, script: str, *, check: bool = True, timeout: float = 60) -> str:
        """Run a sh script as a machine and return its output."""
        return self.run(machine, "sh", "-c", script, check=check, timeout=timeout).stdout

    def spawn(self, machine: str, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command as a machine; the caller ends it."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.STDOUT)
        env = {**ENVIRONMENT, **options.pop("env", {})}
        return subprocess.Popen(self.argv(machine, argv), text=True, env=env, **options)

    def write(self, machine: str, path: str, text: str, mode: str = "644") -> None:
        """Put a file on a machine."""
        script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"'
        self.run(machine, "sh", "-c", script, "sh", path, mode, input=text)

    def netlink(self, machine: str) -> NetNS:
        """pyroute2 inside a machine; close it after use."""
        return NetNS(f"/proc/{self.pids[machine]}/ns/net")

    # --- building it

    def up(self) -> World:
        """Build all machines, cables and routes."""
        sweep(self.name)
        self.place.mkdir(parents=True)
        try:
            for name in ("wires", *self.machines):
                self._spawn(name)
            for name in ("wires", *self.machines):
                self._find_pid(name)
            self._plug(self.machines)
            self._public_key = _make_key(self.place / "controller_key")
            for machine in self.machines.values():
                self._settle(machine)
            for machine in self.machines.values():
                self._ready(machine)
        except BaseException:
            self.down()
            raise
        return self

    def _spawn(self, name: str) -> None:
        machine = self.machines.get(name)
        init = "systemd" if machine and machine.systemd else "none"
        disk = self.place / "disks" / name
        for part in ("dev", "cgroup"):
            (disk / part).mkdir(parents=True, exist_ok=True)
        script = str(resources.files("wgorch.rehearsal") / "node.sh")
        log = (self.place / f"{name}.log").open("ab")
        self._parents[name] = subprocess.Popen(
            ["unshare", "--mount", "sh", script, "outer", str(disk), name, init, f"wgorch-{self.name}-{name}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=ENVIRONMENT,
        )
        log.close()
        self._record()

    def _find_pid(self, name: str) -> None:
        parent = self._parents[name]
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if parent.poll() is not None:
                break
            children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
            if children and self._is_init(int(children[0])):
                self.pids[name] = int(children[0])
                self._record()
                return
            time.sleep(0.005)
        raise WorldError(f"{name} did not start: {(self.place / f'{name}.log').read_text(errors='replace')[-500:]}")

    @staticmethod
    def _is_init(pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return words[0].endswith(b"systemd") or b"wgorch-world" in words

    def _record(self) -> None:
        pids = {n: [p.pid, start_time(p.pid)] for n, p in self._parents.items()}
        pids |= {f"{n}/1": [p, start_time(p)] for n, p in self.pids.items()}
        (self.place / "world.json").write_text(json.dumps({"pids": pids, "init": self.pids}))

    def _plug(self, machines: Mapping[str, Machine]) -> None:
        with contextlib.closing(self.netlink("wires")) as wires:
            known = {link.get("ifname") for link in wires.get_links()}
            for machine in machines.values():
                with contextlib.closing(self.netlink(machine.name)) as inside:
                    for card in machine.cards:
                        bridge = _short(card.segment)
                        if bridge not in known:
                            wires.link("add", ifname=bridge, kind="bridge")
                            wires.link("set", index=wires.link_lookup(ifname=bridge)[0], state="up", mtu=card.mtu)
                            known.add(bridge)
                        plug = _short(f"{machine.name}.{card.name}")
                        peer = {"ifname": card.name, "net_ns_pid": self.pids[machine.name], "address": _mac(plug)}
                        wires.link("add", ifname=plug, kind="veth", peer=peer, mtu=card.mtu)
                        index = wires.link_lookup(ifname=plug)[0]
                        wires.link("set", index=index, master=wires.link_lookup(ifname=bridge)[0], state="up")
                        here = inside.link_lookup(ifname=card.name)[0]
                        inside.link("set", index=here, state="up", mtu=card.mtu)
                        for address in card.addresses:
                            ip, _, prefix = address.partition("/")
                            inside.addr("add", index=here, address=ip, prefixlen=int(prefix))
                    for subnet, via in machine.routes:
                        inside.route("add", dst=subnet, gateway=via)
                    for gateway in machine.gateways:
                        family = socket.AF_INET6 if ":" in gateway else socket.AF_INET
                        inside.route("add", dst="default", gateway=gateway, family=family)

    def _settle(self, machine: Machine) -> None:
        """What a machine is besides its cards: routing, NAT, sshd, trust in the controller's key."""
        name = machine.name
        script = [self._trust_script()] if machine.sshd is not None else []
        if machine.forwards:
            script.append("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
        if machine.nat:
            random = " --random-fully" if machine.hard_nat else ""
            accept = "".join(f"-A INPUT -i {machine.nat} -p tcp --dport {p} -j ACCEPT\n" for p in machine.tcp_in)
            handed = "".join(
                f"-A PREROUTING -i {machine.nat} -p {protocol} --dport {port} -j DNAT --to-destination {inside}\n"
                for protocol, port, inside in machine.handed_in
            )
            through = f"-A FORWARD -i {machine.nat} -m conntrack --ctstate DNAT -j ACCEPT\n" if handed else ""
            script.append(
                "iptables-restore <<'END'\n"
                f"*nat\n{handed}-A POSTROUTING -o {machine.nat} -j MASQUERADE{random}\nCOMMIT\n"
                "*filter\n"
                f"-A INPUT -i {machine.nat} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n{accept}"
                f"-A INPUT -i {machine.nat} -j DROP\n"
                f"-A FORWARD -i {machine.nat} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n{through}"
                f"-A FORWARD -i {machine.nat} -j DROP\nCOMMIT\nEND"
            )
            script.append(
                "ip6tables-restore <<'END'\n*filter\n"
                f"-A FORWARD -i {machine.nat} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
                f"-A FORWARD -i {machine.nat} -j DROP\nCOMMIT\nEND"
            )
        if machine.sshd is not None:
            script.append(_sshd_script(machine.sshd))
        if script:
            self.sh(name, "set -e\n" + "\n".join(script))

    def _trust_script(self) -> str:
        key = self._public_key
        return f"rm -rf /root/.ssh; mkdir -p -m 700 /root/.ssh; echo '{key}' >/root/.ssh/authorized_keys"

    def add_user(self, machine: str, user: str, rights: str = "NOPASSWD: ALL", password: str = "*") -> None:
        """A user whom the controller's key lets in. `rights`: what sudo lets him do; `password`: its hash, as in shadow."""
        home = f"/home/{user}"
        # The hash of a password that fits nothing is not empty: sshd without PAM takes such an account for locked.
        may = (
            f"printf '%s ALL=(root) %s\\n' {user} '{rights}' >/etc/sudoers.d/{user} && chmod 440 /etc/sudoers.d/{user}"
        )
        self.sh(
            machine,
            f"useradd -M -N -g nogroup -d {home} -s /bin/sh -p '{password}' {user} && install -d -m 700 -o {user} {home} {home}/.ssh && "
            f"install -m 600 -o {user} /root/.ssh/authorized_keys {home}/.ssh/ && {may if rights else ':'}",
        )

    def start_sshd(self, machine: str) -> None:
        """Start a machine's sshd (again)."""
        self.sh(machine, "mkdir -p /run/sshd; /usr/sbin/sshd -f /etc/ssh/world_sshd_config -E /run/sshd.log")

    def stop_sshd(self, machine: str) -> None:
        """End a machine's sshd, not its sessions."""
        self.sh(machine, "kill $(cat /run/world-sshd.pid)", check=False)

    def _ready(self, machine: Machine) -> None:
        if not machine.systemd:
            return
        end = time.monotonic() + 20
        state = ""
        while time.monotonic() < end:
            state = self.run(machine.name, "systemctl", "is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                return
            time.sleep(0.05)
        raise WorldError(f"{machine.name}: systemd is {state!r} after 20 s")

    def host_key(self, machine: str) -> str:
        """The public SSH host key of a machine, without its comment."""
        return " ".join(self.run(machine, "cat", "/etc/ssh/world_host_key.pub").stdout.split()[:2])

    def controller_key(self) -> str:
        """The private key that every machine's root accepts."""
        return (self.place / "controller_key").read_text()

    # --- faults and ends

    def reboot(self, name: str) -> None:
        """Cut a machine's power and start it again: all that runs is gone, its disk stays."""
        self.power_off(name)
        self.power_on(name)

    def power_off(self, name: str) -> None:
        """Cut a machine's power."""
        parent = self._parents[name]
        kill(self.pids.pop(name), None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            parent.wait(5)
        kill(parent.pid, None)
        parent.wait(5)
        self._record()

    def power_on(self, name: str) -> None:
        """Start a machine that is off."""
        with contextlib.closing(self.netlink("wires")) as wires:
            end = time.monotonic() + 5
            while time.monotonic() < end and any(
                wires.link_lookup(ifname=_short(f"{name}.{card.name}")) for card in self.machines[name].cards
            ):
                time.sleep(0.01)  # the kernel ends a network namespace after its last process
        machine = self.machines[name]
        self._spawn(name)
        self._find_pid(name)
        self._plug({name: machine})
        if machine.forwards or machine.nat:
            self._settle(machine)
        elif machine.sshd is not None:
            self.start_sshd(name)
        self._ready(machine)

    def down(self) -> None:
        """End the world; nothing of it stays."""
        for name in list(self.pids):
            kill(self.pids.pop(name), None)
        for parent in self._parents.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                parent.wait(5)
            kill(parent.pid, None)
            parent.wait(5)
        self._parents.clear()
        sweep(self.name)

    def __enter__(self) -> World:
        return self.up()

    def __exit__(self, *_: object) -> None:
        self.down()


def attach(name: str, machines: Mapping[str, Machine]) -> World:
    """A world that another process built and left up."""
    try:
        told = json.loads((PLACE / name / "world.json").read_text())
    except OSError:
        raise WorldError(f"there is no world {name}; build it first") from None
    return World(name, machines, pids=dict(told["init"]))


def _short(name: str) -> str:
    """A device name: at most 15 characters, and still its own."""
    if re.fullmatch(r"[a-zA-Z0-9.-]{1,15}", name):
        return name
    return f"{re.sub('[^a-zA-Z0-9-]', '', name)[:9]}{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _mac(name: str) -> str:
    """A card keeps its address over reboots, as a real one does; its neighbours remember it."""
    return "02:" + ":".join(f"{byte:02x}" for byte in hashlib.sha256(name.encode()).digest()[:5])


def _make_key(path: Path) -> str:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "controller", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path.with_suffix(".pub").read_text().strip() if path.suffix else Path(f"{path}.pub").read_text().strip()


def _sshd_script(options: Iterable[str]) -> str:
    config = [
        "HostKey /etc/ssh/world_host_key",
        "PidFile /run/world-sshd.pid",
        "UsePAM no",
        "PasswordAuthentication no",
        "PermitRootLogin prohibit-password",
        "PrintMotd no",
        "Subsystem sftp internal-sftp",
        *options,
    ]
    lines = "\n".join(config)
    return (
        "mkdir -p /run/sshd\n"
        "[ -e /etc/ssh/world_host_key ] || ssh-keygen -q -t ed25519 -N '' -C world -f /etc/ssh/world_host_key\n"
        f"cat >/etc/ssh/world_sshd_config <<'END'\n{lines}\nEND\n"
        "/usr/sbin/sshd -f /etc/ssh/world_sshd_config -E /run/sshd.log"
    )
