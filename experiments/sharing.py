"""What it saves to read several budgets off one search, and to search a position once for all who are in it.

    python -m experiments.sharing study_dir=studies/quick pairs=256

Plays matches of a study's first round twice, with shared searches and without, without writing anything into the study:
the results are the same, and the table says how many evaluations and seconds each took.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import hydra
from omegaconf import DictConfig

from agents.search_strategy import SearchStrategy
from experiments.arena import MatchFile, Play
from experiments.command import one_line_errors, run_application, typed
from experiments.play import play_pairs
from experiments.pool import pools, read_study
from training.settings import SettingsError


@dataclass
class Sharing:
    """The settings of configs/sharing.yaml."""

    study_dir: str
    pairs: int

    def __post_init__(self):
        if self.pairs < 1:
            raise SettingsError(f"pairs={self.pairs} cannot be: expected at least 1")


def measure(settings: Sharing) -> list[dict]:
    """One row per game: evaluations made and seconds with and without sharing.

    Raises SettingsError for a folder that is no finished study and for a strategy that does not search.
    """
    study = read_study(Path(settings.study_dir))
    arena = Play(pools(study), study.arena, study.device, 1, MatchFile(Path(settings.study_dir) / "nothing.csv"))
    rows = []
    for number, pool in enumerate(arena.pools):
        pairs = arena.plan(number, 0)[: settings.pairs]
        row: dict = {"game": pool.title, "pairs": len(pairs)}
        results = []
        for sharing in (True, False):
            game = pool.game()
            players = pool.players(game)
            strategies = {
                id(p.strategy): p.strategy for p in players if isinstance(p.strategy, SearchStrategy)
            }.values()
            if not strategies:
                raise SettingsError(f"arena.strategy={study.arena.strategy} makes no searches that could be shared")
            for strategy in strategies:
                strategy.sharing = sharing
            play_pairs(game, players, pairs[:1], arena.protocol, 0)  # compiles
            before, begun = sum(strategy.spent for strategy in strategies), time.perf_counter()
            results.append(play_pairs(game, players, pairs, arena.protocol, 0))
            name = "shared" if sharing else "alone"
            row[f"seconds_{name}"] = time.perf_counter() - begun
            row[f"evaluations_{name}"] = sum(strategy.spent for strategy in strategies) - before
        row["same_results"] = results[0] == results[1]
        rows.append(row)
    return rows


@one_line_errors
def command(config: DictConfig) -> None:
    for row in measure(typed(Sharing, config)):
        spared = 1 - row["evaluations_shared"] / row["evaluations_alone"]
        print(f"{row['game']}, {row['pairs']} pairs: {row['evaluations_alone']:,} evaluations in "
              f"{row['seconds_alone']:.1f} s alone, {row['evaluations_shared']:,} in {row['seconds_shared']:.1f} s "
              f"shared ({spared:.0%} fewer); same results: {row['same_results']}")  # fmt: skip


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name="sharing")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
