"""What the tests of training share: small games, a tiny recipe, and evaluators without a network."""

import numpy as np
import pytest

from games import make
from mcts import Puct
from training.run import Recipe
from training.settings import Training


@pytest.fixture(scope="session")
def hex3():
    return make("hex", size=3)


@pytest.fixture(scope="session")
def tictactoe():
    return make("tictactoe")


@pytest.fixture(scope="session")
def hash_evaluator():
    """Made-up logits and values that depend on the row alone."""

    def make_one(game, seed=0):
        inputs = int(np.prod(game.observation_shape))
        weights = np.random.default_rng(seed).integers(1, 10**6, (inputs, game.num_actions + 1))

        def evaluate(planes):
            mixed = planes.reshape(len(planes), inputs).astype(np.int64) @ weights % 997
            answers = (mixed / 498 - 1).astype(np.float32)
            return answers[:, :-1], answers[:, -1].copy()

        return evaluate

    return make_one


TINY = {
    "positions": 600, "games": 12, "budget": 6, "replay_positions": 200, "batch": 24, "steps_per_move": 2,
    "snapshots_per_decade": 8.0,
}  # fmt: skip


@pytest.fixture
def recipe(hex3):
    """A run of a second."""

    def make_one(game=hex3, seed=0, width=8, depth=1, family="fc", **settings):
        network = {"name": family, "width": width, "depth": depth}
        return Recipe(game, network, Puct(), Training(**(TINY | settings)), seed)

    return make_one
