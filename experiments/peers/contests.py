"""Holding contests between programs, and telling how they went."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from experiments.peers.compare import Contest, Entrant, compare, started
from games.files import write_text
from training.settings import SettingsError

PYTHON = ".venv-peers/bin/python"  # where `make peers` installs the other programs


def hold(
    contests: Sequence[Contest], entrants: list[Entrant], repetitions: int, python: str, pinned: int, path: Path
) -> list[dict]:
    """The rows of all contests, on the core `pinned`; date, versions and what is measured so far stand in `path`."""
    rows: list[dict] = []
    sides = {entrant.side for entrant in entrants}
    with started(python, sides, pinned) as workers, tqdm(total=len(contests) * repetitions, unit="turn") as bar:
        versions = {name: number for worker in workers.values() for name, number in worker.ask(do="versions").items()}
        about = {"date": datetime.now(UTC).isoformat("T", "seconds"), "core": pinned, "versions": versions}
        for contest in contests:
            bar.set_description(f"{contest.width}x{contest.depth} {contest.positions}")
            rows += compare(contest, entrants, workers, repetitions, bar.update)
            write_text(path, json.dumps({**about, "rows": rows}, indent=1) + "\n")
    return rows


def core(chosen: int | None) -> int:
    """The core to pin to: the last that this process may use, since the first ones serve the system's interrupts."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    if chosen is not None and chosen not in allowed:
        raise SettingsError(f"core={chosen} cannot be: this process may use {', '.join(map(str, allowed))}")
    return allowed[-1] if chosen is None else chosen


COLUMNS = {
    "positions": "{positions}", "network": "{network}", "budget": "{budget}", "program": "{program}", "rule": "{rule}",
    "games": "{games}", "sims/s": "{simulations_per_s:,.0f}",
    "quartiles": "{simulations_per_s_spread[0]:,.0f}-{simulations_per_s_spread[1]:,.0f}",
    "ours are faster by": "{ratio:.3g} ({ratio_spread[0]:.3g}-{ratio_spread[1]:.3g})", "by CPU time": "{cpu_ratio:.3g}",
}  # fmt: skip


def table(rows: list[dict]) -> str:
    """The rows for the terminal."""
    filled = [{column: cell(text, row) for column, text in COLUMNS.items()} for row in rows]
    widths = {column: max(len(column), *(len(line[column]) for line in filled)) for column in COLUMNS}
    lines = [{column: column for column in COLUMNS}, *filled]
    return "\n".join("  ".join(line[column].rjust(width) for column, width in widths.items()) for line in lines)


def cell(text: str, row: dict) -> str:
    return "" if "ratio" in text and "ratio" not in row else text.format(**row)
