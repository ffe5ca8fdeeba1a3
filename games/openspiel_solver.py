"""Exact play of OpenSpiel's games is not offered (see games.exact)."""

from games.core import Game, GameError
from games.solving import Exact


def solver(game: Game) -> Exact:
    """Raises GameError: a state of the bridge is a history, and even small games have too many of those to list."""
    raise GameError(
        f"{game.title} has no exact player: positions of the bridge are histories, too many to enumerate; "
        "small games of this collection, such as hex and tictactoe, have one"
    )
