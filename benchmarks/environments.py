"""Virtual environments of the other tools; one that is missing is created."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

ENVS = Path(os.environ.get("WGORCH_BENCH_ENVS", Path(__file__).resolve().parent / ".envs"))
NEEDS = {
    "ansible": ["ansible-core", "mitogen"],
    "pyinfra": ["pyinfra"],
    "wg-meshconf": ["wg-meshconf"],
    "plot": ["matplotlib"],
}


def environment(name: str) -> Path:
    """The directory of a tool's environment."""
    place = ENVS / name
    if not (place / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([place / "bin" / "pip", "install", "-q", *NEEDS[name]], check=True)
    return place


def versions() -> dict[str, str]:
    """The versions of everything that is compared, and of what it runs on."""
    import fabric
    import paramiko

    found = {"python": platform.python_version(), "kernel": platform.release(), "cpus": str(os.cpu_count())}
    found |= {"paramiko": paramiko.__version__, "fabric": fabric.__version__}
    found["openssh"] = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr.strip()
    for name, packages in NEEDS.items():
        for package in packages if (ENVS / name / "bin" / "python").exists() else ():
            code = f"import importlib.metadata as m; print(m.version('{package}'))"
            done = subprocess.run(
                [ENVS / name / "bin" / "python", "-c", code], capture_output=True, text=True, check=False
            )
            found[package] = done.stdout.strip()
    return found
