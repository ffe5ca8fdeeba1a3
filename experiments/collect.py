"""From tables to the agents that the fits use: compute on log axes, which runs and recipes they come from."""

from __future__ import annotations

import re

import numpy as np

from experiments.envelope import Agents
from experiments.ratings import Rated
from experiments.records import Table


def collect(table: Table, errors: np.ndarray, selfplay_macs: bool = False) -> Agents:
    """The agents of a rated table [n] whose compute is known; `errors` [R, n] are draws of the rating errors.

    `selfplay_macs` counts training as Jones (2021) does: multiply-adds of self-play alone.
    """
    rows = len(table["elo"])
    flops = table["selfplay_flops"] / 2 if selfplay_macs else table["train_flops"]
    test = table.get("test_flops_per_move", np.full(rows, np.nan))
    known = np.isfinite(table["elo"]) & np.isfinite(flops) & (flops > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        everyone = Agents(
            name=table.get("agent", np.array([f"row {n}" for n in range(rows)], object)),
            size=table["size"], train=np.log10(flops), test=np.where(test > 0, np.log10(test), np.nan),
            elo=table["elo"], run=_numbers(_run_keys(table)), recipe=_numbers(_recipe_keys(table)),
            arm=_numbers(_arm_keys(table)), errors=errors,
        )  # fmt: skip
    return everyone.take(known)


def _text(table: Table, name: str) -> np.ndarray:
    rows = len(table["elo"])
    values = table.get(name, np.full(rows, "", object))
    return np.array(["" if value is None or value != value else str(value) for value in values], object)


def _run_keys(table: Table) -> list[tuple | None]:
    """Game, size and name. A run on several sizes has the same training behind it at each, and bears the smallest."""
    keys = list(zip(_text(table, "game"), table["size"], _text(table, "run"), strict=True))
    flops: dict[tuple, set] = {}
    for key, value in zip(keys, table["train_flops"], strict=True):
        flops.setdefault(key, set()).add(value)
    first: dict[tuple, tuple] = {}
    for game, size, run in sorted(flops):
        first.setdefault((game, run, frozenset(flops[game, size, run])), (game, size, run))
    return [first[game, run, frozenset(flops[game, size, run])] if run else None for game, size, run in keys]


def _recipe_keys(table: Table) -> list[tuple | None]:
    """Runs that differ only in the seed: same network, and the same run name once the seed is taken out of it."""
    columns = [_text(table, name) for name in ("game", "size", "network", "width", "depth", "run", "seed")]
    keys: list[tuple | None] = []
    for *network, run, seed in zip(*columns, strict=True):
        bare = re.sub(rf"(seed[=_-]?|(?<![a-z])s){re.escape(seed)}(?!\d)", "", run) if seed else run
        keys.append((*network, bare) if run else None)
    return keys


def _arm_keys(table: Table) -> list[tuple]:
    """Strategy and budget; where the table has no budget, the compute per move tells searches apart."""
    budgets, spent = _text(table, "budget"), _text(table, "test_flops_per_move")
    return list(zip(_text(table, "strategy"), np.where(budgets == "", spent, budgets), strict=True))


def _numbers(keys: list) -> np.ndarray:
    """Keys as numbers from 0, None as -1."""
    order = {key: number for number, key in enumerate(sorted({key for key in keys if key is not None}, key=str))}
    return np.array([order.get(key, -1) for key in keys])


def rated_table(rated: list[Rated], agents: Table) -> Table:
    """The columns of `agents` with elo (nan where an agent played no match), in the order of `agents`."""
    elo = {name: value for one in rated for name, value in zip(one.pool.names, one.elo, strict=True)}
    return {**agents, "elo": np.array([elo.get(name, np.nan) for name in agents["agent"]])}


def rating_errors(rated: list[Rated], agents: Table, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Bootstrap draws of the rating errors in the order of `agents`, [replicates, n]."""
    row = {name: number for number, name in enumerate(agents["agent"])}
    errors = np.zeros((replicates, len(row)))
    for one in rated:
        errors[:, [row[name] for name in one.pool.names]] = one.bootstrap(replicates, rng)
    return errors


def recipes(table: Table) -> dict[int, dict]:
    """Network, width, depth and forward FLOPs of each recipe number that `collect` gives."""
    columns = {name: table[name] for name in ("network", "width", "depth", "forward_flops") if name in table}
    found: dict[int, dict] = {}
    for row, number in enumerate(_numbers(_recipe_keys(table))):
        if number >= 0:
            found.setdefault(int(number), {name: _plain(values[row]) for name, values in columns.items()})
    return found


def _plain(value):
    return None if value is None or value != value or value == "" else value


def assumed_errors(table: Table, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of independent rating errors from the column elo_se, [replicates, n]; none without the column."""
    rows = len(table["elo"])
    spread = np.nan_to_num(table.get("elo_se", np.zeros(rows)))
    return rng.normal(0, spread, (replicates, rows)) if spread.any() else np.zeros((0, rows))
