"""The two models of strength over compute, fitted robustly, with starts that come from the data.

Changepoint (Jones 2021, arXiv 2104.03113, section 4.1), over sizes b jointly, F = log10 train compute:

    Elo = min(max(flops_slope F + size_slope b + intercept, plateau_slope b + plateau_intercept), 0)

Trade-off, X = log10 train FLOPs, Y = log10 test FLOPs per move, terms in b only where there are several sizes:

    Elo = min(max(train_slope X + test_slope Y + size_slope b + intercept, floor_slope b + floor_intercept), ceiling)

Both are a rising plane between a floor and a ceiling. The clamps have no gradient outside the plane's reach, so that a
careless start stays where it is and returns nonsense without a word: every fit starts from several planes through the
middle of the data, and what the best of them leaves unexplained is reported and judged.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import scipy.optimize

from experiments.envelope import Points

LOSS_SCALE = 60.0  # Elo; residuals well above it count linearly, not squared (soft L1)
LARGE_RESIDUAL = 0.1  # share of the variance left unexplained above which a fit is not to be trusted
ROWS_ARE_SURFACE = 0.04  # share unexplained below which the rows of a table without runs are the surface themselves
LARGE_RMSE = 40.0  # Elo; below this an unexplained share is noise of a flat table, not a failure


class FitError(ValueError):
    """Data from which the model cannot be fitted; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Shape:
    """Which columns make up the rising plane and the floor, and what the ceiling is.

    `rising` names slopes for X, Y, b and 1 in this order, `floor` for b and 1; a name that is None is left out.
    `ceiling` is a fixed Elo or None, to be fitted. Without any name in `floor` there is none.
    """

    rising: tuple[str | None, ...]
    floor: tuple[str | None, ...]
    ceiling: float | None

    def columns(self, points: Points) -> tuple[np.ndarray, np.ndarray]:
        """Design matrices of the plane [K, p] and of the floor [K, q]."""
        one = np.ones(len(points))
        plane = (points.train, points.test, points.size, one)
        floor = (points.size, one)
        return _chosen(plane, self.rising), _chosen(floor, self.floor)

    def names(self) -> list[str]:
        """Parameters in the order of the vector that is fitted."""
        fitted = [name for name in (*self.rising, *self.floor) if name]
        return fitted if self.ceiling is not None else [*fitted, "ceiling"]


def _chosen(columns: tuple[np.ndarray, ...], names: tuple[str | None, ...]) -> np.ndarray:
    return np.array([c for c, name in zip(columns, names, strict=True) if name]).reshape(-1, len(columns[-1])).T


def changepoint_shape(sizes: int) -> Shape:
    """Jones's model; without its size terms where there is one size."""
    many = sizes > 1
    return Shape(("flops_slope", None, "size_slope" if many else None, "intercept"),
                 ("plateau_slope" if many else None, "plateau_intercept"), 0.0)  # fmt: skip


def tradeoff_shape(sizes: int) -> Shape:
    """The plane in both kinds of compute; without its size terms where there is one size."""
    many = sizes > 1
    return Shape(("train_slope", "test_slope", "size_slope" if many else None, "intercept"),
                 ("floor_slope" if many else None, "floor_intercept"), None)  # fmt: skip


@dataclass(frozen=True)
class Fitted:
    """A fitted model: parameters by name, and how well it describes the points it was fitted to."""

    shape: Shape
    vector: np.ndarray
    rmse: float  # Elo
    residual_variance: float  # share of the variance of Elo that is left
    on_floor: np.ndarray  # bool [K]
    on_ceiling: np.ndarray  # bool [K]

    def __getitem__(self, name: str) -> float:
        return float(self.vector[self.shape.names().index(name)])

    def counts(self) -> dict[str, int]:
        """Points on each part of the model."""
        low, high = int(self.on_floor.sum()), int(self.on_ceiling.sum())
        return {"rising": len(self.on_floor) - low - high, "floor": low, "ceiling": high}

    def parameters(self) -> dict[str, float]:
        """Parameters by name."""
        return dict(zip(self.shape.names(), self.vector.tolist(), strict=True))

    def predict(self, points: Points) -> np.ndarray:
        """Elo of the model at the points, [K]."""
        return _model(self.shape, points, self.vector)[0]

    def plane(self, points: Points) -> np.ndarray:
        """The rising plane alone, without floor and ceiling, [K]."""
        a, _ = self.shape.columns(points)
        return a @ self.vector[: a.shape[1]]

    def doubts(self, what: str) -> list[str]:
        """Why the slopes are not to be trusted, if so."""
        found = []
        if self.residual_variance > LARGE_RESIDUAL and self.rmse > LARGE_RMSE:
            found.append(f"{what}: the fit leaves {self.residual_variance:.0%} of the variance ({self.rmse:.0f} Elo "
                         "rms) unexplained; its parameters are not to be trusted")  # fmt: skip
        if self.counts()["rising"] < sum(map(bool, self.shape.rising)):
            found.append(f"{what}: too few points lie between floor and ceiling to determine its slopes")
        return found

    def warnings(self, what: str) -> list[str]:
        """What a reader must know before using the numbers."""
        found = self.doubts(what)
        if not any(self.shape.floor):
            found.append(f"{what}: too few points are weak enough to show the floor, so the model goes without it")
        if self.on_ceiling.sum() < 2:
            found.append(f"{what}: hardly any point reaches the ceiling, so its height is not determined")
        return found


def fit(points: Points, shape: Shape, start: Fitted | None = None) -> Fitted:
    """The model that minimises the soft-L1 loss of the residuals.

    `start` is an earlier fit whose shape is taken and from which the search begins, in place of starts from the data.

    A floor that the points do not determine (too few on it, or at too few sizes) is left out of the model. Raises
    FitError for points that cannot determine the rising plane.
    """
    if start is not None:
        return _fit(points, start.shape, start)
    fitted = _fit(points, shape, None)
    _, floor = shape.columns(points)
    on_floor = floor[fitted.on_floor]
    if any(shape.floor) and (len(on_floor) < 2 or np.linalg.matrix_rank(on_floor) < floor.shape[1]):
        return _fit(points, replace(shape, floor=(None, None)), None)
    return fitted


def _fit(points: Points, shape: Shape, start: Fitted | None) -> Fitted:
    plane, floor = shape.columns(points)
    _check(points, shape, plane)
    begin = [start.vector] if start is not None else _starts(points, shape, plane, floor)
    best: scipy.optimize.OptimizeResult | None = None
    for vector in begin:
        found = scipy.optimize.least_squares(
            lambda v: _model(shape, points, v, (plane, floor))[0] - points.elo, vector,
            jac=lambda v: _model(shape, points, v, (plane, floor))[1],
            loss="soft_l1", f_scale=LOSS_SCALE, x_scale="jac", max_nfev=60,
        )  # fmt: skip
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    return _fitted(points, shape, best.x, plane, floor)


def _fitted(points: Points, shape: Shape, vector: np.ndarray, plane: np.ndarray, floor: np.ndarray) -> Fitted:
    predicted, _ = _model(shape, points, vector, (plane, floor))
    residual = points.elo - predicted
    rising = plane @ vector[: plane.shape[1]]
    low = _low(floor, vector[plane.shape[1] :])
    top = shape.ceiling if shape.ceiling is not None else vector[-1]
    on_ceiling, on_floor = predicted >= top, (rising < low) & (low < top)
    variance = float(np.mean(residual**2) / max(np.var(points.elo), 1e-12))
    return Fitted(shape, vector, float(np.sqrt(np.mean(residual**2))), variance,
                  on_floor, on_ceiling)  # fmt: skip


def _model(shape: Shape, points: Points, vector: np.ndarray, columns=None) -> tuple[np.ndarray, np.ndarray]:
    """(Elo [K], its derivatives [K, parameters])."""
    plane, floor = columns or shape.columns(points)
    p, q = plane.shape[1], floor.shape[1]
    rising, low = plane @ vector[:p], _low(floor, vector[p:])
    top = shape.ceiling if shape.ceiling is not None else vector[-1]
    value = np.minimum(np.maximum(rising, low), top)
    below = (value < top)[:, None]
    gradient = np.zeros((len(points), len(vector)))
    gradient[:, :p] = plane * (below & (rising >= low)[:, None])
    gradient[:, p : p + q] = floor * (below & (rising < low)[:, None])
    if shape.ceiling is None:
        gradient[:, -1] = ~below[:, 0]
    return value, gradient


def _low(floor: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Height of the floor, [K]; -inf where the model has none."""
    q = floor.shape[1]
    return floor @ vector[:q] if q else np.full(len(floor), -np.inf)


def _starts(points: Points, shape: Shape, plane: np.ndarray, floor: np.ndarray) -> list[np.ndarray]:
    """Planes through the points between several quantiles of the Elo range, with the floor and ceiling beside them."""
    starts = []
    for cut in (0.05, 0.12, 0.25, 0.35):
        low, high, middle = np.zeros(len(points)), np.zeros(len(points)), np.zeros(len(points), bool)
        for size in np.unique(points.size):
            here = points.size == size
            least, most = np.quantile(points.elo[here], [0.02, 0.98])
            low[here], high[here] = least, most
            share = (points.elo[here] - least) / max(most - least, 1e-9)
            middle[here] = (share > cut) & (share < 1 - cut)
        if np.linalg.matrix_rank(plane[middle]) < plane.shape[1]:
            continue
        rising = np.linalg.lstsq(plane[middle], points.elo[middle])[0]
        below = np.linalg.lstsq(floor, low)[0]
        starts.append(np.concatenate([rising, below, [] if shape.ceiling is not None else [np.max(high)]]))
    if not starts:
        rising = np.linalg.lstsq(plane, points.elo)[0]
        starts = [np.concatenate([rising, np.linalg.lstsq(floor, points.elo * 0 + points.elo.min())[0],
                                  [] if shape.ceiling is not None else [points.elo.max()]])]  # fmt: skip
    return starts


def _check(points: Points, shape: Shape, plane: np.ndarray) -> None:
    parameters = len(shape.names())
    if len(points) < parameters + 2:
        raise FitError(f"{len(points)} points for {parameters} parameters; expected at least {parameters + 2}; "
                       "rate more snapshots, budgets or networks")  # fmt: skip
    # Columns are centred first, since offsets in log10 FLOPs are large against their spread.
    spread = plane[:, :-1] - plane[:, :-1].mean(axis=0)
    if np.linalg.matrix_rank(spread, tol=1e-6 * np.sqrt(len(points))) < plane.shape[1] - 1:
        slopes = [name for name in shape.rising[:-1] if name]
        varied = [name for name, column in zip(slopes, spread.T, strict=True) if column.std() < 1e-6]
        raise FitError(f"the data do not determine {', '.join(varied) or 'the slopes'}: its column does not vary, or "
                       "only together with another; rate agents that differ in it")  # fmt: skip
    if np.ptp(points.elo) < 1:
        raise FitError(
            f"all Elo lie within {np.ptp(points.elo):.2g}; expected strengths that differ; rate weaker agents too"
        )


# ---- the exchange rate by strength ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Band:
    """Local slopes between two levels of the fitted surface."""

    low: float  # Elo
    high: float
    points: int
    train_slope: float
    test_slope: float

    @property
    def exchange_rate(self) -> float:
        """Decades of test compute that one decade of training buys off."""
        return ratio(self.train_slope, self.test_slope)


def ratio(train_slope: float, test_slope: float) -> float:
    """train_slope / test_slope; infinite where test compute does not help, nan where neither is known."""
    if test_slope > 0:
        return train_slope / test_slope
    return float("inf") if train_slope > 0 else float("nan")


def bands(points: Points, surface: Fitted, edges: np.ndarray, least: int = 12) -> list[Band]:
    """Planes fitted locally, one per interval of `edges` (Elo), an own intercept per size.

    Points are sorted into bands by the fitted plane, not by their own noisy Elo, which would flatten every slope.
    """
    level = surface.plane(points)
    found = []
    for low, high in itertools.pairwise(edges):
        inside = points.take((level >= low) & (level < high))
        slopes = _local_slopes(inside) if len(inside) >= least else (np.nan, np.nan)
        found.append(Band(float(low), float(high), len(inside), *slopes))
    return found


def _local_slopes(points: Points) -> tuple[float, float]:
    """Huber slopes by reweighted least squares."""
    intercepts = (points.size[:, None] == np.unique(points.size)).astype(float)
    design = np.column_stack([points.train - points.train.mean(), points.test - points.test.mean(), intercepts])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return np.nan, np.nan
    weights = np.ones(len(points))
    for _ in range(10):
        root = np.sqrt(weights)
        slopes = np.linalg.lstsq(design * root[:, None], points.elo * root)[0]
        weights = np.minimum(1, LOSS_SCALE / np.maximum(np.abs(points.elo - design @ slopes), 1e-9))
    return float(slopes[0]), float(slopes[1])
