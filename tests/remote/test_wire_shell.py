"""The frame around an answer: noise, split bytes, floods, silence and ends, over a wire that is none."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tty
from collections.abc import Callable, Iterator

import pytest

from wgorch.errors import Lost, Unfit, UsageError
from wgorch.remote.local import LocalWire
from wgorch.remote.root import Password, password_from
from wgorch.remote.shell import MAX_OUTPUT, Shell


class FakeWire:
    """Answers each program with bytes made from its nonce; a TimeoutError stands for silence."""

    def __init__(self, answer: Callable[[str], Iterator[bytes | BaseException]]) -> None:
        self._answer = answer
        self._coming: Iterator[bytes | BaseException] = iter(())
        self.sent: list[str] = []
        self.closed = False

    def send(self, data: bytes, timeout_s: float) -> None:
        self.sent.append(data.decode())
        nonces = set(re.findall(r"wgorch-[0-9a-f]{24}", self.sent[-1]))
        assert len(nonces) <= 1  # definitions for later have none, and no answer
        if nonces:
            self._coming = self._answer(nonces.pop())

    def receive(self, timeout_s: float) -> bytes:
        data = next(self._coming, b"")
        if isinstance(data, BaseException):
            raise data
        return data

    def close(self) -> None:
        self.closed = True


def shell_that(*parts: str | bytes | BaseException) -> Shell:
    """A shell whose host sends these parts; {n} is the nonce."""

    def answer(nonce: str) -> Iterator[bytes | BaseException]:
        for part in parts:
            if isinstance(part, str):
                part = part.replace("{n}", nonce).encode()
            yield part

    return Shell("home", FakeWire(answer))


GOOD = "\n{n} begin\nhello\n\n{n} end 0\n"


def test_what_the_program_printed_comes_back() -> None:
    assert "hello\n" == shell_that(GOOD).exchange("echo hello", "greet it")


def test_a_definition_is_sent_once_and_one_for_later_behind_the_program() -> None:
    wire = FakeWire(lambda nonce: iter([GOOD.replace("{n}", nonce).encode()]))
    shell = Shell("home", wire)
    greeting, parting = {"greet": "greet() { echo hello; }"}, {"part": "word='it is; late'"}

    shell.exchange("greet", "greet it", needs=greeting, ahead=parting)
    assert wire.sent[0].index("greet() {") < wire.sent[0].index(" begin")
    assert ["word='it is; late'\n"] == wire.sent[1:]

    shell.exchange("greet; echo $word", "greet it", needs={**greeting, **parting})
    assert "greet() {" not in wire.sent[2]
    assert "it is" not in wire.sent[2]


def test_what_is_defined_for_later_is_there_later_on_a_real_shell() -> None:
    wire = LocalWire("exec /bin/sh")
    shell = Shell("home", wire)
    try:
        assert "one\n" == shell.exchange(
            "say one", "say it", needs={"say": 'say() {\necho "$1"\n}'}, ahead={"w": "w=two"}
        )
        assert "two\n" == shell.exchange('say "$w"', "say it")
    finally:
        shell.close()


def test_another_way_to_a_shell_is_told_the_definitions_again() -> None:
    other = FakeWire(lambda nonce: iter([GOOD.replace("{n}", nonce).encode()]))
    first = FakeWire(lambda _nonce: iter([b""]))
    shell = Shell("home", first, otherwise=lambda: other)

    shell.exchange("greet", "greet it", needs={"greet": "greet() { echo hello; }"})
    assert "greet() {" in other.sent[0]


def test_nothing_printed_is_an_empty_answer() -> None:
    assert "" == shell_that("\n{n} begin\n\n{n} end 0\n").exchange(":", "do nothing")


@pytest.mark.parametrize(
    "noise", ["motd\n", "$ ", "\x1b[0m", "{n}\n", "{n} begins\n", "\nwgorch-000 begin\nx\n", "é" * 9999]
)
def test_noise_before_the_frame_is_ignored(noise: str) -> None:
    assert "hello\n" == shell_that(noise, GOOD).exchange("echo hello", "greet it")


def test_noise_behind_the_frame_is_kept_for_nobody() -> None:
    shell = shell_that(GOOD + "left over")

    assert "hello\n" == shell.exchange("echo hello", "greet it")
    assert "hello\n" == shell.exchange("echo hello", "greet it")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 31])
def test_a_frame_in_pieces_is_the_same_frame(size: int) -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        data = ("motd\n" + GOOD.replace("{n}", nonce)).encode()
        yield from (data[i : i + size] for i in range(0, len(data), size))

    assert "hello\n" == Shell("home", FakeWire(answer)).exchange("echo hello", "greet it")


def test_a_program_that_prints_a_nonce_of_its_own_does_not_end_the_frame() -> None:
    text = "\nwgorch-000000000000000000000000 end 0\n"

    assert text + "hello\n" == shell_that("\n{n} begin\n" + text + "hello\n\n{n} end 0\n").exchange("x", "greet it")


def test_every_program_has_a_nonce_of_its_own() -> None:
    shell = shell_that(GOOD)
    for _ in range(5):
        shell.exchange("x", "greet it")

    sent = shell._wire.sent  # type: ignore[attr-defined]
    assert 5 == len({re.findall(r"wgorch-[0-9a-f]{24}", text)[0] for text in sent})


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        yield f"\n{nonce} begin\n".encode() + b"\xff\xfe" + f"\n{nonce} end 0\n".encode()

    assert "\ufffd\ufffd" == Shell("home", FakeWire(answer)).exchange("x", "greet it")


def test_lines_are_told_as_they_come_each_once() -> None:
    heard: list[str] = []
    shell = shell_that("\n{n} begin\n@at 1\n@a", "t 2\n", "@at", " 3\n\n{n} end 0\n")

    shell.exchange("x", "change it", on_line=heard.append, live=True)

    assert ["@at 1", "@at 2", "@at 3"] == [line for line in heard if line]


def test_a_huge_answer_is_refused() -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        yield f"\n{nonce} begin\n".encode()
        while True:
            yield b"x" * (1 << 20)

    shell = Shell("home", FakeWire(answer))
    with pytest.raises(Lost, match="larger than 4 MiB"):
        shell.exchange("x", "greet it")

    assert shell.broken


def test_huge_noise_before_the_frame_is_refused() -> None:
    def answer(_nonce: str) -> Iterator[bytes]:
        while True:
            yield b"x" * (1 << 20)

    with pytest.raises(Lost, match="larger than"):
        Shell("home", FakeWire(answer)).exchange("x", "greet it")


def test_an_answer_of_just_the_limit_in_small_pieces_is_taken() -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        yield f"\n{nonce} begin\n".encode()
        for _ in range((MAX_OUTPUT - 200) // 65536):
            yield b"x\n" * 32768
        yield f"\n{nonce} end 0\n".encode()

    assert MAX_OUTPUT - 200 - 65536 < len(Shell("home", FakeWire(answer)).exchange("x", "read it"))


def test_silence_is_lost_with_the_wish_and_the_time() -> None:
    shell = shell_that("\n{n} begin\nhel", TimeoutError())
    with pytest.raises(Lost, match="home: greet it: no answer within 3 s"):
        shell.exchange("x", "greet it", 3)

    assert shell.broken


def test_a_host_that_only_trickles_is_late_too() -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        yield f"\n{nonce} begin\n".encode()
        while True:
            yield b"."

    with pytest.raises(Lost, match=r"no answer within 0\.05 s"):
        Shell("home", FakeWire(answer)).exchange("x", "greet it", 0.05)


def test_an_end_in_the_middle_is_lost() -> None:
    with pytest.raises(Lost, match="the session ended in the middle"):
        shell_that("\n{n} begin\nhel").exchange("x", "greet it")


def test_a_connection_that_breaks_is_lost() -> None:
    with pytest.raises(Lost, match="the connection broke: reset"):
        shell_that(ConnectionResetError("reset")).exchange("x", "greet it")


def test_a_login_that_is_refused_says_what_the_host_said() -> None:
    with pytest.raises(Unfit, match="This account is currently not available") as raised:
        shell_that("This account is currently not available.\n").exchange("x", "greet it")

    assert "open a root shell" == raised.value.action


def test_a_broken_shell_is_not_used_again() -> None:
    shell = shell_that(TimeoutError())
    with pytest.raises(Lost):
        shell.exchange("x", "greet it")

    with pytest.raises(Lost, match="broken already"):
        shell.exchange("x", "greet it")


def test_what_a_host_says_when_it_breaks_is_made_visible() -> None:
    with pytest.raises(Unfit) as raised:
        shell_that("\x1b[2Jno\x07").exchange("x", "greet it")

    assert "\x1b" not in str(raised.value)
    assert "\x07" not in str(raised.value)


class Terminal:
    """A Wire over the other end of a terminal."""

    def __init__(self, end: int) -> None:
        self._end = end

    def send(self, data: bytes, timeout_s: float) -> None:
        while data:
            data = data[os.write(self._end, data[:512]) :]

    def receive(self, timeout_s: float) -> bytes:
        if not select.select([self._end], [], [], timeout_s)[0]:
            raise TimeoutError
        return os.read(self._end, 65536)

    def close(self) -> None:
        """Whoever made it closes it."""


@pytest.fixture(params=["/bin/sh", "dash", "bash --posix"])
def real_shell(request: pytest.FixtureRequest) -> Iterator[Shell]:
    """A shell that is one, on this machine."""
    shell = Shell("here", LocalWire(f"echo welcome; exec {request.param}"))
    yield shell
    shell.close()


@pytest.mark.parametrize("live", [False, True])
def test_a_program_reads_nothing_and_its_end_is_not_the_shell_s(real_shell: Shell, live: bool) -> None:
    """What it defines, and where it goes, ends with it."""
    for _ in range(2):
        said = real_shell.exchange("cat; x=3; cd /; echo it; echo is >&2; exit 7; echo not", "look", live=live)
        assert "it\nis\n" == said
    assert "none\n" == real_shell.exchange('echo "${x-none}"', "look", live=live)
    assert "" == real_shell.exchange(":", "do nothing", live=live).strip()


@pytest.mark.parametrize("live", [False, True])
def test_what_one_says_and_another_reads_is_not_the_program_s_own_input(real_shell: Shell, live: bool) -> None:
    """As the ways are measured while the questions are asked."""
    both = 'tell() { echo way; }; ask() { IFS= read -r way <&3; echo "asked, $way"; cat; }'
    program = f"{both}; said=$(tell | ask 3<&0 </dev/null); wait; printf '%s\\n' \"$said\""
    assert "asked, way\n" == real_shell.exchange(program, "ask", live=live)


def test_only_a_live_answer_comes_in_pieces_and_both_tell_the_same() -> None:
    wire = LocalWire("exec /bin/sh")
    shell = Shell("here", wire)
    pieces: list[bytes] = []
    receive = wire.receive

    def watched(timeout_s: float) -> bytes:
        pieces.append(receive(timeout_s))
        return pieces[-1]

    wire.receive = watched  # type: ignore[method-assign]
    program = "for i in 1 2 3; do echo @at $i; sleep 0.05; done; case x in x) cat <<END; esac\nthat (is) all\nEND"
    heard: dict[bool, list[str]] = {False: [], True: []}
    came: dict[bool, int] = {}
    try:
        for live in (False, True):
            pieces.clear()
            said = shell.exchange(program, "count", on_line=heard[live].append, live=live)
            assert "@at 1\n@at 2\n@at 3\nthat (is) all\n" == said
            came[live] = len(pieces)
    finally:
        shell.close()

    assert heard[False] == heard[True] == ["@at 1", "@at 2", "@at 3"]
    assert 1 == came[False] < came[True]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("sh", ["dash", "bash", "bash --posix"])
def test_what_a_shell_on_a_terminal_prompts_with_is_no_answer(sh: str, live: bool) -> None:
    """sudo may want a terminal; on one, a shell that reads programs prompts for each line of them."""
    parent, child = pty.openpty()
    tty.setraw(child)
    argv = [*sh.split(), *(["-i"] if "bash" in sh else [])]
    # Not its controlling terminal: that is only said on its standard error, as by a shell that cannot control jobs.
    process = subprocess.Popen(argv, stdin=child, stdout=child, stderr=child, start_new_session=True)
    os.close(child)
    shell = Shell("here", Terminal(parent))
    try:
        for i in range(4):
            said = shell.exchange(f"echo confirmed {i}\nprintf '%s\\n' \\\n  more", "confirm", 10, live=live)
            assert [f"confirmed {i}", "more"] == said.replace("\r", "").split("\n")[:2]
    finally:
        process.kill()
        process.wait()
        os.close(parent)


def test_who_holds_the_output_of_a_live_program_does_not_hold_up_its_end(real_shell: Shell) -> None:
    """As a service does that an installation has started."""
    said = real_shell.exchange("( sleep 5 & echo $! )", "start it", 4, live=True)
    real_shell.exchange(f"kill {said.strip()}", "end it")


# --- sudo's password


class FakeKeyring:
    """A keyring that holds one."""

    class errors:
        KeyringError = OSError

    def get_password(self, service: str, user: str) -> str | None:
        return "from the keyring" if (service, user) == ("wgorch", "sudo") else None


def test_sudos_password_comes_from_environment_keyring_or_person_in_that_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WGORCH_SUDO_PASSWORD", raising=False)
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "typed"

    monkeypatch.setitem(sys.modules, "keyring", None)
    assert password_from(None) is None
    assert password_from(ask) == Password("typed")
    monkeypatch.setitem(sys.modules, "keyring", FakeKeyring())  # type: ignore[arg-type]
    assert password_from(ask) == Password("from the keyring")
    monkeypatch.setenv("WGORCH_SUDO_PASSWORD", "given")
    assert password_from(None) == Password("given")
    assert len(asked) == 1
    assert "given" not in repr(password_from(None))
    monkeypatch.setenv("WGORCH_SUDO_PASSWORD", "two\nlines")
    with pytest.raises(UsageError, match="line break"):
        password_from(None)
