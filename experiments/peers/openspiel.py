"""OpenSpiel's searches, one position after another.

uct         its MCTS in C++, leaves valued by one random game each: no network
alphazero   its MCTS in Python, as its AlphaZero uses it, leaves valued by our network in numpy
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import numpy as np
import pyspiel
from open_spiel.python.algorithms import mcts

from experiments.peers.positions import moves_to
from games import make


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("open_spiel", "numpy")}


def prepare(task: dict) -> Callable[[], object]:
    """One search of each of the task's first positions, as many as `games` says."""
    arrays = np.load(task["arrays"])
    game = pyspiel.load_game(f"hex(board_size={task['size']})")
    states = [game.new_initial_state() for _ in range(task["games"])]
    for state, moves in zip(states, moves_to(make("hex", size=task["size"]), arrays["states"]), strict=False):
        for move in moves[moves >= 0]:
            state.apply_action(int(move))
    weights = {name: arrays[f"weights/{name}"] for name in task["weights"]}
    search = SEARCHES[task["rule"]](game, task, weights)
    return lambda: [search(state) for state in states]


OWNERS = {"x": 0, "o": 1, ".": -1}  # letters of OpenSpiel's drawing


class OurNetwork(mcts.Evaluator):
    """agents/networks/fc.py in numpy, as OpenSpiel's Python search asks for it."""

    def __init__(self, task: dict, weights: dict[str, np.ndarray]):
        self.depth, self.weights, self.shape = task["depth"], weights, (task["size"], task["size"])
        self.answers: dict[str, tuple] = {}  # by history; of one search, as OpenSpiel's own evaluator keeps them

    def evaluate(self, state):
        """Values for both players."""
        _, value = self._forward(state)
        return np.array([value, -value] if state.current_player() == 0 else [-value, value])

    def prior(self, state):
        """(action, probability) of the legal actions."""
        logits, _ = self._forward(state)
        legal = state.legal_actions()
        weights = np.exp(logits[legal] - logits[legal].max())
        return list(zip(legal, weights / weights.sum(), strict=True))

    def _forward(self, state):
        """Logits over cells, value for the player to move."""
        history = state.history_str()
        if history not in self.answers:
            self.answers[history] = self._compute(state)
        return self.answers[history]

    def _compute(self, state):
        mover = state.current_player()
        cells = np.array([OWNERS[letter] for letter in str(state).split()]).reshape(self.shape)
        cells = cells if mover == 0 else cells.T
        x = self._linear("input", np.concatenate([cells == mover, cells == 1 - mover]).reshape(-1).astype(np.float32))
        for k in range(self.depth):
            x = x + self.weights[f"blocks.{k}.alpha"] * self._linear(f"blocks.{k}", np.maximum(x, 0))
        outputs = self._linear("heads", np.maximum(x, 0))
        logits = outputs[:-1].reshape(self.shape)
        return (logits if mover == 0 else logits.T).reshape(-1), np.tanh(outputs[-1])

    def _linear(self, name, x):
        return self.weights[f"{name}.weight"] @ x + self.weights[f"{name}.bias"]


# ---- searches ------------------------------------------------------------------------------------------------------


def uct(game, task, weights):
    """Exploration as in OpenSpiel's own example."""
    rollouts = pyspiel.RandomRolloutEvaluator(1, task["seed"])
    return pyspiel.MCTSBot(game, rollouts, 2.0, task["budget"], 1000, False, task["seed"], False).mcts_search


def alphazero(game, task, weights):
    def search(state):
        random = np.random.RandomState(task["seed"])
        return mcts.MCTSBot(
            game, 1.5, task["budget"], OurNetwork(task, weights), solve=False, random_state=random,
            child_selection_fn=mcts.SearchNode.puct_value,
        ).mcts_search(state)  # fmt: skip

    return search


SEARCHES = {"uct": uct, "alphazero": alphazero}
