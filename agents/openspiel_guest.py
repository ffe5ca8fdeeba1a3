"""Our games as OpenSpiel's algorithms in Python take them, where OpenSpiel has no such game.

Its search (`open_spiel.python.algorithms.mcts`, `minimax`) asks a position for no more than is written here. Random
games to their end are played by compiled code; all else is OpenSpiel's.
"""

from __future__ import annotations

import functools
import sys

import numba
import numpy as np
import pyspiel
from absl import logging
from open_spiel.python.algorithms import mcts

from agents.agent import AgentError
from agents.openspiel import Counterpart
from games import Game
from games.core import OVER, RESULT, Rules
from mcts.streams import seed_streams, uniform

# absl, which comes with it, closes the stderr it found when the logging of the process is next configured, unless it is
# the process's own: a redirected one would be lost to everybody.
logging.get_absl_handler().python_handler.setStream(sys.__stderr__)


class GuestGame:
    """A game with the words of `pyspiel.Game`; what kind of game it is, it has in common with tic-tac-toe."""

    def __init__(self, game: Game):
        self.game = game
        self.get_type = pyspiel.load_game("tic_tac_toe").get_type

    def num_players(self) -> int:
        return 2

    def max_utility(self) -> float:
        return 1.0

    def new_initial_state(self) -> GuestPosition:
        return GuestPosition(self.game, self.game.reset(1))


class GuestPosition:
    """One position, `states` [1, S], with the words of `pyspiel.State`."""

    def __init__(self, game: Game, states: np.ndarray):
        self.game, self.states = game, states

    def clone(self) -> GuestPosition:
        return GuestPosition(self.game, self.states.copy())

    def child(self, action: int) -> GuestPosition:
        child = self.clone()
        child.apply_action(action)
        return child

    def apply_action(self, action: int) -> None:
        self.game.advance(self.states, np.array([action]))

    def legal_actions(self, player: int | None = None) -> list[int]:
        return np.flatnonzero(self.game.legal(self.states)[0]).tolist()

    def current_player(self) -> int:
        return pyspiel.PlayerId.TERMINAL if self.is_terminal() else int(self.game.to_move(self.states)[0])

    def is_chance_node(self) -> bool:
        return False

    def is_terminal(self) -> bool:
        return bool(self.game.over(self.states)[0])

    def returns(self) -> list[float]:
        first = float(self.game.result(self.states)[0])
        return [first, -first]

    def player_return(self, player: int) -> float:
        return self.returns()[player]


class RandomGames:
    """OpenSpiel's evaluator by random rollouts: the mean result of `count` games of uniformly random moves."""

    def __init__(self, game: Game, count: int, seed: int):
        self.game, self.count = game, count
        self.streams = seed_streams(seed, np.arange(1))
        self.mask = np.zeros(game.num_actions, np.bool_)

    def evaluate(self, position: GuestPosition) -> np.ndarray:
        """What both players get, [2]."""
        total = _play_out(self.game.rules)(position.states[0], self.game.params, self.count, self.mask, self.streams)
        return np.array([total, -total]) / self.count

    def prior(self, position: GuestPosition) -> list[tuple[int, float]]:
        actions = position.legal_actions()
        return [(action, 1 / len(actions)) for action in actions]


@functools.cache
def _play_out(rules: Rules):
    """A kernel over the game's own functions, compiled once per process as `games.core` does with its batches."""
    legal, apply = rules.legal, rules.apply

    @numba.njit(nogil=True)
    def play_out(start, params, count, mask, streams):
        """The sum of the results of `count` random games from `start` [S], for player 0."""
        total = 0
        for _ in range(count):
            state = start.copy()
            while state[OVER] == 0:
                legal(state, params, mask)
                actions = np.flatnonzero(mask)
                apply(state, params, actions[int(uniform(streams, 0) * len(actions))])
            total += state[RESULT]
        return total

    return play_out


class Guest:
    """A game that OpenSpiel does not have, in the place of `agents.openspiel.Counterpart`: actions keep their numbers.

    Raises AgentError for a game that does not run on its compiled rules alone.
    """

    def __init__(self, game: Game):
        if type(game).advance is not Game.advance or type(game).legal is not Game.legal:
            raise AgentError(
                f"{game.title} has no counterpart in OpenSpiel (Game.openspiel_id is None) and its own way of playing "
                "moves (Game.advance, Game.legal): expected a game of compiled rules, or one that names a counterpart; "
                "drop the OpenSpiel player, or choose another game"
            )
        self.game = game
        self.ours = np.arange(game.num_actions)
        self.reference = GuestGame(game)

    def position(self, history: np.ndarray) -> GuestPosition:
        """The position after our actions `history` [T]."""
        position = self.reference.new_initial_state()
        for action in history.tolist():
            position.apply_action(action)
        return position

    def mcts_bot(self, c: float, simulations: int, rollouts: int, seed: int):
        """OpenSpiel's MCTSBot in Python."""
        return mcts.MCTSBot(self.reference, c, simulations, RandomGames(self.game, rollouts, seed), solve=True,
                            random_state=np.random.RandomState(seed))  # fmt: skip


def in_openspiel(game: Game) -> Counterpart | Guest:
    """The game for OpenSpiel's players: its own, or ours as its guest."""
    return Guest(game) if game.openspiel_id is None else Counterpart(game)
