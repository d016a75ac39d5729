"""What others write at the next start, as lines of files and mounts."""

from __future__ import annotations

import pytest

from wgorch.facts.next_start import DIRECTORY, Writer, read


def lines(*mounts: str) -> dict[str, list[str]]:
    return {"next-start": [f"/proc/mounts:{mount} rw,relatime 0 0" for mount in mounts]}


@pytest.mark.parametrize(
    "mounts",
    [
        ["tmpfs / tmpfs"],
        ["/dev/sda2 /var ext4", "tmpfs /var/lib tmpfs"],
        ["none /var/lib/wgorch/office tmpfs"],
        ["/dev/sda2 /var/lib ext4", "shm /var/lib tmpfs"],
        ["tmpfs /var/lib tmpfs", "/dev/sda2 /var ext4"],
    ],
)
def test_a_directory_on_a_tmpfs_is_forgotten(mounts: list[str]) -> None:
    assert read(lines(*mounts)) == (Writer(DIRECTORY, "tmpfs"),)


@pytest.mark.parametrize(
    "mounts",
    [
        [],
        ["tmpfs / tmpfs", "/dev/sda2 /var ext4"],
        ["tmpfs /var tmpfs", "/dev/sda2 /var/lib/wgorch ext4"],
        ["tmpfs /var/lib tmpfs", "overlay /var/lib overlay"],
        ["tmpfs /var/log tmpfs", "tmpfs /run tmpfs", "tmpfs /var/lib/wgorched tmpfs", "wg0 /srv nfs"],
    ],
)
def test_a_directory_on_a_disk_is_kept(mounts: list[str]) -> None:
    assert read(lines(*mounts)) == ()


def test_lines_of_others_stay_and_comments_go() -> None:
    said = ["/etc/sysctl.conf:net.ipv4.ip_forward=0", "/etc/sysctl.conf:# net.ipv4.ip_forward=0", "garbage"]
    assert read({"next-start": said}) == (Writer("/etc/sysctl.conf", "net.ipv4.ip_forward=0"),)
