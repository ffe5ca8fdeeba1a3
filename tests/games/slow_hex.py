"""Hex values the slow way: plain negamax over the empty cells, nothing cut but after a win. Twin of the Hex solver.

Shares no code with it: cells are a list, connection is a flood from the edge, positions are numbered in base 3 over
the cells that are still empty.
"""

import numba
import numpy as np


@numba.njit
def connected(cells, size, player):
    """Whether `player` (0 top-bottom, 1 left-right) joins his edges; cells hold -1 empty, 0, 1."""
    seen = np.zeros(size * size, np.bool_)
    stack = np.zeros(size * size, np.int64)
    count = 0
    for i in range(size):
        cell = i if player == 0 else i * size
        if cells[cell] == player:
            seen[cell] = True
            stack[count] = cell
            count += 1
    while count:
        count -= 1
        row, col = stack[count] // size, stack[count] % size
        if (row if player == 0 else col) == size - 1:
            return True
        for dr, dc in ((-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0)):
            r, c = row + dr, col + dc
            if 0 <= r < size and 0 <= c < size:
                cell = r * size + c
                if cells[cell] == player and not seen[cell]:
                    seen[cell] = True
                    stack[count] = cell
                    count += 1
    return False


@numba.njit
def negamax(cells, size, player, empty, powers, number, memo):
    """Value for `player`, who is to move; nobody has won yet."""
    if memo[number] == 2:
        best = -1
        for i in range(len(empty)):
            cell = empty[i]
            if cells[cell] == -1 and best == -1:
                cells[cell] = player
                if connected(cells, size, player):
                    best = 1
                else:
                    best = -negamax(cells, size, 1 - player, empty, powers, number + (1 + player) * powers[i], memo)
                cells[cell] = -1
        memo[number] = best
    return memo[number]


def value(cells, size, player):
    """Value for `player`, to move in a position where nobody has connected; at most 16 empty cells."""
    cells = np.array(cells, np.int64)
    for side in (0, 1):
        if connected(cells, size, side):
            return 1 if side == player else -1
    empty = np.flatnonzero(cells == -1)
    memo = np.full(3 ** len(empty), 2, np.int8)
    return int(negamax(cells, size, player, empty, 3 ** np.arange(len(empty)), 0, memo))


def action_values(cells, size, player):
    """Value of each cell for `player`, to move; -2 for stones."""
    out = np.full(size * size, -2)
    for cell in np.flatnonzero(np.array(cells) == -1):
        after = np.array(cells)
        after[cell] = player
        out[cell] = -value(after, size, 1 - player)
    return out


def stubborn(cells, size, player):
    """The perfect player's moves by the definition, bool per cell."""
    values = action_values(cells, size, player)
    if values.max() == 1:
        return values == 1
    left = np.full(size * size, 99)
    for cell in np.flatnonzero(values == -1):
        after = np.array(cells)
        after[cell] = player
        left[cell] = (action_values(after, size, 1 - player) == 1).sum()
    return left == left.min()
