"""Made-up studies whose true exchange rate is known: the check of everything between matches and report.

    python -m experiments.synthetic --out DIR              write one study (agents.csv, matches.csv)
    python -m experiments.synthetic --replications 50      how often the interval of the exchange rate covers the truth

An agent's strength is a rising plane in log10 train and log10 test FLOPs, less a penalty for a network that is too
small or too large for its compute, plus luck of its run, between a floor and perfect play. The best network pays no
penalty, so that the envelope over networks is the plane, and the exchange rate is train_slope / test_slope. Games are
drawn from a Bradley-Terry model in which moving first is worth something, more in some openings than in others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments import analysis, collect, ratings, records
from experiments.bradley_terry import ELO
from experiments.command import one_line_errors

LETTERS = np.array(list("ldw"))


@dataclass(frozen=True)
class Truth:
    """What is planted; slopes in Elo per decade, levels in Elo relative to perfect play."""

    sizes: tuple[int, ...] = (3, 4, 5)
    widths: tuple[int, ...] = (4, 8, 16, 32, 64, 128)
    seeds: int = 1
    snapshots: int = 7
    budgets: tuple[int, ...] = (1, 4, 16, 64, 128)
    train_slope: float = 200.0
    test_slope: float = 140.0
    size_slope: float = -330.0
    level: float = -50.0  # of the best network at size 5, 10^11 train and 10^7 test FLOPs
    floor: float = -1150.0  # at size 5
    floor_slope: float = -200.0
    too_small: float = 60.0  # Elo per squared decade of forward FLOPs away from the best network
    run_luck: float = 30.0  # Elo, standard deviation between runs of one recipe
    first_move: float = 80.0
    opening_spread: float = 80.0
    openings: int = 16
    opponents: int = 10

    @property
    def exchange_rate(self) -> float:
        return self.train_slope / self.test_slope

    def surface(self, size, train, test):
        """Elo of the best network for log10 train and log10 test FLOPs."""
        plane = (
            self.train_slope * (train - 11) + self.test_slope * (test - 7) + self.size_slope * (size - 5) + self.level
        )
        return np.minimum(np.maximum(plane, self.floor + self.floor_slope * (size - 5)), 0.0)


def agents(truth: Truth, rng: np.random.Generator) -> list[dict]:
    """Rows of agents.csv with one column more, `true_elo`."""
    rows = []
    for size in truth.sizes:
        for width in truth.widths:
            for seed in range(truth.seeds):
                rows += _run(truth, size, width, seed, rng.normal(0, truth.run_luck))
        rows.append({"agent": f"perfect-{size}", "game": "hex", "size": size, "strategy": "perfect", "anchor": 1,
                     "true_elo": 0.0, "optimality": 1.0})  # fmt: skip
    return rows


def _run(truth: Truth, size: int, width: int, seed: int, luck: float) -> list[dict]:
    forward = 2.0 * (2 * size**2 * width + 2 * width**2 + width * (size**2 + 1))
    rows = []
    for number, train in enumerate(np.linspace(8, 11, truth.snapshots)):
        for budget in truth.budgets:
            evaluations = budget**0.97
            test = np.log10(forward * evaluations)
            best = 3.0 + 0.15 * (train - 8) + 0.35 * (test - 3)  # log10 forward FLOPs of the best network
            penalty = truth.too_small * (np.log10(forward) - best) ** 2
            plane = truth.train_slope * (train - 11) + truth.test_slope * (test - 7)
            level = plane + truth.size_slope * (size - 5) + truth.level - penalty + luck
            elo = float(np.clip(level, truth.floor + truth.floor_slope * (size - 5), 0))
            run = f"hex{size}-w{width}-s{seed}"
            rows.append({
                "agent": f"{run}-{number}-b{budget}", "game": "hex", "size": size, "run": run, "seed": seed,
                "snapshot": number, "network": "fc", "width": width, "depth": 2, "params": int(forward / 2),
                "forward_flops": forward, "strategy": "puct", "budget": budget, "evaluations": evaluations,
                "train_flops": 10**train, "selfplay_flops": 0.7 * 10**train, "learner_flops": 0.3 * 10**train,
                "test_flops_per_move": forward * evaluations, "anchor": 0, "true_elo": elo,
                "optimality": 1 - 0.3 * (1 - np.exp(elo / 400)), "optimality_positions": 500,
            })  # fmt: skip
    return rows


def matches(truth: Truth, players: list[dict], rng: np.random.Generator) -> list[dict]:
    """Rows of matches.csv: each agent against near, far and perfect opponents, each opening with both colours."""
    rows = []
    for size in truth.sizes:
        pool = [player for player in players if player["size"] == size]
        pool.sort(key=lambda player: player["true_elo"] + rng.normal(0, 60))
        worth = rng.normal(truth.first_move, truth.opening_spread, truth.openings)
        for a, b in sorted(_pairs(len(pool), truth.opponents, rng)):
            rows.append(_match(pool[a], pool[b], worth, rng))
    return rows


def _pairs(count: int, opponents: int, rng: np.random.Generator) -> set[tuple[int, int]]:
    pairs = {(a, a + 1) for a in range(count - 1)}
    for a in range(count):
        for b in np.clip(a + rng.normal(0, count / 6, opponents // 2).round().astype(int), 0, count - 1):
            if a != b:
                pairs.add((min(a, int(b)), max(a, int(b))))
    return pairs


def _match(a: dict, b: dict, worth: np.ndarray, rng: np.random.Generator) -> dict:
    difference = a["true_elo"] - b["true_elo"]
    sides = np.stack([difference + worth, difference - worth], axis=1)  # openings x (a first, b first)
    won = rng.random(sides.shape) < 1 / (1 + np.exp(-sides / ELO))
    wins_first, wins_second, games = int(won[:, 0].sum()), int(won[:, 1].sum()), won.size
    return {
        "agent_a": a["agent"], "agent_b": b["agent"], "wins_a": wins_first + wins_second, "draws": 0,
        "wins_b": games - wins_first - wins_second, "wins_a_first": wins_first, "draws_a_first": 0,
        "wins_b_first": games // 2 - wins_second, "draws_b_first": 0, "games": games, "distinct_games": games,
        "protocol": "synthetic", "seed": 0, "game": "hex", "size": a["size"], "round": 0,
        "outcomes": "".join(LETTERS[2 * won.astype(int)].ravel()),
    }  # fmt: skip


def write_study(folder: Path, truth: Truth, seed: int) -> list[dict]:
    """Write agents.csv and matches.csv of one made-up study; returns the agents with their true Elo."""
    rng = np.random.default_rng(seed)
    players = agents(truth, rng)
    records.write_table(folder / "agents.csv", [column.name for column in records.AGENTS], players)
    records.write_table(
        folder / "matches.csv", [column.name for column in records.MATCHES], matches(truth, players, rng)
    )
    return players


# ---- how good the estimates are ------------------------------------------------------------------------------------


class Estimate(NamedTuple):
    """The exchange rate of one study with its interval."""

    rate: float
    low: float
    high: float


def estimate(truth: Truth, seed: int, folder: Path, replicates: int = 100, first_move: bool = False) -> Estimate:
    """Write a study into `folder`, then rate and fit it as experiments.frontier does."""
    write_study(folder, truth, seed)
    rated, _ = ratings.rate_study(folder, first_move)
    listed = records.read_agents(folder / "agents.csv")
    errors = collect.rating_errors(rated, listed, replicates, np.random.default_rng(seed))
    found = collect.collect(collect.rated_table(rated, listed), errors)
    numbers = analysis.tradeoff(found, {}, analysis.Settings(replicates=replicates, seed=seed), brief=True).numbers
    return Estimate(numbers["exchange_rate"], *numbers["exchange_rate_ci"])


def coverage(truth: Truth, replications: int, first_move: bool = False) -> dict[str, float]:
    """Estimates over many studies: mean, spread, and the share of intervals that contain the planted rate."""
    with tempfile.TemporaryDirectory() as folder:
        found = np.array([estimate(truth, seed, Path(folder), first_move=first_move) for seed in range(replications)])
    inside = (found[:, 1] <= truth.exchange_rate) & (truth.exchange_rate <= found[:, 2])
    return {
        "planted": truth.exchange_rate, "mean": float(found[:, 0].mean()),
        "standard_deviation": float(found[:, 0].std(ddof=1)),
        "mean_interval_width": float((found[:, 2] - found[:, 1]).mean()), "coverage": float(inside.mean()),
    }  # fmt: skip


@one_line_errors
def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.synthetic", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write one study into this folder")
    parser.add_argument("--replications", type=int, help="measure the coverage over this many studies")
    parser.add_argument("--seeds", type=int, default=1, help="runs per recipe")
    parser.add_argument("--seed", type=int, default=0, help="of the study that is written")
    given = parser.parse_args(arguments)
    truth = Truth(seeds=given.seeds)
    if given.out:
        write_study(given.out, truth, given.seed)
        print(f"written: {given.out}")
    if given.replications:
        for name, value in coverage(truth, given.replications).items():
            print(f"{name:<20} {value:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
