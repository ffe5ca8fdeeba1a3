"""How many torch threads a process takes: a number given, or `auto`, chosen from network, cores and processes.

Threads wait for each other at every product and the tree has one, so a second pays only where the network is most of
the work and has a core to itself: docs/speed.md, "Threads and processes". torch's pool is the only one at work, since
the compiled kernels of games, trees and forward passes run in the thread that calls them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import joblib
import torch

from agents.network import Network
from training.settings import SettingsError

AUTO = "auto"
PAYING_FLOPS = 500_000  # of one evaluation; measured on two cores, docs/speed.md
MOST = 2  # with three and more, what is a row's answer depends on its place in the batch: agents/dense.py


class Choice(NamedTuple):
    """A number of torch threads and why it is this one."""

    number: int
    reason: str


def check(asked: Any) -> None:
    """Raises SettingsError for what is no number of threads."""
    if asked != AUTO and (isinstance(asked, bool) or not isinstance(asked, int) or asked < 1):
        raise SettingsError(f"threads={asked} cannot be: expected auto, or a whole number of at least 1")


def choose(asked: Any, forward_flops: float, cores: int, processes: int = 1) -> Choice:
    """The threads of each of `processes` processes on `cores` cores, for a network of `forward_flops` per evaluation.

    forward_flops: 0 where another device than the processor's cores does the work.
    """
    if asked != AUTO:
        return Choice(asked, "as asked")
    if forward_flops == 0:
        return Choice(1, "the network is not computed on the processor's cores")
    if cores < 2 * processes:
        return Choice(1, f"{processes} at a time on {cores} cores leave none for a second thread")
    if forward_flops < PAYING_FLOPS:
        return Choice(1, f"below {PAYING_FLOPS:,} FLOPs per evaluation a second thread costs more than it gains")
    return Choice(MOST, f"from {PAYING_FLOPS:,} FLOPs per evaluation a second core pays, and there are {cores} for "
                        f"{processes} at a time")  # fmt: skip


def take(asked: Any, networks: Iterable[Network], device: str) -> int:
    """Set and return the torch threads of this process for these networks, as if the machine were its own."""
    flops = max((network.forward_flops for network in networks), default=0) if device == "cpu" else 0
    number = choose(asked, flops, cores()).number
    torch.set_num_threads(number)
    return number


def cores() -> int:
    """Processor cores that this process may use, by its affinity and its container's limits."""
    return joblib.cpu_count()


def side_by_side(jobs: int, pieces: int) -> int:
    """How many of so many pieces of work run at a time; jobs=-1 is one per core."""
    return max(1, min(cores() if jobs == -1 else jobs, pieces))
