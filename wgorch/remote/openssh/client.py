"""SSH sessions by children of OpenSSH's client: for what only ssh has."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wgorch.base.sh import Sh, sh
from wgorch.errors import Unreachable
from wgorch.remote.answers import Answers
from wgorch.remote.openssh.argv import argv, options_of, through_master
from wgorch.remote.openssh.askpass import Askpass
from wgorch.remote.openssh.log import failure, session_kex
from wgorch.remote.openssh.masters import Masters
from wgorch.remote.openssh.pins import pinned, read_host_key
from wgorch.remote.openssh.reaper import Reaper
from wgorch.remote.openssh.wire import SshWire
from wgorch.remote.ssh.failures import RETRIED, Failure, LoginFailed
from wgorch.remote.ssh.host_keys import HostKey, HostKeyRefused, verify
from wgorch.remote.ssh.known_hosts import load
from wgorch.remote.ssh.limits import LOGIN_ATTEMPTS, LOGIN_TIMEOUT_S, LOGINS_AT_ONCE, PERSON_S
from wgorch.remote.ssh.proxy import ProxySocket, proxy_argv
from wgorch.remote.ssh.route import SshRoute
from wgorch.remote.ssh.sockets import connect_tcp

MAX_SOCKET_PATH = 80
"""Bytes of a master's path before ssh's own suffix; the kernel takes 107."""


class OpenSshClient:
    """All ssh children of a run. `handshakes`: how many logins were made, those to jump hosts included."""

    def __init__(self, answers: Answers, *, light: Callable[[str], bool]) -> None:
        """`light`: for which hosts the post-quantum key exchange that costs 100 ms of CPU is left out."""
        self.handshakes = 0
        self._answers, self._light = answers, light
        self._heavy: set[SshRoute] = set()
        self._directory = _private_directory()
        self._reaper = Reaper(self._directory)
        self._askpass = Askpass(answers, self._directory)
        self._masters = Masters(self._directory, self._start_master)
        self._wires: list[SshWire] = []
        self._kex: dict[SshRoute, str] = {}
        self._host_keys: dict[SshRoute, HostKey] = {}
        self._gates: dict[str, threading.Semaphore] = {}
        self._guard = threading.Lock()

    def wire(self, host: str, route: SshRoute, command: Sh, *, tty: bool = False) -> SshWire:
        """A child whose login shell runs a command. Raises LoginFailed."""
        for attempt in range(LOGIN_ATTEMPTS):
            with self._gate(route):
                options = self._options(host, route)
                child = self._start(argv(route, options, "-tt" if tty else "-T", command=command))
                patience_s = PERSON_S if self._askpass.asks else LOGIN_TIMEOUT_S * 2
                try:
                    if child.wait_ready(patience_s):
                        self._kex[route] = session_kex(child.log)
                        return child
                    error = self._failure(host, route, child.log)
                except TimeoutError:
                    problem = f"{route}: no answer within {patience_s} s"
                    hint = "check that an SSH server listens there"
                    error = LoginFailed(Failure.NO_ANSWER, host, "log in", problem, hint)
                child.close()
            if attempt == LOGIN_ATTEMPTS - 1:
                raise error
            if error.failure is Failure.ALGORITHMS and self._is_light(host, route):
                self._heavy |= {*route.hops}
            elif error.failure in RETRIED:
                time.sleep(0.2 * 2**attempt)
            else:
                raise error
        raise AssertionError("the last attempt returns or raises")

    def kex(self, route: SshRoute) -> str:
        """The key exchange of a route's last session; empty where a live master has it."""
        return self._kex.get(route) or self._masters.kex(route)

    def open_socket(self, host: str, route: SshRoute, timeout_s: float) -> Any:
        """A connection to a route's SSH server, by which its banner can be read. Raises Unreachable."""
        if route.via:
            path = self._masters.socket(host, route.via)
            return ProxySocket(["/bin/sh", "-c", f"exec {through_master(path, f'[{route.host}]:{route.port}')}"])
        if route.proxy_command:
            return ProxySocket(proxy_argv(route.proxy_command))
        return connect_tcp(host, route.host, route.port, timeout_s)

    def scan(self, host: str, route: SshRoute) -> HostKey:
        """The key that a host presents, neither trusted nor used to log in. Raises Unreachable."""
        file = self._directory / f"scan{time.monotonic_ns()}"
        options = self._options(host, route, pins=False) | {
            "BatchMode": "yes",
            "UserKnownHostsFile": str(file),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "accept-new",
            "HashKnownHosts": "no",
            "PreferredAuthentications": "none",
            "ControlPath": "none",
        }
        child = self._start(argv(route, options, "-T", command=sh("true")))
        try:
            log = child.wait_end(LOGIN_TIMEOUT_S)
        except TimeoutError:
            log = child.log
        finally:
            child.close()
        key = read_host_key(file)
        if key is None:
            error = failure(host, route, log)
            raise Unreachable(host, "read its host key", error.problem, error.hint)
        return key

    def close(self) -> None:
        """End every child."""
        for wire in self._wires:
            wire.hang_up()
        for wire in self._wires:
            wire.close()
        self._wires.clear()
        self._askpass.close()
        self._reaper.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _failure(self, host: str, route: SshRoute, log: str) -> LoginFailed:
        error = failure(host, route, log)
        # Only the jump host's master learns why a connection behind it was not opened.
        if error.failure is Failure.DROPPED and route.via and (why := self._masters.last_refusal(route.via)):
            problem = f"{route.via} cannot open {route.host}:{route.port}: {why}"
            hint = "check AllowTcpForwarding on the jump host, and that the host is up"
            return LoginFailed(Failure.JUMP, host, "connect", problem, hint)
        return error

    def _start(self, words: list[str]) -> SshWire:
        child = SshWire(words, self._reaper, self._askpass.environment)
        with self._guard:
            self.handshakes += 1
            self._wires.append(child)
        return child

    def _start_master(self, host: str, route: SshRoute, path: str) -> SshWire:
        options = self._options(host, route) | {"ControlMaster": "yes", "ControlPath": path, "ControlPersist": "no"}
        return self._start(argv(route, options, "-N", "-T"))

    def _options(self, host: str, route: SshRoute, *, pins: bool = True) -> dict[str, str]:
        options = options_of(route, asks=self._askpass.asks, light=self._is_light(host, route))
        if not self._answers.allows_password and self._askpass.asks:
            options |= {"PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no"}
        if route.via:
            options["ProxyCommand"] = through_master(self._masters.socket(host, route.via))
        if pins and route.host_key is not None:
            options |= self._pin(host, route)
        return options

    def _is_light(self, host: str, route: SshRoute) -> bool:
        return self._light(host) and route not in self._heavy

    def _pin(self, host: str, route: SshRoute) -> dict[str, str]:
        """Options by which only the inventory's host key is accepted. Raises LoginFailed."""
        key = self._host_keys.get(route)
        if key is None:
            key = self.scan(host, route)
            try:
                verify(host, route, load(Path(path) for path in route.known_hosts_files), key)
            except HostKeyRefused as error:
                raise LoginFailed(error.failure, host, "verify host key", error.problem, error.hint) from None
            self._host_keys[route] = key
        return pinned(self._directory, key)

    def _gate(self, route: SshRoute) -> threading.Semaphore:
        first = route.hops[0]
        with self._guard:
            return self._gates.setdefault(f"{first.host}:{first.port}", threading.Semaphore(LOGINS_AT_ONCE))


def _private_directory() -> Path:
    """A directory that only this user can read; its path is short enough for a socket."""
    found = tempfile.mkdtemp(prefix="wgorch-")
    if len(os.fsencode(found)) > MAX_SOCKET_PATH:
        shutil.rmtree(found)
        found = tempfile.mkdtemp(prefix="wgorch-", dir="/tmp")
    return Path(found)
