"""Carrying positions of Hex over to other programs as sequences of moves."""

from __future__ import annotations

import numpy as np

from games import Game


def moves_to(game: Game, states: np.ndarray) -> np.ndarray:
    """Actions that lead from the start to each of our unfinished positions [B, S]; int64 [B, cells], -1 at the end.

    Stones are placed in turn in the order of their cells. In Hex any order leads there, since fewer stones of a
    position without connection connect nothing.
    """
    cells = game.size * game.size
    moves = np.full((len(states), cells), -1)
    planes = game.observe(states).reshape(len(states), -1, cells)
    for b, to_move in enumerate(game.to_move(states)):
        for player in (0, 1):
            seen = planes[b, 0 if player == to_move else 1] > 0  # as the mover sees it
            stones = np.sort(game.views[to_move][np.flatnonzero(seen)])
            moves[b, player : player + 2 * len(stones) : 2] = stones
    return moves
