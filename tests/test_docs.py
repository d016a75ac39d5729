"""What is generated is fresh, and what README and quick start tell people to type exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.lab import faults, kinds, ssh_failures
from wgorch.cli import reference
from wgorch.cli.parser import build_parser
from wgorch.cli.verbs import NAMES
from wgorch.inventory.load import loads
from wgorch.inventory.reference import markdown
from wgorch.plan import reference as step_reference

ROOT = Path(__file__).resolve().parents[1]


def test_the_inventory_reference_is_fresh() -> None:
    assert markdown() == (ROOT / "docs" / "inventory.md").read_text()


def test_the_table_of_faults_is_fresh() -> None:
    assert faults.page() == faults.PAGE.read_text()


def test_the_table_of_failing_logins_is_fresh() -> None:
    assert ssh_failures.page() == ssh_failures.PAGE.read_text()


def test_the_references_of_verbs_and_steps_are_fresh() -> None:
    assert reference.markdown() == (ROOT / "docs" / "cli.md").read_text()
    assert step_reference.markdown() == (ROOT / "docs" / "steps.md").read_text()


def test_the_table_of_hosts_is_fresh() -> None:
    assert kinds.page() == kinds.PAGE.read_text()


def test_every_command_in_readme_and_docs_parses() -> None:
    parser = build_parser()
    found = 0
    for page in (ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))):
        for line in re.findall(r"(?:^ +|`)wgorch ([a-z-]+(?: [^`#\n]*?)?)(?:`| {2,}|$)", page.read_text(), re.M):
            words = shlex.split(line) if line.count('"') % 2 == 0 else line.split()
            if words[0] not in NAMES:
                continue
            words = [{"HOST": "home", "ADDRESS": "10.10.13.61"}.get(word, word) for word in words if word != "…"]
            if words not in (["trust"], ["trace"], ["adopt"], ["map"]):  # a verb that is only spoken of
                parser.parse(words)
            found += 1

    assert found > 10


def test_the_inventory_in_the_readme_is_good() -> None:
    text = (ROOT / "README.md").read_text()
    block = text.split("`wgorch adopt`:\n\n")[1].split("\n3. ")[0]
    inventory = loads("\n".join(line[7:] for line in block.split("\n")))

    assert ["bcc", "home", "company"] == list(inventory.hosts)


def test_the_site_builds_and_none_of_its_links_is_dead(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "hosts" / "index.html").exists()


def test_links_in_docs_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert link.startswith("http") or (page.parent / link).exists(), f"{page.name}: {link}"
