"""Self-play of many games in lockstep, out of phase with each other, so that finished games arrive evenly.

Array axes: B games, L moves of a game that there is room for, A actions, P planes, H x W board.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from games import Game
from mcts import Evaluator, Rule, Search, search
from mcts.streams import seed_streams, uniform, uniforms
from training.memory import refuse_beyond_free
from training.settings import Training

RECORDED = ("planes", "policy", "mover", "learnt")  # arrays [B, L, ...]
ROOM = 256  # moves of a game at first, at most its longest; a game that fills it doubles it


class Samples(NamedTuple):
    """What the learner learns from, n positions in the mover's frame."""

    planes: np.ndarray  # float16 [n, P, H, W]
    policy: np.ndarray  # float32 [n, A]: what the search recommends
    value: np.ndarray  # float32 [n]: the game's result for the player to move


class Played(NamedTuple):
    """One lockstep move of all games."""

    samples: Samples  # of the games that ended with it
    lengths: np.ndarray  # int64 [ended games]: their lengths in moves
    evaluations: int
    simulations: int
    entropy: np.ndarray  # float32 [full searches]: entropy of the search policy, nats


class _Moves(NamedTuple):
    """What a search says of n games."""

    actions: np.ndarray  # int64 [n]
    policy: np.ndarray  # float32 [n, A]
    evaluations: int
    simulations: int


class SelfPlay:
    """Games in flight and what was recorded of them; everything in `arrays()` is the complete state.

    The games of a run's boards are numbered through: `board` says which they are, and so which random streams they own.
    """

    def __init__(self, game: Game, settings: Training, rule: Rule, seed: int, board: int = 0):
        self.game, self.settings, self.rule = game, settings, rule
        self.exploring = rule.exploring(settings.noise, settings.noise_concentration)
        batch = settings.games
        moves = (batch, min(game.max_length, ROOM))
        self.streams = seed_streams(seed, 1, board * batch + np.arange(batch))
        self.states = game.reset(batch)
        self.lengths = np.zeros(batch, np.int64)
        self.planes = np.zeros((*moves, *game.observation_shape), np.float16)
        self.policy = np.zeros((*moves, game.num_actions), np.float32)
        self.mover = np.zeros(moves, np.int8)
        self.learnt = np.zeros(moves, np.bool_)
        self._scatter_phases()
        reuse = rule.anytime and settings.full_moves == 1 if settings.reuse is None else settings.reuse
        self.kept = Search(game, self.states, self.exploring, settings.budget) if reuse else None

    def arrays(self) -> dict[str, np.ndarray]:
        """The live arrays, by name."""
        names = ("streams", "states", "lengths", *RECORDED)
        trees = {} if self.kept is None else self.kept.arrays()
        return {name: getattr(self, name) for name in names} | trees

    @property
    def room(self) -> int:
        """How many moves of a game can be recorded as things stand."""
        return self.mover.shape[1]

    def make_room(self, moves: int) -> None:
        """Let `moves` moves of a game be recorded, or all of the game's longest; what was recorded stays.

        Raises SettingsError, with everything as it was, where they do not fit into memory.
        """
        room = min(moves, self.game.max_length)
        missing = room - self.room
        if missing > 0:
            refuse_beyond_free(
                sum(getattr(self, name).nbytes for name in RECORDED) * room / self.room,
                f"training.games={len(self.states)} cannot be: one of {self.game.title} is longer than {self.room} "
                f"moves, and records of {room} moves a game", "free memory, and the same command goes on from the last "
                "checkpoint; or train with fewer games under another study.name",
            )  # fmt: skip
        for name in RECORDED if missing > 0 else ():
            held = getattr(self, name)
            setattr(self, name, np.pad(held, [(0, 0), (0, missing), *[(0, 0)] * (held.ndim - 2)]))

    def play_move(self, evaluate: Evaluator) -> Played:
        """Search every game, play the moves that the search explores, and hand over the games that ended."""
        if self.lengths.max() == self.room:
            self.make_room(2 * self.room)
        full = self._full()
        movers = self.game.to_move(self.states)
        place = np.arange(len(self.states)), self.lengths
        self.planes[place] = self.game.observe(self.states)
        self.mover[place], self.learnt[place] = movers, full
        moves = self._search(np.flatnonzero(full), self.exploring, self.settings.budget, evaluate)
        self.policy[full, self.lengths[full]] = np.take_along_axis(moves.policy, self.game.views[movers[full]], axis=1)
        actions = np.empty(len(self.states), np.int64)
        actions[full] = moves.actions
        fast = self._search(np.flatnonzero(~full), self.rule, self.settings.fast_budget, evaluate)
        actions[~full] = fast.actions
        self.lengths += 1
        self.game.advance(self.states, actions)
        ended = np.flatnonzero(self.game.over(self.states))
        samples, lengths = self._samples(ended), self.lengths[ended]
        self._begin(ended)
        if self.kept is not None:
            self.kept.follow(actions, self.states)
        entropy = -(moves.policy * np.log(np.maximum(moves.policy, 1e-9))).sum(1)
        return Played(samples, lengths, moves.evaluations + fast.evaluations, moves.simulations + fast.simulations,
                      entropy)  # fmt: skip

    def _full(self) -> np.ndarray:
        """Which games search this move with the whole budget, bool [B]; each draws for itself (Wu 2019, 3.1)."""
        if self.settings.full_moves == 1:
            return np.ones(len(self.states), np.bool_)
        drawn = np.array([uniform(self.streams, b) for b in range(len(self.streams))])
        return drawn <= self.settings.full_moves

    def _search(self, rows: np.ndarray, rule: Rule, budget: int, evaluate: Evaluator) -> _Moves:
        if not len(rows):
            return _Moves(np.zeros(0, np.int64), np.zeros((0, self.game.num_actions), np.float32), 0, 0)
        streams = self.streams[rows]
        if self.kept is None:
            found, before = search(self.game, self.states[rows], evaluate, budget, rule, streams), 0
        else:
            found, before = self.kept, int(self.kept.simulations.sum())
            found.run(evaluate, budget, streams)
        policy, actions = found.policy(), found.explore(streams)
        self.streams[rows] = streams
        return _Moves(actions, policy, int(found.evaluations.sum()), int(found.simulations.sum()) - before)

    def _samples(self, rows) -> Samples:
        kept = (np.arange(self.room) < self.lengths[rows, None]) & self.learnt[rows]
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
            self.game.advance(states, self.game.pick(states, uniforms(streams)))
            self.states[rows], self.streams[rows] = states, streams
            remaining[rows] -= 1
        ended = self.game.over(self.states)
        self.states[ended] = self.game.reset(int(ended.sum()))
