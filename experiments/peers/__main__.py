"""Our search beside those of other programs, on one core of this machine.

    python -m experiments.peers                                        mctx + pgx and OpenSpiel, about five minutes
    python -m experiments.peers peers=[mctx] networks=[256x4] positions=[scattered] repetitions=25

`make peers` installs them into an environment of their own. Prints a table and writes peers.json; docs/peers.md
explains both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import hydra
from omegaconf import DictConfig

from experiments.command import one_line_errors, run_application, typed
from experiments.peers.compare import OURS, PEERS, Contest, Entrant
from experiments.peers.contests import core, hold, table
from games.files import refuse_unwritable
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


@one_line_errors
def command(config: DictConfig) -> Path:
    """The body of the command; returns the path of peers.json."""
    settings: Peers = typed(Peers, config)
    path = Path(settings.out) / "peers.json"
    refuse_unwritable(path.parent)
    rows = hold(
        settings.contests(), settings.entrants(), settings.repetitions, settings.python, core(settings.core), path
    )
    print(f"{table(rows)}\nwritten: {path}")
    return path


@hydra.main(version_base="1.3", config_path="../../configs", config_name="peers")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
