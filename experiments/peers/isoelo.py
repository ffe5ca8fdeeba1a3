"""Our side of the comparison."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import numpy as np
import torch

import mcts
from agents.network import Network, NetworkEvaluator, make_network
from games import Game, make
from mcts.streams import seed_streams

RULES = {"puct": lambda: mcts.Puct(noise=0.25), "gumbel": lambda: mcts.Gumbel(noise=1.0)}
"""With the noise of self-play, as on the other side."""


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("torch", "numba", "numpy")}


def prepare(task: dict) -> Callable[[], object]:
    """One search of the task's positions, down to moves and policies; the first call compiles."""
    torch.set_num_threads(1)
    game, network = build(task)
    states = np.load(task["arrays"])["states"]
    settings = RULES[task["rule"]]()
    streams = seed_streams(task["seed"], np.arange(len(states)))
    evaluator = NetworkEvaluator(network)

    def run():
        found = mcts.search(game, states, evaluator, task["budget"], settings, streams)
        return found.explore(streams), found.policy()

    return run


def build(task: dict) -> tuple[Game, Network]:
    """Game and untrained network; parameters that begin at 0 are raised, so that no product can be skipped."""
    game = make("hex", size=task["size"])
    network = make_network("fc", game, task["seed"], width=task["width"], depth=task["depth"])
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.fill_(0.1)
    return game, network
