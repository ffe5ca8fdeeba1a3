"""The best Elo to be had within a budget: envelopes over networks, snapshots and search budgets.

    curve    best Elo against log10 train FLOPs                       (the frontier, fitted by the changepoint model)
    surface  best Elo against log10 train and log10 test FLOPs        (fitted by the trade-off model)

Between its measured points a run is interpolated: linearly in log10 FLOPs along its snapshots, and along the budgets of
each snapshot. Runs that differ only in their seed are averaged, so that the envelope is the best recipe and not the
luckiest run. The maximum is then taken over recipes, on a grid.

Winner's curse. The maximum of noisy ratings is too high. So the ratings are split into two halves with independent
errors, E + d and E - d with d drawn from the distribution of the rating errors (data fission: Rasines & Young 2023,
Biometrika 110; Leiner et al. 2023, JASA); the winner is picked in one half and read off in the other, both ways round,
averaged over several d. What is read is then unbiased for the agent that was picked.

A grid point is used only where its winner, or an agent hardly weaker, spends nearly that budget. Elsewhere the envelope
is held up by an agent that was not given more, and says nothing about what more would bring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage
import scipy.sparse

STEP = 0.25  # decades between grid points
HELD = 2  # grid steps by which a winner may underspend
SLACK = 15.0  # Elo by which an agent that spends its budget may be weaker than one that does not


@dataclass(frozen=True)
class Agents:
    """Rated agents with known compute, as the fits use them; n agents, all arrays [n] unless said otherwise."""

    name: np.ndarray
    size: np.ndarray
    train: np.ndarray  # log10 train FLOPs
    test: np.ndarray  # log10 test FLOPs per move, nan where unknown
    elo: np.ndarray
    run: np.ndarray  # int64; agents of one run share it; -1 where unknown
    recipe: np.ndarray  # int64; runs that differ only in their seed share it; -1 where unknown
    arm: np.ndarray  # int64; strategy and budget; agents of one run and arm form a curve over its snapshots
    errors: np.ndarray  # [R, n] draws of the rating errors; R = 0 where nothing is known about them

    def __len__(self) -> int:
        return len(self.elo)

    def take(self, chosen: np.ndarray) -> Agents:
        """The agents of a mask or index array."""
        fields = {key: value[..., chosen] for key, value in vars(self).items()}
        return Agents(**fields)

    def with_elo(self, elo: np.ndarray) -> Agents:
        """The same agents with other ratings."""
        return replace(self, elo=elo)


@dataclass(frozen=True)
class Points:
    """Points of an envelope: what the fits are fitted to. K points, all arrays [K]."""

    size: np.ndarray
    train: np.ndarray  # log10 FLOPs
    test: np.ndarray  # log10 FLOPs per move; 0 for a curve
    elo: np.ndarray
    recipe: np.ndarray  # the recipe that wins there most often, -1 where unknown

    def __len__(self) -> int:
        return len(self.elo)

    def take(self, chosen: np.ndarray) -> Points:
        return Points(**{key: value[chosen] for key, value in vars(self).items()})


class Envelope:
    """The envelope of one set of agents, prepared so that it can be evaluated for many ratings of them.

    `flat=True` ignores test compute: the curve. Grid axes: S series (a run, or one arm of it for a curve), X, Y grid.
    """

    def __init__(self, agents: Agents, flat: bool):
        self.agents = agents
        self.flat = flat
        self.sheets = [_Sheet(agents, np.flatnonzero(agents.size == size), flat) for size in np.unique(agents.size)]

    def points(self, elo: np.ndarray, splits: np.ndarray, times: np.ndarray | None = None) -> Points:
        """The envelope's points for ratings `elo` [n].

        `splits` [K, n] are draws of the rating errors for the split in halves (K = 0: plain maximum); `times` says how
        often each run counts (bootstrap), indexed by run number, and None means once.
        """
        return _join([sheet.points(elo, splits, times) for sheet in self.sheets])


class _Sheet:
    """The envelope at one size."""

    def __init__(self, agents: Agents, rows: np.ndarray, flat: bool):
        self.size = agents.size[rows[0]]
        self.rows = rows
        self.x = _grid(agents.train[rows])
        self.y = np.zeros(1) if flat else _grid(agents.test[rows])
        self.run: list[int] = []
        recipes: list[tuple[int, int]] = []
        blocks = []
        for members, weights in _series(agents, rows, flat, self.x, self.y):
            # Without runs every agent stands for itself.
            known = agents.run[members[0]] >= 0
            arm = int(agents.arm[members[0]]) if flat else -1
            self.run.append(int(agents.run[members[0]]))
            recipes.append((int(agents.recipe[members[0]]), arm) if known else (-1, -2 - len(recipes)))
            columns = np.searchsorted(rows, members)
            block = scipy.sparse.coo_array(weights.reshape(-1, len(members)))
            blocks.append(
                scipy.sparse.coo_array(
                    (block.data, (block.row, columns[block.col])), (len(weights) * weights.shape[1], len(rows))
                )
            )
        shape = (len(blocks), len(self.x), len(self.y))
        self.map = scipy.sparse.vstack(
            blocks
        ).tocsr()  # [S * X * Y, n_size]; rows are empty where a series does not reach
        self.reach = (np.diff(self.map.indptr) > 0).reshape(shape)
        keys = sorted(set(recipes))
        self.recipe = np.array([recipe for recipe, _ in keys])  # [C]
        self.member = np.array([[recipe == key for recipe in recipes] for key in keys], float)  # [C, S]

    def points(self, elo: np.ndarray, splits: np.ndarray, times: np.ndarray | None) -> Points:
        elo = elo[self.rows]
        if len(splits) == 0:
            best, recipe, near = self._winners(self._recipes(elo, times), self._recipes(elo, times))
            return self._points(best, recipe, near)
        drawn = []
        for d in splits[:, self.rows]:
            upper, lower = self._recipes(elo + d, times), self._recipes(elo - d, times)
            drawn += [self._winners(upper, lower), self._winners(lower, upper)]
        best, recipes, near = (np.array(parts) for parts in zip(*drawn, strict=True))
        return self._points(best.mean(axis=0), _most_frequent(recipes), near.mean(axis=0) > 0.5)

    def _recipes(self, elo: np.ndarray, times: np.ndarray | None) -> np.ndarray:
        """Mean Elo of each recipe on the grid, [C, X, Y], -inf where none of its runs reaches."""
        count = self.member
        if times is not None:  # agents without a run are never drawn, and count once
            count = count * np.array([times[run] if run >= 0 else 1 for run in self.run])
        values = (self.map @ elo).reshape(self.reach.shape)
        number = np.tensordot(count, self.reach.astype(float), 1)
        total = np.tensordot(count, values, 1)
        return np.where(number > 0, total / np.maximum(number, 1), -np.inf)

    def _winners(self, pick: np.ndarray, read: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(elo, recipe, near) [X, Y]: what the winner of `pick` within each budget has in `read`."""
        recipe = pick.argmax(axis=0)
        best = np.take_along_axis(pick, recipe[None], 0)[0]
        value = np.take_along_axis(read, recipe[None], 0)[0]
        nearby = scipy.ndimage.maximum_filter(best, HELD + 1, mode="constant", cval=-np.inf, origin=HELD // 2)
        carried = [best, value, recipe]
        for axis in (0, 1):
            moved = [np.moveaxis(array, axis, 0) for array in carried]
            for step in range(1, best.shape[axis]):
                held = moved[0][step - 1] > moved[0][step]
                for array in moved:
                    array[step] = np.where(held, array[step - 1], array[step])
        return value, recipe, np.isfinite(best) & (nearby >= best - SLACK)

    def _points(self, elo: np.ndarray, recipe: np.ndarray, near: np.ndarray) -> Points:
        x, y = np.nonzero(near & np.isfinite(elo))
        size = np.full(len(x), self.size)
        return Points(size, self.x[x], self.y[y], elo[x, y], self.recipe[recipe[x, y]])


def _most_frequent(numbers: np.ndarray) -> np.ndarray:
    """The commonest number along the first axis, [K, X, Y] -> [X, Y]."""
    return np.apply_along_axis(lambda column: np.bincount(column).argmax(), 0, numbers)


def _series(agents: Agents, rows: np.ndarray, flat: bool, x: np.ndarray, y: np.ndarray):
    """(members, weights [X, Y, members]) of every series: agents that are interpolated together.

    Agents without a run are not interpolated: each fills the grid point at or above it, and as many of them as do not
    share a grid point make up one series, which keeps the number of series small.
    """
    groups: dict[tuple, list[int]] = {}
    for row in rows[agents.run[rows] >= 0]:
        groups.setdefault((agents.run[row], agents.arm[row] if flat else 0), []).append(row)
    for group in groups.values():
        members = np.array(group)
        test = np.zeros(len(members)) if flat else agents.test[members]
        yield members, _interpolation(agents.train[members], test, x, y)
    yield from _singles(agents, rows[agents.run[rows] < 0], flat, x, y)


def _singles(agents: Agents, rows: np.ndarray, flat: bool, x: np.ndarray, y: np.ndarray):
    column = np.searchsorted(x, agents.train[rows] - 1e-9)
    line = np.zeros(len(rows), int) if flat else np.searchsorted(y, agents.test[rows] - 1e-9)
    layers: dict[tuple[int, int], int] = {}
    layer = np.zeros(len(rows), int)
    for number, place in enumerate(zip(column, line, strict=True)):
        layer[number] = layers[place] = layers.get(place, -1) + 1
    for level in range(layer.max(initial=-1) + 1):
        chosen = np.flatnonzero(layer == level)
        weights = np.zeros((len(x), len(y), len(chosen)))
        weights[column[chosen], line[chosen], np.arange(len(chosen))] = 1
        yield rows[chosen], weights


def _interpolation(train: np.ndarray, test: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights [X, Y, m] of m agents of one series at the grid points; zero outside what was measured."""
    weights = np.zeros((len(x), len(y), len(train)))
    stages = np.unique(train)
    along = _hat(stages, x)
    for stage, position in enumerate(stages):
        members = np.flatnonzero(train == position)
        arms = np.unique(test[members])
        across = _hat(arms, y)  # [Y, arms]
        for arm, place in enumerate(arms):
            same = members[test[members] == place]
            weights[:, :, same] += (along[:, stage, None] * across[None, :, arm] / len(same))[:, :, None]
    whole = np.isclose(weights.sum(axis=2), 1)  # both neighbours reach
    return weights * whole[:, :, None]


def _hat(knots: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Linear interpolation from sorted `knots` to `grid` as a matrix [grid, knots]; rows outside are zero.

    Knots between two grid points belong to the upper one, as a budget that they fit into.
    """
    matrix = np.stack([np.interp(grid, knots, unit) for unit in np.eye(len(knots))], axis=1)
    inside = (grid >= knots[0] - 1e-9) & (grid <= knots[-1] + 1e-9)
    if not inside.any():
        inside = np.arange(len(grid)) == np.searchsorted(grid, knots[-1])
    return matrix * inside[:, None]


def _grid(values: np.ndarray) -> np.ndarray:
    return np.arange(np.ceil(values.min() / STEP - 1e-9), np.ceil(values.max() / STEP - 1e-9) + 1) * STEP


def _join(parts: list[Points]) -> Points:
    return Points(**{key: np.concatenate([getattr(part, key) for part in parts]) for key in vars(parts[0])})
