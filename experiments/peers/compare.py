"""Searches of several programs in turns on one core, and how many times faster ours are.

Each program runs in a process of its own (experiments/peers/worker.py), so that neither's compiler nor threads disturb
the other; all of them are pinned to the same core, compile and warm up first, and then search one at a time. A ratio is
taken between searches of the same turn; the median over turns counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.network import NetworkEvaluator
from experiments.measure import scattered
from experiments.peers.isoelo import build
from training.settings import SettingsError

ROOT = Path(__file__).parents[2]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}  # fmt: skip


@dataclass(frozen=True)
class Entrant:
    """A search that takes part: a module of this package, one of its rules, and our rule that it is measured against.

    games: how many of the batch's positions it searches; those that search one after another need fewer.
    """

    program: str
    side: str
    rule: str
    against: str
    games: int | None = None


OURS = [Entrant("isoelo", "isoelo", rule, rule) for rule in ("gumbel", "puct")]
PEERS = {
    "mctx": [Entrant("mctx+pgx", "jax_search", rule, rule) for rule in ("gumbel", "puct")],
    "openspiel": [
        Entrant("openspiel, C++, rollouts", "openspiel", "uct", "puct", 16),
        Entrant("openspiel, Python, network", "openspiel", "alphazero", "puct", 8),
    ],
}


@dataclass(frozen=True)
class Contest:
    """What all entrants search."""

    size: int
    width: int
    depth: int
    positions: str  # start: the empty board; scattered: after various numbers of random moves
    batch: int
    budget: int
    seed: int


# ---- measuring -----------------------------------------------------------------------------------------------------


def compare(
    contest: Contest, entrants: list[Entrant], workers: dict, repetitions: int, progress: Callable
) -> list[dict]:
    """One row per entrant."""
    with tempfile.TemporaryDirectory() as folder:
        task = write_task(contest, Path(folder) / "contest.npz")
        for k, entrant in enumerate(entrants):
            games = min(entrant.games or contest.batch, contest.batch)
            workers[entrant.side].ask(do="prepare", name=k, task={**task, "rule": entrant.rule, "games": games})
        seconds: dict[int, list] = {k: [] for k in range(len(entrants))}
        for turn in range(repetitions):
            for k in sorted(seconds, reverse=turn % 2 == 1):  # there and back, so that nobody always follows the same
                answer = workers[entrants[k].side].ask(do="run", name=k)
                seconds[k].append((answer["wall"], answer["cpu"]))
            progress()
    return rows(contest, entrants, np.array([seconds[k] for k in seconds]))


def rows(contest: Contest, entrants: list[Entrant], seconds: np.ndarray) -> list[dict]:
    """Speeds and ratios from the seconds [entrants, repetitions, 2], of the wall and of the process."""
    games = np.array([min(entrant.games or contest.batch, contest.batch) for entrant in entrants])
    speeds = games[:, None, None] * contest.budget / seconds
    ours = {entrant.rule: k for k, entrant in enumerate(entrants) if entrant.side == "isoelo"}
    table = []
    for k, entrant in enumerate(entrants):
        row = {
            "program": entrant.program, "rule": entrant.rule, "game": "hex", "size": contest.size,
            "network": f"{contest.width}x{contest.depth}", "width": contest.width, "depth": contest.depth,
            "positions": contest.positions, "batch": contest.batch, "games": int(games[k]), "budget": contest.budget,
            "threads": 1, "repetitions": seconds.shape[1], **quartiles("simulations_per_s", speeds[k, :, 0]),
            **quartiles("simulations_per_cpu_s", speeds[k, :, 1]), "against": None,
        }  # fmt: skip
        if entrant.side != "isoelo" and entrant.against in ours:
            ratio = speeds[ours[entrant.against]] / speeds[k]
            row |= {
                "against": entrant.against,
                **quartiles("ratio", ratio[:, 0]),
                **quartiles("cpu_ratio", ratio[:, 1]),
            }
        table.append(row)
    return table


def quartiles(name: str, samples: np.ndarray) -> dict:
    """The median under `name`, the lower and upper quartile beside it; four digits."""
    low, median, high = (float(f"{value:.4g}") for value in np.quantile(samples, [0.25, 0.5, 0.75]))
    return {name: median, f"{name}_spread": [low, high]}


def write_task(contest: Contest, path: Path) -> dict:
    """The contest for the workers; positions, weights and our network's answers go to the file `path`."""
    task = {"size": contest.size, "width": contest.width, "depth": contest.depth, "seed": contest.seed,
            "budget": contest.budget, "arrays": str(path)}  # fmt: skip
    game, network = build(task)
    states = (
        scattered(game, contest.batch, contest.seed) if contest.positions == "scattered" else game.reset(contest.batch)
    )
    seen, values = NetworkEvaluator(network)(game.observe(states))
    logits = np.empty_like(seen)
    for b, to_move in enumerate(game.to_move(states)):
        logits[b, game.views[to_move]] = seen[b]
    weights = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    arrays = {f"weights/{name}": array for name, array in weights.items()}
    np.savez(path, states=states, logits=logits, values=values, **arrays)
    return {**task, "weights": list(weights)}


# ---- workers -------------------------------------------------------------------------------------------------------


class Worker:
    """A child process on a core of its choice, asked one thing at a time."""

    def __init__(self, python: str, side: str, core: int):
        self.side = side
        command = [python, "-m", "experiments.peers.worker", side, str(core)]
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, **request) -> dict:
        """The answer to one request. Raises SettingsError with the worker's last line if it fails."""
        assert self.process.stdin and self.process.stdout
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            answer = json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
        except BrokenPipeError:
            answer = {"error": "the process ended"}
        if "error" in answer:
            print(answer["error"], file=sys.stderr)
            raise SettingsError(f"the searches of {self.side!r} failed: {answer['error'].strip().splitlines()[-1]}")
        return answer


@contextmanager
def started(python: str, sides: set[str], core: int) -> Iterator[dict[str, Worker]]:
    """A worker per side; ours by this interpreter, the peers' by theirs. They end with the block."""
    workers = {side: Worker(sys.executable if side == "isoelo" else python, side, core) for side in sorted(sides)}
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.process.kill()
            worker.process.wait()
