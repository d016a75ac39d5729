"""The frame around a reply: noise, split bytes, floods, silence and ends, over a fake wire."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import tty
from collections.abc import Callable, Iterator

import pytest

from wgorch.errors import Lost, Unfit
from wgorch.remote.local import LocalWire
from wgorch.remote.wire_shell import MAX_OUTPUT, WireShell


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


def shell_that(*parts: str | bytes | BaseException) -> WireShell:
    """A shell whose host sends these parts; {n} is the nonce."""

    def answer(nonce: str) -> Iterator[bytes | BaseException]:
        for part in parts:
            if isinstance(part, str):
                part = part.replace("{n}", nonce).encode()
            yield part

    return WireShell("home", FakeWire(answer))


GOOD = "\n{n} begin\nhello\n\n{n} end 0\n"


def test_what_the_program_printed_comes_back() -> None:
    assert "hello\n" == shell_that(GOOD).exchange("echo hello", "greet it")


def test_a_definition_is_sent_once_and_one_for_later_behind_the_program() -> None:
    wire = FakeWire(lambda nonce: iter([GOOD.replace("{n}", nonce).encode()]))
    shell = WireShell("home", wire)
    greeting, parting = {"greet": "greet() { echo hello; }"}, {"part": "word='it is; late'"}

    shell.exchange("greet", "greet it", requires=greeting, preload=parting)
    assert wire.sent[0].index("greet() {") < wire.sent[0].index(" begin")
    assert ["word='it is; late'\n"] == wire.sent[1:]

    shell.exchange("greet; echo $word", "greet it", requires={**greeting, **parting})
    assert "greet() {" not in wire.sent[2]
    assert "it is" not in wire.sent[2]


def test_what_is_defined_for_later_is_there_later_on_a_real_shell() -> None:
    wire = LocalWire("exec /bin/sh")
    shell = WireShell("home", wire)
    try:
        assert "one\n" == shell.exchange(
            "say one", "say it", requires={"say": 'say() {\necho "$1"\n}'}, preload={"w": "w=two"}
        )
        assert "two\n" == shell.exchange('say "$w"', "say it")
    finally:
        shell.close()


def test_a_fallback_gets_the_definitions_again() -> None:
    other = FakeWire(lambda nonce: iter([GOOD.replace("{n}", nonce).encode()]))
    first = FakeWire(lambda _nonce: iter([b""]))
    shell = WireShell("home", first, fallback=lambda: other)

    shell.exchange("greet", "greet it", requires={"greet": "greet() { echo hello; }"})
    assert "greet() {" in other.sent[0]


def test_nothing_printed_is_an_empty_answer() -> None:
    assert "" == shell_that("\n{n} begin\n\n{n} end 0\n").exchange(":", "do nothing")


@pytest.mark.parametrize(
    "noise", ["motd\n", "$ ", "\x1b[0m", "{n}\n", "{n} begins\n", "\nwgorch-000 begin\nx\n", "é" * 9999]
)
def test_noise_before_the_frame_is_ignored(noise: str) -> None:
    assert "hello\n" == shell_that(noise, GOOD).exchange("echo hello", "greet it")


def test_noise_behind_the_frame_is_dropped() -> None:
    shell = shell_that(GOOD + "left over")

    assert "hello\n" == shell.exchange("echo hello", "greet it")
    assert "hello\n" == shell.exchange("echo hello", "greet it")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 31])
def test_a_frame_in_pieces_is_the_same_frame(size: int) -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        data = ("motd\n" + GOOD.replace("{n}", nonce)).encode()
        yield from (data[i : i + size] for i in range(0, len(data), size))

    assert "hello\n" == WireShell("home", FakeWire(answer)).exchange("echo hello", "greet it")


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

    assert "\ufffd\ufffd" == WireShell("home", FakeWire(answer)).exchange("x", "greet it")


def test_events_are_reported_as_they_come_each_once() -> None:
    events: list[str] = []
    shell = shell_that("\n{n} begin\n@at 1\n@a", "t 2\n", "@at", " 3\n\n{n} end 0\n")

    shell.exchange("x", "change it", on_line=events.append, live=True)

    assert ["@at 1", "@at 2", "@at 3"] == [line for line in events if line]


def test_a_huge_answer_is_refused() -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        yield f"\n{nonce} begin\n".encode()
        while True:
            yield b"x" * (1 << 20)

    shell = WireShell("home", FakeWire(answer))
    with pytest.raises(Lost, match="larger than 4 MiB"):
        shell.exchange("x", "greet it")

    assert shell.broken


def test_huge_noise_before_the_frame_is_refused() -> None:
    def answer(_nonce: str) -> Iterator[bytes]:
        while True:
            yield b"x" * (1 << 20)

    with pytest.raises(Lost, match="larger than"):
        WireShell("home", FakeWire(answer)).exchange("x", "greet it")


def test_an_answer_of_just_the_limit_in_small_pieces_is_taken() -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        yield f"\n{nonce} begin\n".encode()
        for _ in range((MAX_OUTPUT - 200) // 65536):
            yield b"x\n" * 32768
        yield f"\n{nonce} end 0\n".encode()

    assert MAX_OUTPUT - 200 - 65536 < len(WireShell("home", FakeWire(answer)).exchange("x", "read it"))


def test_silence_is_lost_with_the_action_and_the_time() -> None:
    shell = shell_that("\n{n} begin\nhel", TimeoutError())
    with pytest.raises(Lost) as raised:
        shell.exchange("x", "greet it", 3)

    error = raised.value
    assert ("home", "greet it", "no answer within 3 s") == (error.host, error.action, error.problem)

    assert shell.broken


def test_a_host_that_only_trickles_is_late_too() -> None:
    def answer(nonce: str) -> Iterator[bytes]:
        yield f"\n{nonce} begin\n".encode()
        while True:
            yield b"."

    with pytest.raises(Lost, match=r"no answer within 0\.05 s"):
        WireShell("home", FakeWire(answer)).exchange("x", "greet it", 0.05)


def test_an_end_in_the_middle_is_lost() -> None:
    with pytest.raises(Lost, match="the session ended in the middle"):
        shell_that("\n{n} begin\nhel").exchange("x", "greet it")


def test_a_connection_that_breaks_is_lost() -> None:
    with pytest.raises(Lost, match="the connection broke: reset"):
        shell_that(ConnectionResetError("reset")).exchange("x", "greet it")


def test_a_refused_login_is_reported_in_the_host_s_words() -> None:
    with pytest.raises(Unfit, match="This account is currently not available") as raised:
        shell_that("This account is currently not available.\n").exchange("x", "greet it")

    assert "open a root shell" == raised.value.action


def test_a_broken_shell_is_not_used_again() -> None:
    shell = shell_that(TimeoutError())
    with pytest.raises(Lost):
        shell.exchange("x", "greet it")

    with pytest.raises(Lost, match="the session is already broken"):
        shell.exchange("x", "greet it")


def test_control_characters_of_a_host_are_made_visible() -> None:
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
        """The test closes it."""


@pytest.fixture(params=["/bin/sh", "dash", "bash --posix"])
def real_shell(request: pytest.FixtureRequest) -> Iterator[WireShell]:
    """A shell that is one, on this machine."""
    shell = WireShell("here", LocalWire(f"echo welcome; exec {request.param}"))
    yield shell
    shell.close()


@pytest.mark.parametrize("live", [False, True])
def test_a_program_reads_nothing_and_its_end_is_not_the_shell_s(real_shell: WireShell, live: bool) -> None:
    """Its variables and its directory end with it."""
    for _ in range(2):
        output = real_shell.exchange("cat; x=3; cd /; echo it; echo is >&2; exit 7; echo not", "look", live=live)
        assert "it\nis\n" == output
    assert "none\n" == real_shell.exchange('echo "${x-none}"', "look", live=live)
    assert "" == real_shell.exchange(":", "do nothing", live=live).strip()


@pytest.mark.parametrize("live", [False, True])
def test_a_pipe_within_a_program_is_not_its_standard_input(real_shell: WireShell, live: bool) -> None:
    """As paths are measured while facts are gathered."""
    both = 'tell() { echo way; }; ask() { IFS= read -r way <&3; echo "asked, $way"; cat; }'
    program = f"{both}; output=$(tell | ask 3<&0 </dev/null); wait; printf '%s\\n' \"$output\""
    assert "asked, way\n" == real_shell.exchange(program, "ask", live=live)


def test_only_a_live_reply_comes_in_pieces_and_both_have_the_same_text() -> None:
    wire = LocalWire("exec /bin/sh")
    shell = WireShell("here", wire)
    pieces: list[bytes] = []
    receive = wire.receive

    def watched(timeout_s: float) -> bytes:
        pieces.append(receive(timeout_s))
        return pieces[-1]

    wire.receive = watched  # type: ignore[method-assign]
    program = "for i in 1 2 3; do echo @at $i; sleep 0.05; done; case x in x) cat <<END; esac\nthat (is) all\nEND"
    events: dict[bool, list[str]] = {False: [], True: []}
    came: dict[bool, int] = {}
    try:
        for live in (False, True):
            pieces.clear()
            output = shell.exchange(program, "count", on_line=events[live].append, live=live)
            assert "@at 1\n@at 2\n@at 3\nthat (is) all\n" == output
            came[live] = len(pieces)
    finally:
        shell.close()

    assert events[False] == events[True] == ["@at 1", "@at 2", "@at 3"]
    assert 1 == came[False] < came[True]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("sh", ["dash", "bash", "bash --posix"])
def test_the_prompt_of_a_shell_on_a_terminal_is_not_output(sh: str, live: bool) -> None:
    """sudo may want a terminal; on one, a shell that reads programs prompts for each line of them."""
    parent, child = pty.openpty()
    tty.setraw(child)
    argv = [*sh.split(), *(["-i"] if "bash" in sh else [])]
    # Not its controlling terminal; a shell complains of that (no job control), on its standard error only.
    process = subprocess.Popen(argv, stdin=child, stdout=child, stderr=child, start_new_session=True)
    os.close(child)
    shell = WireShell("here", Terminal(parent))
    try:
        for i in range(4):
            output = shell.exchange(f"echo confirmed {i}\nprintf '%s\\n' \\\n  more", "confirm", 10, live=live)
            assert [f"confirmed {i}", "more"] == output.replace("\r", "").split("\n")[:2]
    finally:
        process.kill()
        process.wait()
        os.close(parent)


def test_a_background_process_does_not_hold_up_the_end_of_a_live_program(real_shell: WireShell) -> None:
    """As a service does that an installation has started."""
    output = real_shell.exchange("( sleep 5 & echo $! )", "start it", 4, live=True)
    real_shell.exchange(f"kill {output.strip()}", "end it")
