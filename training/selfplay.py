"""Self-play of many games in lockstep, out of phase with each other, so that finished games arrive evenly.

Array axes: B games, L moves of a game (at most the game's longest), A actions, P planes, H x W board.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from agents.strategies.puct import root_policy
from games import Game
from mcts import Evaluator, Puct, search
from mcts.streams import sample_rows, seed_streams, uniform
from training.settings import Training


class Samples(NamedTuple):
    """What the learner learns from, n positions in the mover's frame."""

    planes: np.ndarray  # float16 [n, P, H, W]
    policy: np.ndarray  # float32 [n, A]: share of visits
    value: np.ndarray  # float32 [n]: the game's result for the player to move


class Played(NamedTuple):
    """One lockstep move of all games."""

    samples: Samples  # of the games that ended with it
    lengths: np.ndarray  # int64 [ended games]: their lengths in moves
    evaluations: int
    simulations: int
    entropy: float  # mean entropy of the search policy, nats


class SelfPlay:
    """Games in flight and what was recorded of them; everything in `arrays()` is the complete state."""

    def __init__(self, game: Game, settings: Training, rule: Puct, seed: int):
        self.game, self.settings, self.rule = game, settings, rule
        batch = settings.games
        moves = (batch, game.max_length)
        self.streams = seed_streams(seed, 1, np.arange(batch))
        self.states = game.reset(batch)
        self.lengths = np.zeros(batch, np.int64)
        self.planes = np.zeros((*moves, *game.observation_shape), np.float16)
        self.policy = np.zeros((*moves, game.num_actions), np.float32)
        self.mover = np.zeros(moves, np.int8)
        self._scatter_phases()

    def arrays(self) -> dict[str, np.ndarray]:
        """The live arrays, by name."""
        names = ("streams", "states", "lengths", "planes", "policy", "mover")
        return {name: getattr(self, name) for name in names}

    def play_move(self, evaluate: Evaluator) -> Played:
        """Search every game, draw a move from the visits, play it, and hand over the games that ended."""
        rows = np.arange(len(self.states))
        tree = search(self.game, self.states, evaluate, self.settings.budget, self.rule, self.streams)
        policy = root_policy(tree)
        actions = sample_rows(self.streams, policy)
        movers = self.game.to_move(self.states)
        self.planes[rows, self.lengths] = self.game.observe(self.states)
        self.policy[rows, self.lengths] = np.take_along_axis(policy, self.game.views[movers], axis=1)
        self.mover[rows, self.lengths] = movers
        self.lengths += 1
        self.game.advance(self.states, actions)
        ended = np.flatnonzero(self.game.over(self.states))
        samples, lengths = self._samples(ended), self.lengths[ended]
        self._begin(ended)
        entropy = -(policy * np.log(np.maximum(policy, 1e-9))).sum(1).mean()
        return Played(samples, lengths, int(tree.evaluations.sum()), int(tree.simulations.sum()), float(entropy))

    def _samples(self, rows) -> Samples:
        kept = np.arange(self.game.max_length) < self.lengths[rows, None]
        results = self.game.result(self.states)[rows, None].astype(np.float32)
        value = np.where(self.mover[rows] == 0, results, -results)
        return Samples(self.planes[rows][kept], self.policy[rows][kept], value[kept])

    def _begin(self, rows) -> None:
        """New games, each from 0 to opening_moves random moves in, so that odd openings are learnt too."""
        self.states[rows] = self.game.reset(len(rows))
        self.lengths[rows] = 0
        if self.settings.opening_moves:
            self._move_randomly(rows, self.settings.opening_moves + 1)

    def _scatter_phases(self) -> None:
        """Begin the first games a random number of random moves in, so that the batch is out of phase."""
        self._move_randomly(np.arange(len(self.states)), self.game.max_length)

    def _move_randomly(self, rows, most: int) -> None:
        """0 to most - 1 random moves in each game; games that end so begin anew. Nothing is recorded."""
        remaining = np.zeros(len(self.states))
        remaining[rows] = [int(most * uniform(self.streams, b)) for b in rows]
        while len(rows := np.flatnonzero((remaining > 0) & ~self.game.over(self.states))):
            states, streams = self.states[rows], self.streams[rows]
            self.game.advance(states, sample_rows(streams, self.game.legal(states).astype(np.float32)))
            self.states[rows], self.streams[rows] = states, streams
            remaining[rows] -= 1
        ended = self.game.over(self.states)
        self.states[ended] = self.game.reset(int(ended.sum()))
