"""The newest positions, in a ring, and batches of them under random board symmetries."""

from __future__ import annotations

import numpy as np

from games import Game
from training.selfplay import Samples


class Replay:
    """A ring of `capacity` samples; `cursor` holds the next place and how many are held."""

    def __init__(self, game: Game, capacity: int):
        self.symmetries = game.symmetries
        self.planes = np.zeros((capacity, *game.observation_shape), np.float16)
        self.policy = np.zeros((capacity, game.num_actions), np.float32)
        self.value = np.zeros(capacity, np.float32)
        self.cursor = np.zeros(2, np.int64)

    def __len__(self) -> int:
        return int(self.cursor[1])

    def arrays(self) -> dict[str, np.ndarray]:
        """The live arrays, by name; what was never filled is left out of none, so that shapes stay fixed."""
        return {"planes": self.planes, "policy": self.policy, "value": self.value, "cursor": self.cursor}

    def add(self, samples: Samples) -> None:
        """Overwrite the oldest with these."""
        capacity, count = len(self.value), len(samples.value)
        places = (self.cursor[0] + np.arange(count)) % capacity
        self.planes[places], self.policy[places], self.value[places] = samples
        self.cursor[:] = (self.cursor[0] + count) % capacity, min(self.cursor[1] + count, capacity)

    def draw(self, count: int, rng: np.random.Generator) -> Samples:
        """`count` samples drawn with replacement, each seen through a random symmetry."""
        index = rng.integers(len(self), size=count)
        turn = rng.integers(len(self.symmetries.actions), size=count)
        flat = self.planes[index].reshape(count, self.planes.shape[1], -1)
        cells = self.symmetries.cells[turn][:, None, :]
        planes = np.take_along_axis(flat, cells, axis=2).reshape(count, *self.planes.shape[1:])
        policy = np.take_along_axis(self.policy[index], self.symmetries.actions[turn], axis=1)
        return Samples(planes, policy, self.value[index])
