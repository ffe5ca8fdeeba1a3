"""What to buy: the cheapest training and search for a strength, or the greatest strength for a sum.

The total is train FLOPs + moves x test FLOPs per move. On the rising plane the cheapest split for a given strength has
train FLOPs : (moves x test FLOPs) = train_slope : test_slope, the exchange rate; the search here is restricted to the
part of the plane that was measured, so that a plan never extrapolates.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from experiments.envelope import STEP, Points
from experiments.fits import Fitted

FINE = 5  # lattice points per grid step


class Wish(NamedTuple):
    """A target strength or a total budget (the other is None), and how many moves will be played."""

    target_elo: float | None
    total_flops: float | None
    moves: float

    @property
    def key(self) -> str:
        what = f"elo {self.target_elo:g}" if self.target_elo is not None else f"total {self.total_flops:g}"
        return f"plan {what} moves {self.moves:g} "


def wishes(targets: tuple[float, ...], budgets: tuple[float, ...], moves: tuple[float, ...]) -> list[Wish]:
    """All combinations of targets and of budgets with numbers of moves."""
    return [Wish(target, None, n) for target, n in product(targets, moves)] + [
        Wish(None, total, n) for total, n in product(budgets, moves)
    ]


def lattice(points: Points) -> Points:
    """Budgets within half a grid step of the measured part of one size's envelope."""
    offsets = (np.arange(FINE) / FINE - 0.5 + 0.5 / FINE) * STEP
    train = (points.train[:, None, None] + offsets[None, :, None] + 0 * offsets[None, None, :]).ravel()
    test = (points.test[:, None, None] + 0 * offsets[None, :, None] + offsets[None, None, :]).ravel()
    inside = (train >= points.train.min()) & (train <= points.train.max())
    inside &= (test >= points.test.min()) & (test <= points.test.max())
    blank = np.zeros(len(train))
    return Points(blank + points.size[0], train, test, blank, blank.astype(int)).take(inside)


def best(fitted: Fitted, places: Points, wish: Wish) -> tuple[float, float, float] | None:
    """(log10 train, log10 test, Elo) of the best plan within `places`; None where none fulfils the wish."""
    elo = fitted.predict(places)
    total = 10**places.train + wish.moves * 10**places.test
    if wish.target_elo is not None:
        allowed = np.flatnonzero(elo >= wish.target_elo)
        chosen = allowed[np.argmin(total[allowed])] if len(allowed) else None
    else:
        allowed = np.flatnonzero(total <= (wish.total_flops or 0))
        chosen = allowed[np.lexsort((total[allowed], -elo[allowed]))[0]] if len(allowed) else None
    return None if chosen is None else (float(places.train[chosen]), float(places.test[chosen]), float(elo[chosen]))


def costs(prefix: str, fitted: Fitted, places: Points, wanted: list[Wish]) -> dict[str, float]:
    """The best plan of every wish as flat numbers, nan where there is none, for estimates and bootstrap draws alike."""
    numbers = {}
    for wish in wanted:
        train, test, elo = best(fitted, places, wish) or (np.nan,) * 3
        numbers[f"{prefix}{wish.key}train"] = train
        numbers[f"{prefix}{wish.key}test"] = test
        numbers[f"{prefix}{wish.key}elo"] = elo
        numbers[f"{prefix}{wish.key}total"] = float(np.log10(10**train + wish.moves * 10**test))
    return numbers


def table(
    size: float, estimate: dict, spans: dict, wanted: list[Wish], points: Points, recipes: dict[int, dict]
) -> list[dict]:
    """Rows of the report's plan, one per wish, with the network that wins nearest to it."""
    rows = []
    here = points.take(points.size == size)
    for wish in wanted:
        name = f"size {size:g} {wish.key}"
        row = {"size": size, **wish._asdict()}
        train, test = estimate[f"{name}train"], estimate[f"{name}test"]
        if np.isfinite(train):
            nearest = int(np.argmin(np.hypot(here.train - train, here.test - test)))
            network = recipes.get(int(here.recipe[nearest]), {})
            row |= {"elo": estimate[f"{name}elo"], "network": network.get("network"), "width": network.get("width"),
                    "depth": network.get("depth")}  # fmt: skip
            if network.get("forward_flops"):
                row["evaluations"] = max(10**test / network["forward_flops"], 1.0)
            for what in ("train", "test", "total"):
                row[f"log10_{what}_flops"] = estimate[name + what]
                row[f"log10_{what}_flops_ci"] = spans.get(name + what, [float("nan")] * 2)
            row["at_edge"] = bool(train > here.train.max() - STEP / 2 or test > here.test.max() - STEP / 2)
            row["elo_ci"] = spans.get(f"{name}elo", [float("nan")] * 2)
        rows.append(row)
    return rows
