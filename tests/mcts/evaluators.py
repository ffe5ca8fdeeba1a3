"""Evaluators whose answer for a row depends on that row alone, to the last bit: integer arithmetic only."""

import numpy as np


class HashEvaluator:
    """Logits and values made up from a hash of the planes; records the size of each batch.

    `grain` is the number of different values: few of them make many ties, which is where two searches part ways.
    """

    def __init__(self, actions, seed=0, grain=997):
        self.actions, self.seed, self.grain = actions, seed, grain
        self.batches = []

    def __call__(self, planes):
        self.batches.append(len(planes))
        rows = planes.reshape(len(planes), int(np.prod(planes.shape[1:]))).astype(np.int64)
        weights = np.random.default_rng(self.seed).integers(1, 10**6, (rows.shape[1], self.actions + 1))
        mixed = (rows @ weights + np.arange(self.actions + 1) * 7919) % self.grain
        answers = (mixed / max(self.grain - 1, 1) * 2 - 1).astype(np.float32)
        return 2 * answers[:, :-1], answers[:, -1].copy()


def indifferent(actions):
    """Every action equally likely, every position worth 0."""
    return lambda planes: (np.zeros((len(planes), actions), np.float32), np.zeros(len(planes), np.float32))


def random_positions(game, count, seed):
    """`count` unfinished positions after random play of random length, [count, S]."""
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < count:
        state = game.reset(1)[0]
        for _ in range(rng.integers(game.max_length)):
            following = game.play(state, rng.choice(np.flatnonzero(game.legal(state[None])[0])))
            if game.over(following[None])[0]:
                break
            state = following
        found.append(state)
    return np.array(found)
