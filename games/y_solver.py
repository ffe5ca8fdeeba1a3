"""Exact play of Y: alpha-beta over the game's own rules."""

from games.core import GameError
from games.searching import Search
from games.y import Y

LARGEST = 5
"""The largest size with a perfect player; `python -m games.solve` goes on."""


def prover(game: Y, **memory) -> Search:
    """The search without a limit."""
    return Search(game, **memory)


def solver(game: Y) -> Search:
    """Exact play. Raises GameError for boards that take too long to play on."""
    if game.size > LARGEST:
        raise GameError(
            f"exact play of Y goes up to size {LARGEST}, not {game.size}: choose game.size={LARGEST} or less, or rate "
            f"the agents without a perfect player"
        )
    return prover(game)
