"""Measuring a search beside its own limits, interleaved, so that a busy machine disturbs both alike.

One repetition is a whole search, then the same evaluator's forward passes alone (as many, of the same batch sizes),
then a plain matrix product. Shares are taken within a repetition; the median over repetitions counts, and the quartiles
say how noisy the machine was.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from agents.network import Network, NetworkEvaluator
from games import Game
from mcts import Rule, Search, search
from mcts.streams import seed_streams, uniform, uniforms
from training.settings import SettingsError

PRODUCT = (512, 256, 256)  # rows, inner, columns of the plain float32 product
KERNELS = {"receive": "walk", "_descend": "walk", "_receive_and_descend": "walk", "_attach_and_descend": "attach"}


@dataclass(frozen=True)
class Case:
    """What is measured: a search of `batch` games with `budget` simulations each, `leaves` of a tree together."""

    game: Game
    network: Network
    rule: Rule
    batch: int
    budget: int
    threads: int
    seed: int
    precision: str = "float32"
    leaves: int = 1


def measure(case: Case, repetitions: int, detail: bool, progress: Callable[[], object]) -> dict:
    """One row of bench.json. `progress` is called after each repetition."""
    states = scattered(case.game, case.batch, case.seed)
    evaluator = Recorder(NetworkEvaluator(case.network, precision=case.precision))
    run = functools.partial(run_search, case, evaluator)
    run(states[:2])  # compiles; a single row would compile for arrays of another layout
    memory = Memory()
    evaluator.sizes.clear()
    tree = run(states)
    memory.stop()
    sizes = list(evaluator.sizes)
    flops = sum(sizes) * case.network.forward_flops
    multiply, product_flops = _product(flops)
    seconds, parts = [], []
    for _ in range(repetitions):
        seconds.append([_seconds(lambda: run(states)), _seconds(lambda: evaluator.replay(sizes)), _seconds(multiply)])
        if detail:
            parts.append(_parts(case.game, evaluator, lambda: run(states)))
        progress()
    total, network, product = np.array(seconds).T
    simulations = int(tree.simulations.sum())
    return {
        "rule": type(case.rule).__name__.lower(),
        "game": case.game.name, "size": case.game.size, "batch": case.batch, "budget": case.budget,
        "leaves": case.leaves, "threads": case.threads, "precision": case.precision,
        "network": case.network.title, **case.network.settings,
        "forward_flops": case.network.forward_flops, "repetitions": repetitions,
        **quartiles("simulations_per_s", simulations / total),
        **quartiles("evaluations_per_s", sum(sizes) / total),
        **quartiles("moves_per_s", case.batch / total),
        **quartiles("network_share", network / total),
        **quartiles("matmul_share", (flops / total) / (product_flops / product)),
        **quartiles("matmul_gflops_per_s", product_flops / product / 1e9),
        "search_mb": memory.growth_mb, "arrays_mb": round(sum(array.nbytes for array in tree.tree) / 2**20, 1),
        "peak_mb": memory.peak_mb, "parts_us": _per_simulation(parts, simulations),
    }  # fmt: skip


def run_search(case: Case, evaluator: Recorder, states: np.ndarray) -> Search:
    """One search of all positions, with the same random numbers every time."""
    streams = seed_streams(case.seed, 3, np.arange(len(states)))
    return search(case.game, states, evaluator, case.budget, case.rule, streams, case.leaves)


def scattered(game: Game, batch: int, seed: int) -> np.ndarray:
    """Unfinished positions [B, S] after various numbers of random moves, as self-play out of phase has them."""
    streams = seed_streams(seed, 2, np.arange(batch))
    states = game.reset(batch)
    remaining = np.array([uniform(streams, b) for b in range(batch)]) * game.max_length
    for move in range(game.max_length):
        rows = np.flatnonzero((remaining > move) & ~game.over(states))
        after, drawn = states[rows], streams[rows]
        game.advance(after, game.pick(after, uniforms(drawn)))
        states[rows], streams[rows] = after, drawn
    ended = game.over(states)
    states[ended] = game.reset(int(ended.sum()))
    return states


class Recorder:
    """An evaluator that notes its batch sizes and can repeat them alone."""

    def __init__(self, evaluate):
        self.evaluate = evaluate
        self.sizes: list[int] = []
        self.planes = np.zeros(0, np.float32)

    def __call__(self, planes):
        self.sizes.append(len(planes))
        if len(planes) > len(self.planes):
            self.planes = planes
        return self.evaluate(planes)

    def replay(self, sizes: list[int]) -> None:
        for size in sizes:
            self.evaluate(self.planes[:size])


# ---- the machine ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def pinned(threads: int) -> Iterator[list[int] | None]:
    """Run on the first `threads` cores that this process may use, with as many torch threads; yields the cores.

    Yields None where the system has no pinning. Raises SettingsError for more threads than cores.
    """
    before = torch.get_num_threads()
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else None
    available = len(allowed) if allowed else os.cpu_count() or 1
    if threads > available:
        raise SettingsError(f"threads={threads} cannot be: this process may use {available} cores; lower threads")
    torch.set_num_threads(threads)
    try:
        if allowed:
            os.sched_setaffinity(0, allowed[:threads])
        yield allowed[:threads] if allowed else None
    finally:
        torch.set_num_threads(before)
        if allowed:
            os.sched_setaffinity(0, allowed)


@contextlib.contextmanager
def unpinned() -> Iterator[None]:
    """Inside `pinned`: all cores of the machine again."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Memory:
    """Peak memory of this process from now on, in MB, and its growth; None where the system does not tell."""

    def __init__(self):
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is in use now
        self._before = self._status("VmRSS")

    def stop(self) -> None:
        peak = self._status("VmHWM")
        unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss: bytes there, KiB elsewhere
        self.peak_mb = round(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
        self.growth_mb = round(peak - self._before, 1) if peak and self._before else None

    @staticmethod
    def _status(key: str) -> float | None:
        try:
            lines = Path("/proc/self/status").read_text().splitlines()
        except OSError:
            return None
        return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith(key + ":")), None)


def _product(flops: int) -> tuple[Callable[[], None], int]:
    """A function that multiplies matrices for about a tenth of `flops`, and the FLOPs it spends."""
    rows, inner, columns = PRODUCT
    a, b, c = torch.rand(rows, inner), torch.rand(inner, columns), torch.empty(rows, columns)
    once = 2 * rows * inner * columns
    count = max(20, flops // 10 // once)

    def multiply():
        for _ in range(count):
            torch.mm(a, b, out=c)

    return multiply, count * once


# ---- arithmetic ----------------------------------------------------------------------------------------------------


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def quartiles(name: str, samples: np.ndarray) -> dict:
    """The median under `name`, the lower and upper quartile beside it; four digits."""
    low, median, high = (float(f"{value:.4g}") for value in np.quantile(samples, [0.25, 0.5, 0.75]))
    return {name: median, f"{name}_spread": [low, high]}


# ---- where the time goes -------------------------------------------------------------------------------------------


def _parts(game: Game, evaluator: Recorder, run: Callable[[], object]) -> dict[str, float]:
    """Seconds of one search by part."""
    module = importlib.import_module("mcts.sweep")
    seconds: dict[str, float] = defaultdict(float)

    def timed(name, function):
        def wrapper(*args):
            start = time.perf_counter()
            result = function(*args)
            seconds[name] += time.perf_counter() - start
            return result

        return wrapper

    kernels = {attribute: timed(name, getattr(module, attribute)) for attribute, name in KERNELS.items()}
    with (
        mock.patch.multiple(module, **kernels),
        mock.patch.object(game, "step_at", timed("step", game.step_at)),
        mock.patch.object(evaluator, "evaluate", timed("network", evaluator.evaluate)),
    ):
        total = _seconds(run)
    return {**seconds, "rest": total - sum(seconds.values())}


def _per_simulation(parts: list[dict[str, float]], simulations: int) -> dict[str, float]:
    """Medians in microseconds."""
    names = parts[0] if parts else {}
    return {name: round(float(np.median([one[name] for one in parts])) / simulations * 1e6, 3) for name in names}
