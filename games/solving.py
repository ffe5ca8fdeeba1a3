"""What a solver of a game answers, whatever way it finds out."""

import typing

import numpy as np

from games.core import OVER, RESULT, TO_MOVE, Game

ILLEGAL = -2
"""What `action_values` holds for actions that may not be played."""


class Exact:
    """Perfect play of one game. States are the game's, [B, S]; a row's answer depends on that row alone.

    `tell(looked)` is called now and then while a long search runs, with the positions looked at so far.
    """

    game: Game
    tell: typing.Callable[[int], object] = staticmethod(lambda looked: None)

    @property
    def searched(self) -> int:
        """Positions looked at so far."""
        raise NotImplementedError

    def values(self, states: np.ndarray) -> np.ndarray:
        """Value with perfect play for the player to move, int8 [B]; of a finished game, the result he sees."""
        raise NotImplementedError

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Value of each action for the player to move, int8 [B, A]; ILLEGAL for actions that may not be played."""
        raise NotImplementedError

    def perfect_moves(self, states: np.ndarray) -> np.ndarray:
        """Where the stubborn perfect player may move, bool [B, A]; no action once the game is over.

        Moves that keep the value; where every move loses, those of them that leave the opponent the fewest winning
        replies, all ties kept.
        """
        raise NotImplementedError

    def save(self) -> None:
        """Store what is known, to be there at the next start, if this solver stores anything."""


def final_values(states: np.ndarray) -> np.ndarray:
    """Results of finished games as seen by the player to move, int8 [B]; 0 where the game runs on."""
    return (states[:, RESULT] * (1 - 2 * states[:, TO_MOVE]) * states[:, OVER]).astype(np.int8)
