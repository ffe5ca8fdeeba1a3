"""The figures of a study, as matplotlib figures without any global state; every axis names unit and convention."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.analysis import ends_at_zero
from experiments.arena_settings import ALWAYS
from experiments.envelope import Agents, Points
from experiments.fits import Fitted
from experiments.result import Result
from games.files import write_bytes

INK, SOFT, ACCENT = "#22303c", "#8b98a5", "#b4472e"
STRENGTH = matplotlib.colormaps["viridis"]
TRAIN_AXIS = "training compute (FLOPs, 1 multiply-add = 2)"
TEST_AXIS = "search compute per move (FLOPs, 1 multiply-add = 2)"
STYLE: dict[Any, Any] = {
    "font.size": 9.5, "font.family": "sans-serif", "axes.edgecolor": SOFT, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#e6eaee", "grid.linewidth": 0.7, "axes.axisbelow": True, "axes.titlesize": 10.5,
    "axes.titlelocation": "left", "axes.titleweight": "bold", "legend.frameon": False, "svg.hashsalt": "isoelo",
    "svg.fonttype": "path", "savefig.dpi": 160,
    "savefig.facecolor": "white", "xtick.major.size": 3, "ytick.major.size": 3,
}  # fmt: skip


def draw(result: Result) -> dict[str, Figure]:
    """All figures that the result has data for, by file name."""
    with matplotlib.rc_context(STYLE):
        found = {"elo_against_training": elo_against_training(result)}
        if result.tradeoff is not None:
            found["elo_against_search"] = elo_against_search(result)
            found["iso_elo"] = iso_elo(result)
            if result.tradeoff.numbers.get("by_elo"):
                found["exchange_rate"] = exchange_rate(result)
        if np.isfinite(result.table.get("optimality", np.zeros(0))).sum() > 1:
            found["optimality"] = optimality(result)
    return found


def save(drawn: dict[str, Figure], folder: Path) -> dict[str, bytes]:
    """Write every figure as PNG and SVG, each file whole or not at all; returns the SVGs by name."""
    pages = {}
    for name, figure in drawn.items():
        pages[name] = render(figure, "svg")
        write_bytes(folder / f"{name}.svg", pages[name])
        write_bytes(folder / f"{name}.png", render(figure, "png"))
    return pages


def render(figure: Figure, kind: str) -> bytes:
    """One figure as the bytes of a file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        FigureCanvasAgg(figure)
        figure.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return buffer.getvalue()


# ---- figures -------------------------------------------------------------------------------------------------------


def elo_against_training(result: Result) -> Figure:
    """Runs, envelope and changepoint fit, one panel per size."""
    figure, panels = _panels(result.agents.size, _elo(result))
    widths = _widths(result)
    for size, axes in panels.items():
        here = result.agents.take(result.agents.size == size)
        for members, arm in _curves(here):
            axes.plot(
                10 ** here.train[members], here.elo[members], color=STRENGTH(widths.get(arm, 0.3)), lw=0.8, alpha=0.55
            )
        lone = here.run < 0
        axes.plot(10 ** here.train[lone], here.elo[lone], ".", color=SOFT, ms=4, alpha=0.6)
        points = result.points.take(result.points.size == size)
        axes.plot(10**points.train, points.elo, "o", color=INK, ms=4.2, label="best for its training", zorder=5)
        if result.changepoint is not None:
            x = np.linspace(here.train.min(), here.train.max(), 300)
            line = _places(size, x, 0 * x)
            axes.plot(10**x, result.changepoint.predict(line), color=ACCENT, lw=1.8, label="changepoint fit", zorder=4)
        _outside_players(axes, result, size)
        axes.set_xscale("log")
    figure.supxlabel(TRAIN_AXIS, fontsize=9.5)
    next(iter(panels.values())).legend(loc="lower right")
    return figure


def elo_against_search(result: Result) -> Figure:
    """One line per snapshot over its budgets, coloured by training."""
    searched = result.agents.take(np.isfinite(result.agents.test))
    figure, panels = _panels(searched.size, _elo(result))
    low, high = searched.train.min(), searched.train.max()
    for size, axes in panels.items():
        here = searched.take(searched.size == size)
        for run, train in sorted(set(zip(here.run, here.train, strict=True))):
            members = np.flatnonzero((here.run == run) & (here.train == train))
            members = members[np.argsort(here.test[members])]
            color = STRENGTH((train - low) / max(high - low, 1e-9))
            axes.plot(10 ** here.test[members], here.elo[members], ".-", color=color, lw=0.8, ms=3.5, alpha=0.8)
        axes.set_xscale("log")
    figure.supxlabel(TEST_AXIS, fontsize=9.5)
    _colorbar(figure, list(panels.values()), low, high, "log$_{10}$ training FLOPs")
    return figure


def iso_elo(result: Result) -> Figure:
    """The measured envelope and the fitted iso-Elo lines in the plane of both kinds of compute."""
    surface = result.tradeoff
    assert surface is not None
    figure, panels = _panels(surface.points.size, TEST_AXIS.replace(" (", "\n("))
    low, high = surface.points.elo.min(), surface.points.elo.max()
    for size, axes in panels.items():
        here = surface.points.take(surface.points.size == size)
        axes.scatter(
            10**here.train, 10**here.test, c=here.elo, cmap=STRENGTH, vmin=low, vmax=high, s=16, lw=0, marker="s"
        )
        _contours(axes, surface.per_size.get(size, surface.fitted), here)
        axes.set(xscale="log", yscale="log")
        axes.set_xlim(10 ** (here.train.min() - 0.2), 10 ** (here.train.max() + 0.2))
        rate = surface.numbers.get("per_size", {}).get(f"{size:g}")
        if rate:
            rate_text = _spread(rate["exchange_rate"], rate["exchange_rate_ci"])
            axes.set_title(f"{_title(size)}\nexchange rate {rate_text}", fontsize=9.5)
    figure.supxlabel(TRAIN_AXIS, fontsize=9.5)
    _colorbar(figure, list(panels.values()), low, high, _elo(result))
    return figure


def exchange_rate(result: Result) -> Figure:
    """The exchange rate by strength, with the rate of the whole surface behind it."""
    surface = result.tradeoff
    assert surface is not None
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    whole, span = surface.numbers["exchange_rate"], np.array(surface.numbers["exchange_rate_ci"], float)
    if np.isfinite(span).all():
        axes.axhspan(*span, color=ACCENT, alpha=0.12, lw=0)
    top = [0.0, 1.0]
    if np.isfinite(whole):
        axes.axhline(whole, color=ACCENT, lw=1.4, label=f"whole surface: {_spread(whole, span)}")
        top += [whole]
    for band in surface.numbers["by_elo"]:
        rate, span = band["exchange_rate"], np.array(band["exchange_rate_ci"], float)
        if rate is None or not np.isfinite(rate):
            continue
        middle = (band["low"] + band["high"]) / 2
        axes.plot([band["low"], band["high"]], [rate, rate], color=INK, lw=1)
        axes.plot(middle, rate, "o", color=INK, ms=5)
        if np.isfinite(span[0]):
            axes.vlines(middle, span[0], span[1] if np.isfinite(span[1]) else 1e3, color=INK, lw=1.2)
        top += [rate, *span[np.isfinite(span)]]
    axes.set_ylim(min(top), min(max(top) * 1.15, 3 * max(whole, 1)))
    axes.set(xlabel=_elo(result),
             ylabel="decades of search per decade of training\n(train slope / test slope)")  # fmt: skip
    if np.isfinite(whole):
        axes.legend(loc="upper right")
    return figure


def optimality(result: Result) -> Figure:
    """Share of value-preserving moves beside Elo, one colour per size."""
    table = result.table
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    sizes = np.unique(table["size"])
    for number, size in enumerate(sizes):
        here = (table["size"] == size) & np.isfinite(table["train_flops"])
        color = STRENGTH(0.05 + 0.8 * number / max(len(sizes) - 1, 1))
        axes.plot(
            table["elo"][here], 100 * table["optimality"][here], ".", color=color, ms=5, alpha=0.7, label=_title(size)
        )
    axes.set(xlabel=_elo(result), ylabel="positions whose move keeps\nthe game-theoretic value (%)")
    axes.legend(loc="lower right")
    return figure


# ---- parts ---------------------------------------------------------------------------------------------------------


def _panels(sizes: np.ndarray, ylabel: str) -> tuple[Figure, dict]:
    """A figure with one panel per size, axes shared."""
    values = np.unique(sizes)
    figure = Figure(figsize=(max(9.3, 3.1 * len(values)), 3.7), layout="constrained")
    grid = figure.subplots(1, len(values), sharey=True, squeeze=False)[0]
    grid[0].set_ylabel(ylabel)
    for size, axes in zip(values, grid, strict=True):
        axes.set_title(_title(size))
    return figure, dict(zip(values, grid, strict=True))


def _elo(result: Result) -> str:
    """The title of an axis of strength."""
    return "Elo (perfect play or best agent = 0)" if ends_at_zero(result.agents) else "Elo"


def _title(size: float) -> str:
    return f"size {size:g}"


def _outside_players(axes, result: Result, size: float) -> None:
    """A line at the Elo of each player that nobody trained, but for random and perfect play."""
    for row in result.numbers.get("untrained_players", []):
        if row["size"] == size and row["strategy"] not in ALWAYS:
            axes.axhline(row["elo"], color=SOFT, lw=1, ls="--", zorder=2)
            name = row["agent"].partition(":")[2]
            axes.annotate(name, (0.02, row["elo"]), xycoords=("axes fraction", "data"), xytext=(0, 2),
                          textcoords="offset points", fontsize=7, color=INK, zorder=6,
                          bbox={"facecolor": "white", "alpha": 0.75, "pad": 0.6, "lw": 0})  # fmt: skip


def _curves(agents: Agents):
    """(members in order of training, recipe) of every run and budget."""
    keys = sorted({(run, arm) for run, arm in zip(agents.run, agents.arm, strict=True) if run >= 0})
    for run, arm in keys:
        members = np.flatnonzero((agents.run == run) & (agents.arm == arm))
        yield members[np.argsort(agents.train[members])], int(agents.recipe[members[0]])


def _widths(result: Result) -> dict[int, float]:
    """Recipe -> place of its network's cost on the colour scale, small to large."""
    from experiments.collect import recipes

    cost = {n: r["forward_flops"] for n, r in recipes(result.table).items() if r.get("forward_flops")}
    if not cost:
        return {}
    logs = np.log10(list(cost.values()))
    return {n: float(0.05 + 0.85 * (np.log10(c) - logs.min()) / max(np.ptp(logs), 1e-9)) for n, c in cost.items()}


def _places(size: float, train: np.ndarray, test: np.ndarray) -> Points:
    return Points(np.full(len(train), size), train, test, np.zeros(len(train)), np.zeros(len(train), int))


def _contours(axes, fitted: Fitted, here: Points) -> None:
    """Fitted iso-Elo lines where something was measured nearby."""
    x = np.linspace(here.train.min(), here.train.max(), 80)
    y = np.linspace(here.test.min(), here.test.max(), 80)
    grid_x, grid_y = np.meshgrid(x, y)
    plane = fitted.plane(_places(here.size[0], grid_x.ravel(), grid_y.ravel())).reshape(grid_x.shape)
    far = np.hypot(grid_x[..., None] - here.train, grid_y[..., None] - here.test).min(axis=-1) > 0.3
    plane = np.ma.masked_where(far, plane)
    top = fitted["ceiling"]
    levels = np.arange(np.ceil(here.elo.min() / 100) * 100, top - 20, 100 if np.ptp(here.elo) < 900 else 200)
    if len(levels):
        lines = axes.contour(
            10**grid_x, 10**grid_y, plane, levels=levels, colors=INK, linewidths=0.9, linestyles="solid"
        )
        axes.clabel(lines, fmt="%d", fontsize=7.5)


def _colorbar(figure: Figure, panels: list, low: float, high: float, label: str) -> None:
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(low, high), STRENGTH)
    bar = figure.colorbar(scale, ax=panels, pad=0.015, aspect=28)
    bar.set_label(label)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _spread(value: float, span) -> str:
    low, high = (np.nan if end is None else end for end in span)
    return f"{value:.2f}" if np.isnan(low) else f"{value:.2f} [{low:.2f}, {high:.2f}]"
