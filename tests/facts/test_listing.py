"""What lies in a network's directory: root runs programs from it, so only root may write there."""

from __future__ import annotations

import pytest

from wgorch.facts.listing import entry

PLACE = "/var/lib/wgorch/office"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (f"drwx------ 2 0 0 4096 Nov 22 22:53 {PLACE}", ""),
        ("drwxr-xr-x 2 0 0 4096 Nov 22 22:53 /var/lib/wgorch", ""),
        ("drwx------.   2 0        0             4096 Nov 22 22:53 /var/lib/wgorch", ""),
        (f"-rw------- 1 0 0 45 Nov 22 22:53 {PLACE}/private_key", ""),
        (f"-rw------- 1 0 0 45 Nov 22  2025 {PLACE}/psk.home.0a1b", ""),
        (f"drwxrwxrwx 2 0 0 4096 Nov 22 22:53 {PLACE}", "can be written by others (drwxrwxrwx)"),
        ("drwxrwx--- 2 0 0 4096 Nov 22 22:53 /var/lib/wgorch", "can be written by others (drwxrwx---)"),
        ("drwx------ 2 65534 0 4096 Nov 22 22:53 /var/lib/wgorch", "belongs to uid 65534, not to root"),
        (f"-rw-rw-r-- 1 0 0 45 Nov 22 22:53 {PLACE}/boot", "can be written by others (-rw-rw-r--)"),
        (f"lrwxrwxrwx 1 0 0 9 Nov 22 22:53 {PLACE}/boot -> /tmp/boot", "is a symbolic link, not a file"),
        (f"lrwxrwxrwx 1 0 0 9 Nov 22 22:53 {PLACE} -> /tmp/office", "is a symbolic link, not a directory"),
        (f"drwx------ 2 0 0 4096 Nov 22 22:53 {PLACE}/lock", "is a directory, not a file"),
        (f"prw------- 1 0 0 0 Nov 22 22:53 {PLACE}/pending", "is a FIFO, not a file"),
        (f"crw------- 1 0 0 1, 3 Nov 22 22:53 {PLACE}/outcome", "is a device, not a file"),
    ],
)
def test_only_what_root_alone_can_write_is_used(line: str, fault: str) -> None:
    found = entry(*line.split(" ", 1))

    assert found is not None
    assert fault == found.fault


@pytest.mark.parametrize(
    "line",
    [
        f"-rw-rw-rw- 1 1000 0 45 Nov 22 22:53 {PLACE}/notes.txt",
        f"lrwxrwxrwx 1 0 0 9 Nov 22 22:53 {PLACE}/resolv.before -> ../run/resolv.conf",
        "has private_key",
        "total 4",
        "drwx------",
    ],
)
def test_what_is_not_wgorch_s_is_left_out(line: str) -> None:
    word, _, rest = line.partition(" ")

    assert entry(word, rest) is None
