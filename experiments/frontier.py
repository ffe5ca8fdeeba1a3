"""Fits, figures and report of a study or of anybody's table of ratings; plays nothing.

python -m experiments.frontier study_dir=studies/quick
python -m experiments.frontier ratings=FILE.csv out=DIR
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from omegaconf import DictConfig

from experiments import analysis, collect, figures, ratings, records, report
from experiments.analysis import Settings
from experiments.command import one_line_errors, run_application, typed
from experiments.envelope import Agents, Points
from experiments.fits import FitError
from experiments.ratings import Rated
from experiments.records import RecordError, Table
from experiments.result import Result
from games.files import refuse_unwritable


@dataclass
class PlanConfig:
    targets: list[float] = field(default_factory=lambda: [-300.0, -100.0])
    budgets: list[float] = field(default_factory=list)
    moves: list[float] = field(default_factory=lambda: [1e3, 1e6, 1e9])


@dataclass
class FrontierConfig:
    """Settings of the command; see configs/frontier.yaml."""

    study_dir: str | None = None
    ratings: str | None = None
    out: str | None = None
    anchor: str | None = None
    replicates: int = 200
    max_evaluations: float = 64
    seed: int = 0
    plan: PlanConfig = field(default_factory=PlanConfig)

    def __post_init__(self):
        if (self.study_dir is None) == (self.ratings is None):
            raise RecordError("expected either study_dir=DIR or ratings=FILE.csv out=DIR, got "
                              + ("neither" if self.ratings is None else "both"))  # fmt: skip
        if self.study_dir is not None and self.out is not None:
            raise RecordError(
                f"study_dir={self.study_dir} with out={self.out}; a study keeps its files; leave out= away"
            )
        if self.ratings is not None and self.out is None:
            raise RecordError(f"ratings={self.ratings} without out; expected the folder to write to; add out=DIR")
        for name in ("replicates", "max_evaluations"):
            if not getattr(self, name) >= 1:
                raise RecordError(f"{name} = {getattr(self, name)}; expected at least 1; correct {name}=")
        for name, low in (("budgets", 0), ("moves", 0)):
            if any(not value > low for value in getattr(self.plan, name)):
                raise RecordError(f"plan.{name} = {getattr(self.plan, name)}; expected numbers above 0")

    def settings(self) -> Settings:
        plan = self.plan
        wishes = (tuple(plan.targets), tuple(plan.budgets), tuple(plan.moves))
        return Settings(self.replicates, self.max_evaluations, *wishes, self.seed)


def finish(study_dir: Path, anchor: str | None = None, settings: Settings | None = None) -> Path:
    """Rate, fit, draw and report a study whose matches are played; returns the path of report.html."""
    result = study_result(study_dir, anchor, settings or Settings())
    path = write(result, Path(study_dir))
    if any(Path(study_dir).glob("runs/*/snapshots/*.json")):
        from experiments.board import write_board  # brings in torch, which fits do not need

        write_board(Path(study_dir), result.table, figures.draw(result))
    print(report.summary(result.numbers))
    return path


def study_result(study_dir: Path, anchor: str | None, settings: Settings) -> Result:
    """Ratings and fits of a study, plain and with a first-move term; writes ratings.csv, as arguments of `write`."""
    matches, agents = ratings.read_study(study_dir)
    perfect = ratings.perfect_players(agents)
    rated = ratings.rate_table(matches, anchor, perfect)
    rows = ratings.rows(rated, agents)
    ratings.write(Path(study_dir) / "ratings.csv", rows)
    table = collect.rated_table(rated, agents)
    rng = np.random.default_rng(settings.seed)
    errors = collect.rating_errors(rated, agents, settings.replicates, rng)
    result = _result(Path(study_dir).name, table, errors, settings)
    result.rated, result.runs = rated, report.provenance(Path(study_dir))
    result.numbers["fitted_on"] |= {
        "matches": len(matches["agent_a"]), "games": int(sum(r.games.sum() for r in rated) / 2),
        "undetermined": int(sum((~r.determined).sum() for r in rated)),
    }  # fmt: skip
    result.numbers["anchor"] = {r.pool.title: _zero(r) for r in rated}
    result.numbers["untrained_players"] = _untrained_players(rows)
    _add_first_move(result, matches, agents, anchor, settings)
    return result


def _zero(rated: Rated) -> dict:
    """Who is at 0 Elo, and whether as the perfect player or as the best of its pool."""
    return {"agent": rated.anchor, "perfect": rated.anchor_is_perfect, "best": rated.elo.max() <= 0}


def _untrained_players(rows: list[dict]) -> list[dict]:
    """Random and perfect play and outside players, who are rated and in no fit."""
    names = ("agent", "game", "size", "strategy", "elo", "elo_se", "games", "optimality", "note")
    return [{name: row.get(name) for name in names} for row in rows if not row.get("run") and row["games"]]


def table_result(path: Path, settings: Settings) -> Result:
    """Fits of a table of ratings."""
    table = records.read_ratings(path)
    errors = collect.assumed_errors(table, settings.replicates, np.random.default_rng(settings.seed))
    return _result(path.stem, table, errors, settings)


def _result(title: str, table: Table, errors: np.ndarray, settings: Settings) -> Result:
    _refuse_same_size(title, table)
    agents = collect.collect(table, errors)
    if len(agents) == 0:
        raise RecordError(f"{title}: no agent has elo and train_flops above 0; expected some; fill the columns")
    limited = _limited(table, settings.max_evaluations)
    curve = collect.collect(limited.table, errors[:, limited.rows])
    numbers, points, fitted, warnings = analysis.changepoint(curve, settings)
    numbers_all: dict[str, Any] = {
        "conventions": CONVENTIONS | {"max_evaluations": settings.max_evaluations},
        "model": "plain Bradley-Terry, draws half wins",
        "fitted_on": _fitted_on(table, agents, curve, points),
        "changepoint": numbers or None,
        "changepoint_jones": _jones(limited.table, errors[:, limited.rows], settings),
        "frontier": [{"size": size, "log10_train_flops": train, "elo": elo}
                     for size, train, elo in zip(points.size, points.train, points.elo, strict=True)],
        "leave_one_size_out": analysis.leave_one_size_out(points),
        "reached": _reached(limited.table, curve),
    }  # fmt: skip
    searched = agents.take(np.isfinite(agents.test))
    surface = None
    if len(searched) == 0:
        warnings.append("trade-off: no agent has test_flops_per_move, so it was not fitted")
    else:
        try:
            surface = analysis.tradeoff(searched, collect.recipes(table), settings)
            warnings += surface.warnings
        except FitError as error:
            warnings.append(f"trade-off: {error}")
    numbers_all["tradeoff"] = surface.numbers if surface else None
    numbers_all["plans"] = surface.plans if surface else []
    numbers_all["warnings"] = warnings + _table_warnings(table, agents)
    return Result(title, table, agents, points, fitted, surface, numbers_all, [], [])


def _refuse_same_size(title: str, table: Table) -> None:
    """Raises RecordError where one size is that of two games, which the fits would take for one board."""
    games: dict[float, str] = {}
    for size, game in zip(table["size"], table.get("game", []), strict=False):
        if game and (other := games.setdefault(size, game)) != game:
            raise RecordError(f"{title}: size {size:g} is that of {other} and of {game}; expected one board for each "
                              "size, by which the fits tell boards apart; fit a table for each game")  # fmt: skip


CONVENTIONS = {
    "flop": "1 multiply-add = 2 FLOPs",
    "train_flops": "forward passes of self-play + forward and backward passes of the learner, in FLOPs",
    "test_flops_per_move": "mean evaluations per move x FLOPs of one forward pass",
    "slopes": "Elo per decade (factor 10) of FLOPs",
    "exchange_rate": "train_slope / test_slope: decades of test compute that one decade of training buys off",
    "jones": "changepoint_jones counts as Jones (2021): multiply-adds of self-play alone",
    "winners_curse": "winners are picked in one half of randomly split rating errors and read in the other",
    "intervals": "95 %, bootstrap over openings and games and over runs, never over points of a curve",
}


@dataclass(frozen=True)
class _Part:
    table: Table
    rows: np.ndarray


def _limited(table: Table, most: float) -> _Part:
    """The agents that may spend at most `most` evaluations on any move: by budget, else by the mean; all if unknown."""
    unknown = np.full(len(table["elo"]), np.nan)
    budget = table.get("budget", unknown)
    spent = np.where(np.isnan(budget), table.get("evaluations", unknown), budget)
    rows = np.flatnonzero(~(spent > most * (1 + 1e-9)))
    return _Part({name: values[rows] for name, values in table.items()}, rows)


def _jones(table: Table, errors: np.ndarray, settings: Settings) -> dict | None:
    if "selfplay_flops" not in table:
        return None
    agents = collect.collect(table, errors, selfplay_macs=True)
    return analysis.changepoint(agents, settings)[0] or None


def _reached(table: Table, agents: Agents) -> dict:
    """Per size: the least training within 50 Elo of 0, in both conventions, with that agent's optimality."""
    found = {}
    row_of = {name: row for row, name in enumerate(table.get("agent", []))}
    for size, first in analysis.reached(agents).items():
        if first is not None and first["agent"] in row_of:
            row = row_of[first["agent"]]
            for name in ("selfplay_flops", "optimality", "evaluations"):
                first[name] = float(table[name][row]) if name in table else None
            if first["selfplay_flops"]:
                first["log10_selfplay_macs"] = float(np.log10(first["selfplay_flops"] / 2))
        found[f"{size:g}"] = first
    return found


def _fitted_on(table: Table, agents: Agents, curve: Agents, points: Points) -> dict:
    seeds = {str(seed) for seed in table.get("seed", []) if str(seed)}
    return {
        "agents": len(table["elo"]), "agents_with_compute": len(agents), "agents_of_frontier": len(curve),
        "frontier_points": len(points), "runs": len(set(agents.run[agents.run >= 0])),
        "recipes": len(set(agents.recipe[agents.recipe >= 0])), "seeds": sorted(seeds),
        "sizes": np.unique(agents.size).tolist(), "games": None,
    }  # fmt: skip


def _table_warnings(table: Table, agents: Agents) -> list[str]:
    found = []
    left_out = int(np.isfinite(table["elo"]).sum()) - len(agents)
    if left_out:
        found.append(
            f"{left_out} rated agents have no train_flops above 0 and are in no fit (perfect or random play, outside "
            "players, untrained)"
        )
    if (agents.run < 0).any():
        found.append("the table does not say which run an agent comes from; intervals leave out the luck of runs")
    else:
        _, first = np.unique(agents.run, return_index=True)
        if np.bincount(agents.recipe[first]).max() == 1:
            found.append(
                "every recipe was run with one seed; the luck of runs is judged from the differences between recipes"
            )
    return found


def _add_first_move(result: Result, matches: Table, agents: Table, anchor: str | None, settings: Settings) -> None:
    """The exchange rate again, from ratings with a first-move term, beside the plain one."""
    try:
        rated = ratings.rate_table(matches, anchor, ratings.perfect_players(agents), first_move=True)
    except RecordError as error:
        result.numbers["warnings"].append(f"no first-move model: {error}")
        return
    errors = collect.rating_errors(rated, agents, settings.replicates, np.random.default_rng(settings.seed))
    found = collect.collect(collect.rated_table(rated, agents), errors)
    worth = {r.pool.title: {"elo": r.fit.first_move, "elo_se": r.fit.first_move_se} for r in rated}
    numbers: dict[str, Any] = {"first_move_elo": worth}
    try:
        numbers |= analysis.tradeoff(found.take(np.isfinite(found.test)), {}, settings, brief=True).numbers
    except (FitError, ValueError) as error:
        result.numbers["warnings"].append(f"first-move model: {error}")
    result.numbers["tradeoff_first_move"] = numbers


def write(result: Result, out: Path) -> Path:
    """Write frontier.json, figures/ and report.html; returns the report's path."""
    records.write_json(out / "frontier.json", result.numbers)
    pictures = figures.save(figures.draw(result), out / "figures")
    return report.write(out / "report.html", result, pictures)


@one_line_errors
def command(config: DictConfig) -> Path:
    """The body of the command; returns the path of report.html."""
    wanted = typed(FrontierConfig, config)
    if wanted.study_dir is not None:
        path = finish(Path(wanted.study_dir), wanted.anchor, wanted.settings())
    else:
        refuse_unwritable(Path(wanted.out))
        result = table_result(Path(wanted.ratings), wanted.settings())
        path = write(result, Path(wanted.out))
        print(report.summary(result.numbers))
    print(f"written: {path}")
    return path


@hydra.main(version_base="1.3", config_path="../configs", config_name="frontier")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
