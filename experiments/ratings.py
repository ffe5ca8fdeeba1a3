"""Elo with errors from a match table.

    python -m experiments.ratings matches=FILE.csv out=DIR [anchor=NAME] [first_move=true]
    python -m experiments.ratings study_dir=studies/quick

Agents of one game at one size form a pool and are rated together; a table without those columns is one pool. The model
and its prior are in bradley_terry.py, the assumptions in docs/ratings.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import hydra
import numpy as np
from omegaconf import DictConfig

from experiments import bradley_terry, records
from experiments.bradley_terry import Fit, Pairings
from experiments.command import one_line_errors, run_application, typed
from experiments.matches import Pool, pools
from experiments.records import RecordError, Table


@dataclass
class RatingsConfig:
    """Settings of the command; see configs/ratings.yaml."""

    matches: str | None = None
    out: str | None = None
    study_dir: str | None = None
    anchor: str | None = None
    first_move: bool = False
    prior_sd: float = bradley_terry.PRIOR_SD


# ---- rating --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rated:
    """A pool with its ratings relative to the anchor, all [n] in the order of pool.names."""

    pool: Pool
    fit: Fit
    anchor: str
    anchor_is_perfect: bool
    elo: np.ndarray
    elo_se: np.ndarray
    games: np.ndarray
    determined: np.ndarray  # bool
    notes: list[str]
    first_move: bool

    def bootstrap(self, replicates: int, rng: np.random.Generator) -> np.ndarray:
        """Errors of the ratings relative to the anchor, drawn by resampling openings and games, [replicates, n]."""
        anchor = self.pool.names.index(self.anchor)
        errors = np.empty((replicates, len(self.elo)))
        for row in errors:
            sample = self.pool.pairings(self.pool.resample(rng))
            elo = bradley_terry.fit(sample, self.first_move, start=self.fit, covariance=False).elo
            row[:] = elo - elo[anchor] - self.elo
        return errors


def rate(pool: Pool, anchor: str | None = None, perfect: bool = False, first_move: bool = False,
         prior_sd: float = bradley_terry.PRIOR_SD) -> Rated:  # fmt: skip
    """Ratings of one pool. Without a named anchor the best agent is at 0.

    Raises RecordError for an anchor that is not in the pool and for a first-move term without colours.
    """
    if first_move and not pool.lead.any():
        raise RecordError(f"{pool.title}: a first-move term needs to know who moved first; expected the columns "
                          f"{', '.join(records.COLOURS)}; add them or set first_move=false")  # fmt: skip
    if anchor is not None and anchor not in pool.names:
        raise RecordError(f"anchor {anchor!r} is not in the pool {pool.title}; expected one of its "
                          f"{len(pool.names)} agents such as {pool.names[0]!r}; correct anchor=")  # fmt: skip
    pairings = pool.pairings()
    fit = bradley_terry.fit(pairings, first_move, prior_sd)
    zero = int(np.argmax(fit.elo)) if anchor is None else pool.names.index(anchor)
    notes = _notes(pairings, pool.names, zero, named=anchor is not None)
    games = np.bincount(pairings.i, pairings.games, pairings.n) + np.bincount(pairings.j, pairings.games, pairings.n)
    return Rated(pool, fit, pool.names[zero], perfect, fit.elo - fit.elo[zero], fit.errors(zero), games,
                 np.array([not note for note in notes]), notes, first_move)  # fmt: skip


def _notes(pairings: Pairings, names: list[str], zero: int, named: bool) -> list[str]:
    """Why a rating is not determined, "" where it is.

    Relative to a named anchor; where the best agent was taken, relative to the largest group that the matches tie
    together, since the best may be undefeated.
    """
    strong, weak = bradley_terry.groups(pairings)
    core = strong[zero] if named else np.bincount(strong).argmax()
    reference = int(np.flatnonzero(strong == core)[0])
    points = np.bincount(pairings.i, pairings.points, pairings.n)
    points += np.bincount(pairings.j, pairings.games - pairings.points, pairings.n)
    games = np.bincount(pairings.i, pairings.games, pairings.n) + np.bincount(pairings.j, pairings.games, pairings.n)
    notes = []
    for agent in range(len(names)):
        if strong[agent] == core:
            notes.append("")
        elif weak[agent] != weak[reference]:
            notes.append("no chain of matches connects it to the anchor's group")
        elif points[agent] == games[agent]:
            notes.append("never beaten: the rating is a lower bound held by the prior")
        elif points[agent] == 0:
            notes.append("never scored: the rating is an upper bound held by the prior")
        else:
            notes.append("its group won or lost every game against the anchor's group")
    return notes


def rate_table(matches: Table, anchor: str | None = None, perfect: frozenset[str] = frozenset(),
               first_move: bool = False, prior_sd: float = bradley_terry.PRIOR_SD) -> list[Rated]:  # fmt: skip
    """Ratings of every pool of a match table.

    The anchor of a pool is `anchor` where it plays in it, else a perfect player of the pool, else its best agent.
    """
    found = pools(matches)
    if anchor is not None and not any(anchor in pool.names for pool in found):
        raise RecordError(f"anchor {anchor!r} plays in no match; expected a name from agent_a or agent_b, such as "
                          f"{found[0].names[0]!r}; correct anchor=")  # fmt: skip
    rated = []
    for pool in found:
        best = next((name for name in pool.names if name in perfect), None)
        chosen = anchor if anchor in pool.names else best
        rated.append(rate(pool, chosen, chosen is not None and chosen in perfect, first_move, prior_sd))
    return rated


# ---- tables --------------------------------------------------------------------------------------------------------


def rows(rated: list[Rated], agents: Table | None = None) -> list[dict]:
    """Rows of ratings.csv, pool by pool, best first; with the agents' own columns where `agents` is given.

    Raises RecordError for a match of an agent that the agent table does not list.
    """
    known: dict[str, dict] = {}
    if agents is not None:
        known = {name: {k: v[row] for k, v in agents.items()} for row, name in enumerate(agents["agent"])}
    table = []
    for one in rated:
        for n in np.argsort(-one.elo, kind="stable"):
            name = one.pool.names[n]
            if agents is not None and name not in known:
                raise RecordError(f"agent {name!r} plays in the matches but is not in the agent table; "
                                  f"expected every agent there; play the matches again or restore the row")  # fmt: skip
            row = {"agent": name, "game": one.pool.game, "size": one.pool.size, **known.pop(name, {})}
            table.append(row | {"elo": one.elo[n], "elo_se": one.elo_se[n], "games": one.games[n],
                                "determined": int(one.determined[n]), "note": one.notes[n]})  # fmt: skip
    idle = [row | {"games": 0, "determined": 0, "note": "played no match"} for row in known.values()]
    return table + idle


def write(path: Path, table: list[dict]) -> Path:
    """Write ratings.csv with the columns that any row has, in the order of records.RATINGS."""
    present = {name for row in table for name, value in row.items() if not _missing(value)}
    always = {"agent", "elo", "elo_se", "games", "determined", "note"}
    records.write_table(path, [c.name for c in records.RATINGS if c.name in present | always], table)
    return path


def _missing(value) -> bool:
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))


def read_study(study_dir: Path) -> tuple[Table, Table]:
    """(matches, agents) of a study. Raises RecordError where one is missing or broken."""
    study_dir = Path(study_dir)
    if not study_dir.is_dir():
        raise RecordError(
            f"study_dir {study_dir}: no such folder; expected a study such as studies/quick; check the path"
        )
    for name in ("matches.csv", "agents.csv"):
        if not (study_dir / name).exists():
            raise RecordError(f"{study_dir} has no {name}; expected a study whose matches are played; "
                              f"run python -m experiments.arena study_dir={study_dir}")  # fmt: skip
    return records.read_matches(study_dir / "matches.csv"), records.read_agents(study_dir / "agents.csv")


def perfect_players(agents: Table) -> frozenset[str]:
    """Names of the agents that play perfectly."""
    flags = agents.get("anchor", np.zeros(len(agents["agent"])))
    return frozenset(name for name, flag in zip(agents["agent"], flags, strict=True) if flag == 1)


def rate_study(study_dir: Path, first_move: bool = False, anchor: str | None = None,
               prior_sd: float = bradley_terry.PRIOR_SD) -> tuple[list[Rated], list[dict]]:  # fmt: skip
    """Ratings of a study and the rows of its ratings.csv; writes nothing."""
    matches, agents = read_study(study_dir)
    rated = rate_table(matches, anchor, perfect_players(agents), first_move, prior_sd)
    return rated, rows(rated, agents)


def summary(rated: list[Rated], most: int = 12) -> str:
    """A short table for the terminal."""
    lines = []
    for one in rated:
        model = "with first-move term" if one.first_move else "plain Bradley-Terry"
        if one.first_move:
            model += f", worth {one.fit.first_move:.0f} +- {one.fit.first_move_se:.0f} Elo"
        lines.append(
            f"{one.pool.title}: {len(one.elo)} agents, {one.games.sum() / 2:.0f} games, {one.anchor} at 0, {model}"
        )
        order = np.argsort(-one.elo, kind="stable")
        width = max(len(one.pool.names[n]) for n in order[:most])
        for n in order[:most]:
            flag = f"  {one.notes[n]}" if one.notes[n] else ""
            lines.append(f"  {one.pool.names[n]:<{width}}  {one.elo[n]:8.1f} +- {one.elo_se[n]:5.1f}{flag}")
        if len(order) > most:
            lines.append(f"  ... and {len(order) - most} more, down to {one.elo.min():.1f}")
        open_ones = int((~one.determined).sum())
        if open_ones:
            lines.append(f"  {open_ones} ratings are not determined by the matches (column note)")
    return "\n".join(lines)


# ---- command -------------------------------------------------------------------------------------------------------


@one_line_errors
def command(config: DictConfig) -> Path:
    """The body of the command; returns the path of ratings.csv."""
    settings = typed(RatingsConfig, config)
    if (settings.matches is None) == (settings.study_dir is None):
        raise RecordError("expected either matches=FILE.csv out=DIR or study_dir=DIR, got "
                          + ("neither" if settings.matches is None else "both"))  # fmt: skip
    if not settings.prior_sd > 0:
        raise RecordError(f"prior_sd = {settings.prior_sd}; expected more than 0 Elo; 1000 is the default")
    how = {"anchor": settings.anchor, "first_move": settings.first_move, "prior_sd": settings.prior_sd}
    if settings.study_dir is not None:
        out = Path(settings.out or settings.study_dir)
        rated, table = rate_study(Path(settings.study_dir), **how)
    else:
        if settings.out is None:
            raise RecordError(
                f"matches={settings.matches} without out; expected the folder for ratings.csv; add out=DIR"
            )
        out = Path(settings.out)
        rated = rate_table(records.read_matches(Path(settings.matches)), **how)
        table = rows(rated)
    path = write(out / "ratings.csv", table)
    print(f"{summary(rated)}\nwritten: {path}")
    return path


@hydra.main(version_base="1.3", config_path="../configs", config_name="ratings")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
