"""Every number of frontier.json, from rated agents: frontier, changepoint, trade-off, exchange rate, predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from experiments import fits, intervals, planner
from experiments.envelope import Agents, Envelope, Points
from experiments.fits import FitError, Fitted
from experiments.intervals import Sample

BAND = 200.0  # Elo, width of the bands of the exchange rate
MOST_BANDS = 6
CLOSE = 50.0  # Elo; "within 50 Elo of perfect play" (Jones 2021)
ABOVE = 200.0  # Elo above 0 that errors of ratings do not explain: 0 is neither perfect play nor the best agent


@dataclass(frozen=True)
class Settings:
    """What the fits may be told; see configs/frontier.yaml."""

    replicates: int = 200
    max_evaluations: float = 64.0
    plan_targets: tuple[float, ...] = (-300.0, -100.0)
    plan_budgets: tuple[float, ...] = ()
    plan_moves: tuple[float, ...] = (1e3, 1e6, 1e9)
    seed: int = 0


# ---- the frontier and its changepoint ------------------------------------------------------------------------------


def changepoint(agents: Agents, settings: Settings) -> tuple[dict, Points, Fitted | None, list[str]]:
    """(numbers, frontier points, fit, warnings) of the best Elo for each train compute."""
    if not len(agents):
        most = f"at most {settings.max_evaluations:g} evaluations per move"
        return {}, _rows(agents, True), None, [f"frontier: no agent has {most}; raise max_evaluations"]
    curve, points = _envelope(agents, True, lambda points: fits.changepoint_shape(len(np.unique(points.size))))
    if not ends_at_zero(agents):
        return {}, points, None, [f"frontier: Elo go up to {agents.elo.max():.0f}, where the model ends at 0, perfect "
                                  "play or the best agent of a size: subtract that agent's Elo, or, in a study, leave "
                                  "out anchor="]  # fmt: skip
    shape = fits.changepoint_shape(len(np.unique(points.size)))
    try:
        fitted = fits.fit(points, shape)
    except FitError as error:
        return {}, points, None, [f"frontier: {error}"]
    rng = np.random.default_rng(settings.seed)

    def statistic(sample: Sample) -> dict[str, float]:
        return fits.fit(_points(curve, agents, sample, True), fitted.shape, fitted).parameters()

    spans = intervals.bootstrap(agents, statistic, settings.replicates, rng)
    names = ("flops_slope", "size_slope", "intercept", "plateau_slope", "plateau_intercept")
    known = fitted.parameters()
    numbers: dict[str, Any] = {name: known.get(name) for name in names}
    numbers |= {"rmse": fitted.rmse, "residual_variance": fitted.residual_variance,
                "ci": {name: spans.get(name) for name in names if name in known},
                "points": fitted.counts(),
                "taken_as": "rows" if curve is None else "envelope"}  # fmt: skip
    return numbers, points, fitted, fitted.warnings("frontier")


def ends_at_zero(agents: Agents) -> bool:
    """Whether 0 Elo can be perfect play or the best agent."""
    return agents.elo.max(initial=-np.inf) <= ABOVE


def _envelope(agents: Agents, flat: bool, shape_of) -> tuple[Envelope | None, Points]:
    """The envelope and its points; no envelope where the rows of a table follow one surface themselves."""
    if (agents.run < 0).all():
        rows = _rows(agents, flat)
        try:
            if fits.fit(rows, shape_of(rows)).residual_variance < fits.ROWS_ARE_SURFACE:
                return None, rows
        except FitError:
            pass
    envelope = Envelope(agents, flat)
    return envelope, _points(envelope, agents, intervals.original(agents), flat)


def _points(envelope: Envelope | None, agents: Agents, sample: Sample, flat: bool) -> Points:
    if envelope is None:
        return _rows(agents.with_elo(sample.elo), flat)
    return envelope.points(sample.elo, sample.splits, sample.times)


def _rows(agents: Agents, flat: bool) -> Points:
    """Every agent as a point."""
    test = np.zeros(len(agents)) if flat else agents.test
    return Points(agents.size, agents.train, test, agents.elo, agents.recipe)


def leave_one_size_out(points: Points) -> list[dict]:
    """How well the changepoint model predicts the frontier of a size from the other sizes; needs three sizes."""
    found = []
    sizes = np.unique(points.size)
    for size in sizes if len(sizes) >= 3 else []:
        there = points.size == size
        try:
            fitted = fits.fit(points.take(~there), fits.changepoint_shape(len(sizes) - 1))
        except FitError:
            continue
        error = points.elo[there] - fitted.predict(points.take(there))
        found.append({"size": size, "points": int(there.sum()), "rmse": float(np.sqrt(np.mean(error**2))),
                      "bias": float(np.mean(error))})  # fmt: skip
    return found


# ---- the trade-off -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tradeoff:
    """The fitted surface with what the figures need."""

    points: Points
    fitted: Fitted
    per_size: dict[float, Fitted]
    numbers: dict
    plans: list[dict]
    warnings: list[str]


def tradeoff(agents: Agents, forward: dict[int, dict], settings: Settings, brief: bool = False) -> Tradeoff:
    """The surface of the best Elo over both kinds of compute, its exchange rate, and what follows from it.

    `forward` describes recipes for the planner; `brief` leaves out sizes, bands and plans. Raises FitError where the
    surface cannot be fitted.
    """
    surface, points = _envelope(agents, False, lambda points: fits.tradeoff_shape(len(np.unique(points.size))))
    sizes = np.unique(points.size)
    pooled = fits.fit(points, fits.tradeoff_shape(len(sizes)))
    per_size, doubts = ({}, []) if brief else _by_size(points, dict.fromkeys(sizes))
    warnings = pooled.warnings("trade-off") + doubts
    edges = band_edges(points, pooled) if not brief else np.zeros(0)
    lattices = {size: planner.lattice(points.take(points.size == size)) for size in per_size}
    wanted = planner.wishes(settings.plan_targets, settings.plan_budgets, settings.plan_moves)

    def describe(points: Points, pooled: Fitted, singles: dict[float, Fitted]) -> dict[str, float]:
        numbers = _slopes("", pooled)
        for size, fitted in singles.items():
            numbers |= _slopes(f"size {size:g} ", fitted)
            numbers |= planner.costs(f"size {size:g} ", fitted, lattices[size], wanted)
        for band in fits.bands(points, pooled, edges) if len(edges) else []:
            numbers[f"band {band.low:g} train_slope"] = band.train_slope
            numbers[f"band {band.low:g} test_slope"] = band.test_slope
            numbers[f"band {band.low:g} exchange_rate"] = band.exchange_rate
        return numbers

    def statistic(sample: Sample) -> dict[str, float]:
        drawn = _points(surface, agents, sample, False)
        return describe(drawn, fits.fit(drawn, pooled.shape, pooled), _by_size(drawn, per_size)[0])

    estimate = describe(points, pooled, per_size)
    spans = intervals.bootstrap(agents, statistic, settings.replicates, np.random.default_rng(settings.seed + 1))
    pick = partial(_section, estimate, spans)
    numbers = pick("")
    numbers |= {key: value for key, value in pooled.parameters().items() if key not in numbers}
    numbers |= {"rmse": pooled.rmse, "residual_variance": pooled.residual_variance,
                "points": pooled.counts(),
                "taken_as": "rows" if surface is None else "envelope"}  # fmt: skip
    if not brief:
        numbers["per_size"] = {f"{s:g}": pick(f"size {s:g} ") | {"rmse": f.rmse, "points": len(f.on_floor)}
                               for s, f in per_size.items()}  # fmt: skip
        numbers["by_elo"] = [{"low": b.low, "high": b.high, "points": b.points} | pick(f"band {b.low:g} ")
                             for b in fits.bands(points, pooled, edges)]  # fmt: skip
    plans = [row for s in per_size for row in planner.table(s, estimate, spans, wanted, points, forward)]
    warnings += _doubts(numbers)
    return Tradeoff(points, pooled, per_size, numbers, plans, warnings)


def _by_size(points: Points, starts: Mapping[float, Fitted | None]) -> tuple[dict[float, Fitted], list[str]]:
    """The surface of each size alone, where it can be fitted, and what is to be doubted of them.

    `starts`: the sizes, each with an earlier fit to begin from, or None.
    """
    found, doubts = {}, []
    for size, start in starts.items():
        try:
            found[size] = fits.fit(points.take(points.size == size), fits.tradeoff_shape(1), start)
            doubts += found[size].doubts(f"trade-off at size {size:g}")
        except FitError as error:
            doubts.append(f"trade-off at size {size:g}: {error}")
    return found, doubts


def band_edges(points: Points, surface: Fitted) -> np.ndarray:
    """Edges of the Elo bands, down from the ceiling to the lowest strength on the plane."""
    top = surface["ceiling"]
    count = int(np.clip(np.ceil((top - points.elo.min()) / BAND), 1, MOST_BANDS))
    return 50 * np.round(top / 50) - BAND * np.arange(count, -1, -1)


def _slopes(prefix: str, fitted: Fitted) -> dict[str, float]:
    train, test = fitted["train_slope"], fitted["test_slope"]
    return {
        f"{prefix}train_slope": train,
        f"{prefix}test_slope": test,
        f"{prefix}exchange_rate": fits.ratio(train, test),
    }


def _section(estimate: dict, spans: dict, prefix: str) -> dict:
    """The three numbers that begin with `prefix`, each with its interval."""
    found = {}
    for name in ("train_slope", "test_slope", "exchange_rate"):
        found[name] = estimate.get(prefix + name)
        found[f"{name}_ci"] = intervals.holding(spans.get(prefix + name, [float("nan")] * 2), found[name])
    return found


def _doubts(numbers: dict) -> list[str]:
    found = []
    if not numbers["train_slope"] > 0 or not numbers["test_slope"] > 0:
        found.append(f"trade-off: slopes {numbers['train_slope']:.0f} and {numbers['test_slope']:.0f} Elo per decade; "
                     "one is not positive, so the exchange rate means nothing")  # fmt: skip
    low, high = numbers["exchange_rate_ci"]
    if np.isnan(low):
        found.append("trade-off: the table says nothing about errors of ratings or about runs, so the exchange rate "
                     "has no interval; add elo_se or run")  # fmt: skip
    elif not np.isfinite(high):
        found.append("trade-off: search hardly helps in some resamples, so the exchange rate has no upper bound")
    elif numbers["exchange_rate"] in (low, high):
        found.append("trade-off: the exchange rate lies at the edge of its interval, which was widened to hold it: "
                     "with so few runs the resamples are biased; more seeds would tell")  # fmt: skip
    return found


# ---- how much was needed -------------------------------------------------------------------------------------------


def reached(agents: Agents, close: float = CLOSE) -> dict[float, dict | None]:
    """Per size, the agent with the least training that is within `close` Elo of 0; None where there is none.

    No envelope and no correction: these are agents that exist, each with the error of its own rating. None too where
    0 is not the end of the scale.
    """
    found: dict[float, dict | None] = {}
    for size in np.unique(agents.size):
        near = np.flatnonzero((agents.size == size) & (agents.elo >= -close) & ends_at_zero(agents))
        first = near[np.argmin(agents.train[near])] if len(near) else None
        found[size] = None if first is None else {"agent": str(agents.name[first]), "elo": float(agents.elo[first]),
                                                  "log10_train": float(agents.train[first])}  # fmt: skip
    return found
