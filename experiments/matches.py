"""From a match table to pools of games: who met whom, who moved first, which games share an opening."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments import records
from experiments.bradley_terry import Pairings
from experiments.records import Table

POINTS = {"w": 1.0, "d": 0.5, "l": 0.0}


@dataclass(frozen=True)
class Pool:
    """The matches of one game at one size, as lumps of games with one result and one way of moving first (L lumps).

    Lumps that share a `group` come from the same opening and are resampled together; a group without opening is one
    lump of `shape` independent games.
    """

    game: str  # "" where the table does not say
    size: float  # nan where the table does not say
    names: list[str]  # n agents, sorted
    pair: np.ndarray  # int64 [L], row of `i`, `j`, `lead`
    i: np.ndarray  # int64 [M]
    j: np.ndarray  # int64 [M], i < j
    lead: np.ndarray  # float64 [M], +1 where i moved first, -1 where j did, 0 unknown
    points: np.ndarray  # float64 [L], points of i
    games: np.ndarray  # float64 [L]
    group: np.ndarray  # int64 [L]
    shape: np.ndarray  # float64 [G]

    def pairings(self, weights: np.ndarray | None = None) -> Pairings:
        """Results summed over pairs, each group counted `weights` [G] times."""
        times = 1.0 if weights is None else weights[self.group]
        points = np.bincount(self.pair, self.points * times, len(self.i))
        games = np.bincount(self.pair, self.games * times, len(self.i))
        return Pairings(len(self.names), self.i, self.j, points, games, self.lead)

    def resample(self, rng: np.random.Generator) -> np.ndarray:
        """Weights [G] of one Bayesian bootstrap (Rubin 1981, Ann. Statist. 9) over openings and single games."""
        return rng.standard_gamma(self.shape) / self.shape

    @property
    def title(self) -> str:
        size = "" if np.isnan(self.size) else f"{self.size:g}"
        return f"{self.game}{size}" or "all agents"


def pools(matches: Table) -> list[Pool]:
    """The pools of a match table, ordered by game and size."""
    rows = len(matches["agent_a"])
    games = matches.get("game", np.full(rows, "", object))
    sizes = matches.get("size", np.full(rows, np.nan))
    keys = sorted(set(zip(games, np.nan_to_num(sizes, nan=-1), strict=True)))
    found = []
    for game, size in keys:
        chosen = np.flatnonzero((games == game) & (np.nan_to_num(sizes, nan=-1) == size))
        found.append(_pool(game, np.nan if size == -1 else size, {k: v[chosen] for k, v in matches.items()}))
    return found


def _pool(game: str, size: float, rows: Table) -> Pool:
    names = sorted({*rows["agent_a"], *rows["agent_b"]})
    index = {name: number for number, name in enumerate(names)}
    a = np.array([index[name] for name in rows["agent_a"]])
    b = np.array([index[name] for name in rows["agent_b"]])
    row, first, points, games, group, shape = _lumps(rows)
    swap = a > b
    lead = np.where(swap[row], -first, first)
    points = np.where(swap[row], games - points, points)
    n = len(names)
    key = (np.minimum(a, b) * n + np.maximum(a, b))[row] * 3 + (lead + 1).astype(np.int64)
    pairs, pair = np.unique(key, return_inverse=True)
    return Pool(game, size, names, pair, pairs // 3 // n, pairs // 3 % n, (pairs % 3 - 1).astype(float),
                points, games, group, shape)  # fmt: skip


def _lumps(rows: Table):
    """(row, first, points, games, group [L], shape [G]): games from a's viewpoint; first is +1 where a moved first."""
    count = len(rows["agent_a"])
    outcomes = rows.get("outcomes", np.full(count, "", object))
    set_names = ["seed", "round"]
    sets = list(zip(*(rows.get(name, np.zeros(count)) for name in set_names), strict=True))
    parts: list[tuple[float, ...]] = []
    shape: list[float] = []
    openings: dict[tuple, int] = {}
    for row in range(count):
        for number, letter in enumerate(outcomes[row]):
            opening = openings.setdefault((sets[row], number // 2), len(shape))
            if opening == len(shape):
                shape.append(1.0)
            parts.append((row, 1 - 2 * (number % 2), POINTS[letter], 1.0, opening))
        for first, point, games in [] if outcomes[row] else _counts(rows, row):
            if games:
                parts.append((row, first, point * games, games, len(shape)))
                shape.append(games)
    rows_of, first_of, points_of, games_of, group = np.array(parts, dtype=float).reshape(-1, 5).T
    return rows_of.astype(int), first_of.astype(int), points_of, games_of, group.astype(int), np.array(shape)


def _counts(rows: Table, row: int) -> list[tuple[int, float, float]]:
    """(first, points per game, games) of a row without single outcomes."""
    wins, draws, losses = (rows[name][row] for name in ("wins_a", "draws", "wins_b"))
    by_colour = [rows[name][row] if name in rows else np.nan for name in records.COLOURS]
    if np.isnan(by_colour).any():
        return [(0, 1.0, wins), (0, 0.5, draws), (0, 0.0, losses)]
    wins_first, draws_first, losses_second, draws_second = by_colour
    return [(1, 1.0, wins_first), (1, 0.5, draws_first), (1, 0.0, losses - losses_second),
            (-1, 1.0, wins - wins_first), (-1, 0.5, draws_second), (-1, 0.0, losses_second)]  # fmt: skip
