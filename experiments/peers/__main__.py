"""Our search beside those of other programs, on one core of this machine.

    python -m experiments.peers                                        mctx + pgx and OpenSpiel, about five minutes
    python -m experiments.peers peers=[mctx] networks=[256x4] positions=[scattered] repetitions=25

`make peers` installs them into an environment of their own. Prints a table and writes peers.json; docs/peers.md
explains both.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import hydra
from omegaconf import DictConfig
from tqdm import tqdm

from experiments.command import one_line_errors, run_application, typed
from experiments.peers.compare import OURS, PEERS, Contest, Entrant, compare, started
from games.files import write_text
from training.settings import SettingsError


@dataclass
class Peers:
    """The settings of configs/peers.yaml."""

    size: int
    networks: list[str]
    rules: list[str]
    positions: list[str]
    peers: list[str]
    batch: int
    budget: int
    repetitions: int
    core: int | None
    python: str
    seed: int
    out: str

    def __post_init__(self):
        for name, low in {"size": 2, "batch": 1, "budget": 2, "repetitions": 1, "seed": 0}.items():
            if getattr(self, name) < low:
                raise SettingsError(f"{name}={getattr(self, name)} cannot be: expected at least {low}")
        choices = {"rules": ["gumbel", "puct"], "positions": ["start", "scattered"], "peers": list(PEERS)}
        for name, known in choices.items():
            for value in getattr(self, name):
                if value not in known:
                    raise SettingsError(f"{name}=[{value}] cannot be: known are {', '.join(known)}")
        if "mctx" in self.peers and self.size != 11:
            raise SettingsError(f"size={self.size} cannot be with mctx: pgx's Hex is 11x11; set peers=[openspiel]")
        if not Path(self.python).exists():
            raise SettingsError(f"python={self.python} is not there: `make peers` installs the other programs")

    def entrants(self) -> list[Entrant]:
        """Ours first, then the peers that have one of our rules to be measured against."""
        everyone = OURS + [entrant for peer in self.peers for entrant in PEERS[peer]]
        return [entrant for entrant in everyone if entrant.against in self.rules]

    def contests(self) -> list[Contest]:
        """One per network and kind of positions."""
        return [
            Contest(self.size, *width_and_depth(network), positions, self.batch, self.budget, self.seed)
            for network in self.networks
            for positions in self.positions
        ]


def width_and_depth(network: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", network)
    if not match:
        raise SettingsError(f"networks=[{network}] cannot be: expected width x depth, such as 256x4")
    return int(match[1]), int(match[2])


def core(chosen: int | None) -> int:
    """The core to pin to: the last that this process may use, since the first ones serve the system's interrupts."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    if chosen is not None and chosen not in allowed:
        raise SettingsError(f"core={chosen} cannot be: this process may use {', '.join(map(str, allowed))}")
    return allowed[-1] if chosen is None else chosen


COLUMNS = {
    "positions": "{positions}", "network": "{network}", "program": "{program}", "rule": "{rule}", "games": "{games}",
    "sims/s": "{simulations_per_s:,.0f}",
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


@one_line_errors
def command(config: DictConfig) -> Path:
    """The body of the command; returns the path of peers.json."""
    settings: Peers = typed(Peers, config)
    entrants, contests, pinned = settings.entrants(), settings.contests(), core(settings.core)
    path, rows = Path(settings.out) / "peers.json", []
    sides = {entrant.side for entrant in entrants}
    with started(settings.python, sides, pinned) as workers, tqdm(total=len(contests) * settings.repetitions) as bar:
        versions = {name: number for worker in workers.values() for name, number in worker.ask(do="versions").items()}
        about = {"date": datetime.now(UTC).isoformat("T", "seconds"), "core": pinned, "versions": versions}
        for contest in contests:
            bar.set_description(f"{contest.width}x{contest.depth} {contest.positions}")
            rows += compare(contest, entrants, workers, settings.repetitions, bar.update)
            write_text(path, json.dumps({**about, "rows": rows}, indent=1) + "\n")
    print(f"{table(rows)}\nwritten: {path}")
    return path


@hydra.main(version_base="1.3", config_path="../../configs", config_name="peers")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
