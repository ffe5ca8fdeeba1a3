"""Where a result comes from: commit, versions, machine, command, time."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from games.files import write_text


def write_provenance(path: Path, **more) -> None:
    """Write the record; what an earlier process of the same run noted about its start is kept."""
    earlier = json.loads(path.read_text()) if path.exists() else {}
    record = {"started": now(), **collect(), **earlier, **more, "updated": now()}
    write_text(path, json.dumps(record, indent=1))


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def collect() -> dict:
    """Commit, versions and machine of this process."""
    return {
        "commit": commit(),
        "command": [*program(Path(sys.argv[0])), *sys.argv[1:]],
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("torch", "numpy", "numba", "hydra-core")},
        "machine": {"system": platform.system(), "processor": processor(), "cores": os.cpu_count()},
    }


def program(path: Path) -> list[str]:
    """How the program at `path` is called: python -m experiments.train."""
    return ["python", "-m", f"{path.parent.name}.{path.stem}"] if path.suffix == ".py" else [path.name]


def commit() -> str | None:
    """The commit of this source tree, with `+` behind it where files differ from it; None outside git."""
    here = Path(__file__).parent

    def git(*arguments):
        return subprocess.run(["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True).stdout

    try:
        return git("rev-parse", "HEAD").strip() + ("+" if git("status", "--porcelain").strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def processor() -> str:
    """The processor's model where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
