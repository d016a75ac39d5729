"""Start-up: systemd, OpenRC, runit or cron starts the boot script, and follows the peers."""

from __future__ import annotations

from dataclasses import replace

from tests.steps.table import BASE, make


def test_the_unit_is_written_enabled_and_taken_away() -> None:
    base = replace(BASE, starter="systemd")
    up = make("persist", replace(base, units={"systemd": "d"}), base)
    down = make("persist", base, replace(base, units={"systemd": "d"}))

    assert ["write_file", "systemctl", "systemctl"] == [line.split()[0] for line in up[0][1]]
    assert [] == make("persist", replace(base, units={"systemd": "d"}), replace(base, units={"systemd": "d"}))
    assert "rm -f /etc/systemd/system/wgorch-office.service" in down[0][1]


def test_where_cron_runs_alone_it_starts_the_network_and_looks_after_peers() -> None:
    base = replace(BASE, starter="cron")
    up = make("persist", replace(base, units={"cron": "d"}, watch="w", watch_text="#!/bin/sh"), base)
    down = make("persist", base, replace(base, units={"cron": "d"}, watch="w"))

    assert up[0][1][0].startswith("write_file /etc/cron.d/wgorch-office 644\n")
    assert "@reboot root /bin/sh /var/lib/wgorch/office/boot" in up[0][1][0]
    assert up[1][1] == ["write_file /var/lib/wgorch/office/watch 600\n#!/bin/sh"]
    assert [commands for _, commands in down] == [
        ["rm -f /etc/cron.d/wgorch-office"],
        ["rm -f /var/lib/wgorch/office/watch"],
    ]


def test_another_starter_takes_over_and_one_that_does_not_run_is_no_trouble() -> None:
    cron, openrc = replace(BASE, units={"cron": "c"}), replace(BASE, starter="openrc", units={"openrc": "o"})
    changes = make("persist", openrc, cron)

    assert ["+", "-"] == [sign for sign, _ in changes]
    assert "rc-update --quiet add wgorch-office default" in changes[0][1]
    assert ["rm -f /etc/cron.d/wgorch-office"] == changes[1][1]
    assert [("-", ["rm -f /etc/cron.d/wgorch-office"])] == make("persist", BASE, cron)
