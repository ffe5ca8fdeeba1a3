"""How much more several processes do than one: searches side by side, each process pinned to a core of its own.

In turns, one process searches alone and then all of them together, so that a busy machine disturbs both alike. The
ratio is the simulations per second of all together over those of one alone; as many as there are processes would be
perfect.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time

import numpy as np

from experiments.measure import Case, Recorder, run_search, scattered
from games import stopping
from training.settings import SettingsError


def scaling(case: Case, processes: int, repetitions: int) -> dict:
    """Median ratio and its quartiles. Raises SettingsError for more processes than cores."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    if processes > len(cores):
        raise SettingsError(
            f"processes={processes} cannot be: this process may use {len(cores)} cores; lower processes"
        )
    context = multiprocessing.get_context("spawn")
    workers = []
    for core in cores[:processes]:
        ours, theirs = context.Pipe()
        worker = context.Process(target=_serve, args=(theirs, case, core), daemon=True)
        with stopping.unheard_by_children():
            worker.start()
        theirs.close()  # so that the worker's end is heard
        workers.append((worker, ours))
    try:
        for _, pipe in workers:
            pipe.recv()  # compiled
        ratios = []
        for _ in range(repetitions):
            alone = _rates(workers[:1])[0]
            ratios.append(sum(_rates(workers)) / alone)
    except (EOFError, ConnectionError):
        raise ChildProcessError("one of the processes that search side by side was killed, most often for want of "
                                "memory: lower processes") from None  # fmt: skip
    finally:
        for worker, _ in workers:
            worker.terminate()
            worker.join()
    low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return {"processes": processes, "scaling": round(float(median), 3),
            "scaling_spread": [round(float(low), 3), round(float(high), 3)]}  # fmt: skip


def _rates(workers) -> list[float]:
    for _, pipe in workers:
        pipe.send("search")
    return [pipe.recv() for _, pipe in workers]


def _serve(pipe, case: Case, core: int) -> None:
    """A process of its own: searches once for every message, and answers with simulations per second."""
    import torch

    from agents.network import NetworkEvaluator

    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    states = scattered(case.game, case.batch, case.seed)
    evaluator = Recorder(NetworkEvaluator(case.network, precision=case.precision))
    run_search(case, evaluator, states)
    with contextlib.suppress(EOFError, ConnectionError):  # whoever asked has left
        pipe.send("ready")
        while True:
            pipe.recv()
            begun = time.perf_counter()
            found = run_search(case, evaluator, states)
            pipe.send(int(found.simulations.sum()) / (time.perf_counter() - begun))
