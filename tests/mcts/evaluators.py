"""Evaluators whose answer for a row depends on that row alone, to the last bit: integer arithmetic only."""

import queue
import threading

import numpy as np

EXACT = 17
"""Grain with which logits and values are multiples of 1/8: every sum of them is exact in float32."""


class HashEvaluator:
    """Logits and values made up from a hash of the planes; records the size of each batch.

    `grain` is the number of different values: few of them make many ties, which is where two searches part ways.
    """

    def __init__(self, actions, seed=0, grain=997):
        self.actions, self.seed, self.grain = actions, seed, grain
        self.batches = []
        self.weights = None

    def __call__(self, planes):
        self.batches.append(len(planes))
        rows = planes.reshape(len(planes), int(np.prod(planes.shape[1:]))).astype(np.int64)
        if self.weights is None:
            rng = np.random.default_rng(self.seed)
            self.weights = rng.integers(1, 10**6, (rows.shape[1], self.actions + 1))
        mixed = (rows @ self.weights + np.arange(self.actions + 1) * 7919) % self.grain
        answers = (mixed / max(self.grain - 1, 1) * 2 - 1).astype(np.float32)
        return 2 * answers[:, :-1], answers[:, -1].copy()


class Submitted(HashEvaluator):
    """The same answers from a thread that takes its time, as a device would.

    It remembers the planes as they were lent and checks, when the answer is collected, that nobody wrote to them since.
    `most` is the largest number of batches that were under way together.
    """

    def __init__(self, actions, seed=0, grain=997):
        super().__init__(actions, seed, grain)
        self.under_way, self.most = 0, 0
        self.work = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def submit(self, planes):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        lent, answers = planes.copy(), queue.SimpleQueue()
        self.work.put((planes, answers))

        def collect():
            logits, values, seen = answers.get()
            self.under_way -= 1
            np.testing.assert_array_equal(seen, lent, "the planes changed before they were evaluated")
            np.testing.assert_array_equal(planes, lent, "the planes changed before their answer was collected")
            return logits, values

        return collect

    def close(self):
        self.work.put(None)
        self.thread.join()

    def _serve(self):
        while (task := self.work.get()) is not None:
            planes, answers = task
            threading.Event().wait(1e-4)  # so that the search goes on meanwhile
            answers.put((*self(planes), planes.copy()))


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
