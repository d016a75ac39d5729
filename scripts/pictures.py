"""Render the pictures of README and docs in the reference world; needs root."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from wgorch.rehearsal.reference import ReferenceWorld

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "docs" / "pictures"
INVENTORY = str(ROOT / "inventory" / "home-company.yaml")
COLUMNS = 110


def main() -> None:
    """Write docs/pictures."""
    PLACE.mkdir(exist_ok=True)
    with ReferenceWorld("pictures", systemd=True) as world:

        def wgorch(*words: str, code: int = 0) -> str:
            env = {"PYTHONPATH": str(ROOT), "COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "FORCE_COLOR": "1"}
            argv = (sys.executable, "-m", "wgorch", *words)
            done = world.run("controller", *argv, env=env, check=False)
            assert done.returncode == code, done.stdout + done.stderr
            return done.stdout

        up = wgorch("up", INVENTORY)
        world.ping("home", "10.10.13.61", count=3)
        screens = [
            ("wgorch up inventory.yaml", "…\n" + up[up.index("RTT (ms)") :]),
            ("wgorch status", wgorch("status", INVENTORY)),
            ("wgorch trace home 10.10.13.61", wgorch("trace", "home", "10.10.13.61", INVENTORY)),
        ]
        terminal("terminal", screens)
        for kind in ("svg", "html"):
            world.sh("controller", f"rm -f /root/map.{kind}")
            wgorch("map", INVENTORY, "-o", f"/root/map.{kind}")
            (PLACE / f"map.{kind}").write_text(world.sh("controller", f"cat /root/map.{kind}"))


def terminal(name: str, parts: list[tuple[str, str]]) -> None:
    """Render a terminal with commands and their output. `parts`: (command, output)."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for command, output in parts:
        console.print(Text.assemble(("$ ", "dim"), (command, "bold")))
        console.print(Text.from_ansi(output.rstrip()))
        console.print()
    (PLACE / f"{name}.svg").write_text(console.export_svg(title="wgorch"))


if __name__ == "__main__":
    main()
