"""The second player's view of games of OpenSpiel in which the two go different ways.

In Chess, Checkers and their kin pieces advance: the second player's board is turned upside down (HALF_TURNS), or where
actions count from the player's own side, mirrored top to bottom (MIRRORED). In Twixt OpenSpiel itself turns the planes
of either player so that its goals are at the same sides, but an action is a cell of the one board. What actions do to
planes says how the second player's actions are counted, and how its opponent's planes turn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import numpy as np
import pyspiel

from games.core import GameError

MIRRORED = ("antichess", "chess", "crazyhouse")
"""Games whose actions are counted from their player's own side of the board already."""


def _shogi(actions: np.ndarray, cells: int) -> np.ndarray:
    """From one cell to another, as it is or promoted; then which piece is dropped where."""
    moves, drops = np.split(actions, [2 * cells**2])
    return np.concatenate(
        [moves.reshape(cells, cells, 2)[::-1, ::-1].ravel(), drops.reshape(-1, cells)[:, ::-1].ravel()]
    )


HALF_TURNS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    # From the cell, to the left up, right up, right down or left down, as a step or as a capture.
    "checkers": lambda actions, cells: actions.reshape(cells, 4, 2)[::-1, [2, 3, 0, 1]].ravel(),
    "shogi": _shogi,
    "xiangqi": lambda actions, cells: actions[::-1],  # from one cell to another
}
"""Of the actions [A] on a board of so many cells, those that look like them upside down."""


def star(actions: np.ndarray, entries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Actions and entries of Chinese Checkers upside down.

    An action is a cell and one of six directions, or the end of a chain of hops; the entries are three planes of the
    star's cells, then who moves.
    """
    planes, mover = np.split(entries, [-2])
    return np.append(actions[-2::-1], actions[-1]), np.concatenate([planes.reshape(3, -1)[:, ::-1].ravel(), mover])


LINES, PLIES = 10, 4  # random games, and how many positions of each are looked at
ENOUGH = 3000  # moves, after which no further game is looked at

Look = Callable[[pyspiel.State, int], np.ndarray]
"""What OpenSpiel's player sees of a position, [F] entries."""


def marks(initial: pyspiel.State, look: Look, actions: int) -> np.ndarray:
    """The entry that an action sets most often, int64 [2 movers, 2 viewers, actions]; -1 where there is not one."""
    risen: dict[tuple[int, int, int], Counter] = defaultdict(Counter)
    for position in _positions(initial):
        mover = position.current_player()
        before = [look(position, viewer) for viewer in (0, 1)]
        for action in position.legal_actions():
            child = position.child(action)
            for viewer in (0, 1):
                risen[mover, viewer, action].update(np.flatnonzero(look(child, viewer) > before[viewer]).tolist())
    found = np.full((2, 2, actions), -1)
    for key, entries in risen.items():
        often = [entry for entry, count in entries.items() if count == max(entries.values())]
        found[key] = often[0] if len(often) == 1 else -1
    return found


def _positions(initial: pyspiel.State) -> Iterable[pyspiel.State]:
    rng, moves = np.random.default_rng(0), 0
    for _ in range(LINES):
        if moves > ENOUGH:
            break
        position = initial.clone()
        for _ in range(PLIES):
            if position.is_terminal():
                break
            if not position.legal_actions():
                raise GameError(f"openspiel: {position.get_game()} goes on where nobody can move: choose another size")
            yield position
            moves += len(position.legal_actions())
            position = position.child(int(rng.choice(position.legal_actions())))


def second_actions(own: np.ndarray) -> np.ndarray | None:
    """What the second player sees as action j, [A], from the entries that each player's own actions set, [2, A].

    None where the same actions set the same entries already, or where one player sets entries that the other does not.
    """
    known = own >= 0
    both = known.all(axis=0)
    order = [np.flatnonzero(known[p])[np.argsort(own[p, known[p]])] for p in (0, 1)]
    placed = [own[p, order[p]] for p in (0, 1)]
    if (own[0, both] == own[1, both]).all() or not np.array_equal(*placed) or (np.diff(placed[0]) == 0).any():
        return None
    rest = [np.flatnonzero(~known[p]) for p in (0, 1)]
    view = np.empty(own.shape[1], np.int64)
    view[order[0]], view[rest[0]] = order[1], rest[1]
    return view


def second_board(other: np.ndarray, own: np.ndarray, view: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
    """The turn of the board [H * W] that lays the opponent's pieces, as the second player sees them, as for the first.

    other, own: the entries that the opponent's actions set for each viewer, and its own, [2, A]. None where no turn or
    mirror image does.
    """
    entries = np.stack([other[0], other[1, view], own[0]])  # an action that the first player never has is seen as any
    here, there, _ = entries[:, (entries >= 0).all(axis=0)] % (shape[0] * shape[1])
    board = np.arange(shape[0] * shape[1]).reshape(shape)
    turns = [np.rot90(side, k) for side in (board, board[:, ::-1]) for k in range(4)]
    return next((turn.ravel() for turn in turns if turn.shape == shape and (turn.ravel()[here] == there).all()), None)
