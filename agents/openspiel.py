"""OpenSpiel's view of our games: which game of its it is, and its position after our moves."""

from __future__ import annotations

import functools

import numpy as np
import pyspiel

from agents.agent import AgentError
from games import Game
from games.openspiel_games import load_game

MEMORY_MB = 1000  # of a search tree, a bound of OpenSpiel's


class Counterpart:
    """A game of OpenSpiel that plays like ours, with the numbers of the actions here and there.

    Raises AgentError where there is none.
    """

    def __init__(self, game: Game):
        if game.openspiel_id is None:
            raise AgentError(
                f"{game.title} has no counterpart in OpenSpiel (Game.openspiel_id is None): expected a game that names "
                "one, such as hex; drop the OpenSpiel player, or choose another game"
            )
        self.game = game
        numbers = np.asarray(game.openspiel_actions, np.int64)
        self.theirs = numbers.reshape(len(numbers), -1)  # [A, N]: OpenSpiel's numbers of our action
        self.reference = _load(game.openspiel_id)
        self.ours = np.full(self.reference.num_distinct_actions(), -1)
        self.ours[self.theirs] = np.arange(len(self.theirs))[:, None]

    def position(self, history: np.ndarray) -> pyspiel.State:
        """OpenSpiel's position after our actions `history` [T]."""
        position = self.reference.new_initial_state()
        for action in history.tolist():
            position.apply_action(self.number(position, action))
        return position

    def number(self, position: pyspiel.State, action: int) -> int:
        """OpenSpiel's number of our `action` in its `position`."""
        numbers = self.theirs[action].tolist()
        legal = numbers[:1] if len(numbers) == 1 else position.legal_actions()
        return next(number for number in numbers if number in legal)

    def mcts_bot(self, c: float, simulations: int, rollouts: int, seed: int) -> pyspiel.MCTSBot:
        """OpenSpiel's MCTSBot with random rollouts."""
        evaluator = pyspiel.RandomRolloutEvaluator(rollouts, seed)
        return pyspiel.MCTSBot(self.reference, evaluator, c, simulations, MEMORY_MB, solve=True, seed=seed,
                               verbose=False)  # fmt: skip

    def state(self, position: pyspiel.State) -> np.ndarray:
        """Our state [S] at OpenSpiel's `position`. Raises AgentError for a position of another game."""
        if str(position.get_game()) != str(self.reference) and not self._equal(position.get_game()):
            raise AgentError(f"the position is one of {position.get_game()}, and {self.game.title} is OpenSpiel's "
                             f"{self.game.openspiel_id}: expected a position of that game")  # fmt: skip
        states = self.game.reset(1)
        for action in self.ours[np.array(position.history(), np.int64)]:
            self.game.advance(states, np.array([action]))
        return states[0]

    def _equal(self, game):
        """Whether only what is not said differs: hex(board_size=11) is hex. How a game is shown does not count."""
        shown = ("plain_obs_tensor", "string_rep", "ansi_color_output", "egocentric", "egocentric_obs_tensor")
        one, other = ({k: v for k, v in each.get_parameters().items() if k not in shown}
                      for each in (game, self.reference))  # fmt: skip
        return game.get_type().short_name == self.reference.get_type().short_name and one == other


def known(histories: np.ndarray | None, states: np.ndarray) -> np.ndarray:
    """The histories of `states` [B, S], int64 [B, T]; raises AgentError where they were not handed over."""
    if histories is None and len(states):
        raise AgentError("an OpenSpiel player needs the moves that led to a position, and was given the position "
                         "alone: let it play in experiments.duel or the arena")  # fmt: skip
    return np.zeros((0, 0), np.int64) if histories is None else histories


@functools.cache
def _load(text: str) -> pyspiel.Game:
    return load_game(text)
