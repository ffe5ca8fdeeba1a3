"""Intervals: a bootstrap over rating errors and runs.

Each draw gives all ratings new errors (openings and games resampled, see ratings.py) and draws new runs; the envelope
is then taken and fitted again. Points of a fitted curve are never resampled: neighbours share runs and games, and
intervals that ignore it are far too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from experiments.envelope import Agents
from experiments.fits import FitError

SPLITS = 24  # splits in halves that a point estimate averages over; replicates use fewer
REPLICATE_SPLITS = 2
LEVEL = 0.95  # of all intervals


@dataclass(frozen=True)
class Sample:
    """One draw of what might have been."""

    elo: np.ndarray  # [n]
    splits: np.ndarray  # [K, n], draws of the rating errors for the winner's curse
    times: np.ndarray | None  # how often each run counts, by run number; None: once


def original(agents: Agents) -> Sample:
    """The data as they are."""
    return Sample(agents.elo, agents.errors[:SPLITS], None)


def resampled(agents: Agents, rng: np.random.Generator) -> Sample:
    """New rating errors and new runs.

    Runs are drawn within their recipe where every recipe has several seeds, one fewer than there are, so that the mean
    of the few keeps its variance (Rao & Wu 1988, JASA 83); else within their size, since a recipe that was run once
    says nothing about its luck. A run on several sizes is drawn as one, with all of them, among those on the same
    sizes. Tables without runs keep their rows.
    """
    elo, splits = agents.elo, agents.errors[:0]
    if len(agents.errors):
        drawn = rng.choice(len(agents.errors), REPLICATE_SPLITS + 1)
        elo, splits = elo + agents.errors[drawn[0]], agents.errors[drawn[1:]]
    if agents.run.max(initial=-1) < 0:
        return Sample(elo, splits, None)
    recipes = _strata(agents, agents.recipe)
    repeated = min(map(len, recipes)) > 1
    times = np.zeros(agents.run.max() + 1, int)
    for runs in recipes if repeated else _strata(agents, agents.size):
        np.add.at(times, rng.choice(runs, len(runs) - repeated), 1)
    return Sample(elo, splits, times)


def _strata(agents: Agents, labels: np.ndarray) -> list[list[int]]:
    """Runs whose agents bear the same set of labels, in the order of these."""
    found: dict[tuple, list[int]] = {}
    for run in np.unique(agents.run[agents.run >= 0]):
        found.setdefault(tuple(np.unique(labels[agents.run == run])), []).append(run)
    return [found[key] for key in sorted(found)]


def percentiles(draws: np.ndarray) -> list[float]:
    """The central interval of draws, [low, high]; infinite draws count, nan do not."""
    draws = draws[~np.isnan(draws)]
    if len(draws) < 20:
        return [float("nan"), float("nan")]
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="inverted_cdf")
    return [float(low), float(high)]


def holding(interval: list[float], estimate: float | None) -> list[float]:
    """The interval, widened to the estimate where that lies outside.

    Resamples hold fewer different runs than the data, so an envelope over them is biased against the estimate's own.
    """
    low, high = interval
    if estimate is None or not np.isfinite(estimate) or np.isnan(low) or np.isnan(high):
        return interval
    return [min(low, estimate), max(high, estimate)]


def bootstrap(agents: Agents, statistic: Callable[[Sample], dict[str, float]], replicates: int,
              rng: np.random.Generator) -> dict[str, list[float]]:  # fmt: skip
    """Interval of every number of `statistic` over resampled data; draws in which it cannot be fitted are left out.

    Empty where the agents carry neither rating errors nor runs: there is nothing to draw from.
    """
    draws: dict[str, list[float]] = {}
    if not len(agents.errors) and agents.run.max(initial=-1) < 0:
        return {}
    for _ in range(replicates):
        try:
            numbers = statistic(resampled(agents, rng))
        except FitError:
            continue
        for name, value in numbers.items():
            draws.setdefault(name, []).append(value)
    return {name: percentiles(np.array(values)) for name, values in draws.items()}
