"""Exact play of Othello on 4 x 4: alpha-beta over the game's own rules."""

from games.core import GameError
from games.othello import Othello
from games.searching import Search


def prover(game: Othello, **memory) -> Search:
    """The search without a limit; 6 x 6 would take it years."""
    return Search(game, **memory)


def solver(game: Othello) -> Search:
    """Exact play. Raises GameError beyond 4 x 4."""
    if game.size > 4:
        raise GameError(
            f"exact play of Othello is of size 4, not {game.size}: choose game.size=4, or rate the agents without a "
            f"perfect player"
        )
    return prover(game)
