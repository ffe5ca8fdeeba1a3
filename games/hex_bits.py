"""Hex on bitboards: cells as bits, bridges, ziggurats, chains of them.

A position is two uint64 masks, the mover's stones `own` and the other player's `opp`; cell (r, c) is bit 8 r + c, so
boards up to 7 x 7 fit and a step off the board leaves the mask. The mover always connects top and bottom: when the
turn passes, both masks are transposed. `*_t` is a mask as the other player sees it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from games.core import kernel

U = np.uint64

NOTHING = U(0)
NO_CHAIN = U(1 << 63)

LARGEST = 7


class Board(NamedTuple):
    """Constant masks of a size."""

    size: int
    full: np.uint64
    top: np.uint64
    bottom: np.uint64
    left: np.uint64
    right: np.uint64
    turn: np.uint64  # how far a half turn of the 8 x 8 square must be shifted back


def make_board(size: int) -> Board:
    """Masks of a size from 1 to LARGEST."""
    top = (1 << size) - 1
    left = sum(1 << 8 * row for row in range(size))
    bottom, right = top << 8 * (size - 1), left << (size - 1)
    return Board(size, U(top * left), U(top), U(bottom), U(left), U(right), U(9 * (8 - size)))


# ---- bitboards -----------------------------------------------------------------------------------------------------


@kernel
def transpose(x):
    """Bit (r, c) to (c, r): three rounds of swapping blocks (Warren, Hacker's Delight, section 7-3)."""
    t = (x ^ (x >> U(7))) & U(0x00AA00AA00AA00AA)
    x ^= t ^ (t << U(7))
    t = (x ^ (x >> U(14))) & U(0x0000CCCC0000CCCC)
    x ^= t ^ (t << U(14))
    t = (x ^ (x >> U(28))) & U(0x00000000F0F0F0F0)
    return x ^ t ^ (t << U(28))


@kernel
def half_turn(board, x):
    """Bit (r, c) to (size - 1 - r, size - 1 - c): all 64 bits reversed, then moved back to the corner."""
    x = ((x >> U(1)) & U(0x5555555555555555)) | ((x & U(0x5555555555555555)) << U(1))
    x = ((x >> U(2)) & U(0x3333333333333333)) | ((x & U(0x3333333333333333)) << U(2))
    x = ((x >> U(4)) & U(0x0F0F0F0F0F0F0F0F)) | ((x & U(0x0F0F0F0F0F0F0F0F)) << U(4))
    x = ((x >> U(8)) & U(0x00FF00FF00FF00FF)) | ((x & U(0x00FF00FF00FF00FF)) << U(8))
    x = ((x >> U(16)) & U(0x0000FFFF0000FFFF)) | ((x & U(0x0000FFFF0000FFFF)) << U(16))
    return ((x >> U(32)) | (x << U(32))) >> board.turn


@kernel
def lowest(x):
    return x & (~x + U(1))


@kernel
def popcount(x):
    x = x - ((x >> U(1)) & U(0x5555555555555555))
    x = (x & U(0x3333333333333333)) + ((x >> U(2)) & U(0x3333333333333333))
    x = (x + (x >> U(4))) & U(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * U(0x0101010101010101)) >> U(56))


@kernel
def near(x):
    """Neighbours of x, and bits off the board, which the caller masks."""
    return (x << U(1)) | (x >> U(1)) | (x << U(8)) | (x >> U(8)) | (x << U(7)) | (x >> U(7))


@kernel
def flood(seed, stones):
    """`seed` with all stones that touch it directly or through other stones."""
    while True:
        grown = seed | (near(seed) & stones)
        if grown == seed:
            return seed
        seed = grown


# ---- bridges -------------------------------------------------------------------------------------------------------
# A bridge joins two cells through two common neighbours that are both empty: if the opponent takes one, the other
# connects. So does a cell of the second row with its edge. The six directions are steps of +-15, +-9 and +-6 bits.


@kernel
def bridged(x, free):
    """Cells a bridge away from x, its two carrying cells in `free`."""
    down, up = (free >> U(8)) & (free >> U(7)), (free << U(8)) & (free << U(7))
    out = ((x & down) << U(15)) | ((x & up) >> U(15))
    down, up = (free >> U(1)) & (free >> U(8)), (free << U(1)) & (free << U(8))
    out |= ((x & down) << U(9)) | ((x & up) >> U(9))
    down, up = (free << U(1)) & (free >> U(7)), (free >> U(1)) & (free << U(7))
    return out | ((x & down) << U(6)) | ((x & up) >> U(6))


@kernel
def under_top(board, free):
    """Cells of the second row that two free cells tie to the top edge."""
    return (free & (free >> U(1)) & board.top) << U(8)


@kernel
def above_bottom(board, free):
    """Cells of the last row but one that two free cells tie to the bottom edge."""
    return (free & (free << U(1)) & board.bottom) >> U(8)


@kernel
def find_bridge(group, goal, free):
    """A cell of `goal` that a bridge through `free` ties to `group`, and the bridge's two cells; (0, 0) if none."""
    x = lowest(((group & (free >> U(8)) & (free >> U(7))) << U(15)) & goal)
    if x:
        return x, (x >> U(7)) | (x >> U(8))
    x = lowest(((group & (free << U(8)) & (free << U(7))) >> U(15)) & goal)
    if x:
        return x, (x << U(7)) | (x << U(8))
    x = lowest(((group & (free >> U(1)) & (free >> U(8))) << U(9)) & goal)
    if x:
        return x, (x >> U(8)) | (x >> U(1))
    x = lowest(((group & (free << U(1)) & (free << U(8))) >> U(9)) & goal)
    if x:
        return x, (x << U(8)) | (x << U(1))
    x = lowest(((group & (free << U(1)) & (free >> U(7))) << U(6)) & goal)
    if x:
        return x, (x >> U(7)) | (x << U(1))
    x = lowest(((group & (free >> U(1)) & (free << U(7))) >> U(6)) & goal)
    if x:
        return x, (x << U(7)) | (x >> U(1))
    return NOTHING, NOTHING


# A ziggurat ties a stone of the third row to the edge through eight empty cells, here for the bottom edge:
#
#        x .              . x      Below x are two cells, and a stone on either is tied to the edge by two more. Only
#       . . .            . . .     the cell of the edge below both of them meets both; after it, a bridge from x to the
#      . . . .          . . . .    side goes round.


@kernel
def third_top(board, free):
    """Cells of the third row that a ziggurat ties to the top edge."""
    core = (free << U(8)) & (free << U(7)) & (free << U(16)) & (free << U(15)) & (free << U(14))
    left, right = (free << U(1)) & (free << U(9)) & (free << U(17)), (free >> U(1)) & (free << U(6)) & (free << U(13))
    return core & (left | right) & (board.top << U(16))


@kernel
def third_bottom(board, free):
    """Cells of the last row but two that a ziggurat ties to the bottom edge."""
    core = (free >> U(8)) & (free >> U(7)) & (free >> U(16)) & (free >> U(15)) & (free >> U(14))
    left, right = (free << U(1)) & (free >> U(6)) & (free >> U(13)), (free >> U(1)) & (free >> U(9)) & (free >> U(17))
    return core & (left | right) & (board.bottom >> U(16))


@kernel
def ziggurat_top(x, free):
    """The eight cells of a ziggurat from x, a cell of `third_top`."""
    core = (x >> U(8)) | (x >> U(7)) | (x >> U(16)) | (x >> U(15)) | (x >> U(14))
    left = (x >> U(1)) | (x >> U(9)) | (x >> U(17))
    return core | (left if left & free == left else (x << U(1)) | (x >> U(6)) | (x >> U(13)))


@kernel
def ziggurat_bottom(x, free):
    """The eight cells of a ziggurat from x, a cell of `third_bottom`."""
    core = (x << U(8)) | (x << U(7)) | (x << U(16)) | (x << U(15)) | (x << U(14))
    right = (x << U(1)) | (x << U(9)) | (x << U(17))
    return core | (right if right & free == right else (x >> U(1)) | (x << U(6)) | (x << U(13)))


# ---- chains --------------------------------------------------------------------------------------------------------


@kernel
def chain(board, own, empty, levels):
    """Carrier of a chain of stones, bridges and ziggurats from top to bottom with the opponent to move, or NO_CHAIN.

    Sound, not complete: the links are the fewest possible and their cells are kept apart while tracing back, but no
    second trace is tried.
    """
    loose, third = above_bottom(board, empty), third_bottom(board, empty)
    from_top = (under_top(board, empty) | third_top(board, empty)) & own
    reach = flood(own & board.top, own)
    levels[0] = reach
    last = 0
    while not reach & (board.bottom | loose | third):
        grown = reach | (bridged(reach, empty) & own) | from_top
        if grown == reach:
            return NO_CHAIN
        reach = flood(grown, own)
        last += 1
        levels[last] = reach
    if reach & board.bottom:
        return trace(board, own, empty, levels, last, lowest(reach & board.bottom), NOTHING)
    end = lowest(reach & loose)
    if end:
        return trace(board, own, empty, levels, last, end, (end << U(8)) | (end << U(7)))
    end = lowest(reach & third)
    return trace(board, own, empty, levels, last, end, ziggurat_bottom(end, empty))


@kernel
def trace(board, own, empty, levels, last, end, used):
    """The chain from `end`, a stone of level `last`, back to the top edge through links that share no cell."""
    group = flood(end, own)
    while last > 0:
        free = empty & ~used
        end = lowest(group & under_top(board, free))
        if last == 1 and end:
            return used | (end >> U(8)) | (end >> U(7))
        end, cells = find_bridge(group, levels[last - 1], free)
        if not end:
            end = lowest(group & third_top(board, free))
            return used | ziggurat_top(end, free) if last == 1 and end else NO_CHAIN
        used |= cells
        group = flood(end, own)
        last -= 1
    return used


@kernel
def tied(edge, own, empty):
    """Empty cells where a stone would be tied to an edge by stones and links; `edge` is what the edge itself ties."""
    reach = edge & own
    while True:
        grown = reach | ((near(reach) | bridged(reach, empty)) & own)
        if grown == reach:
            return (near(reach) | bridged(reach, empty) | edge) & empty
        reach = grown


@kernel
def key_cells(board, own, empty):
    """Empty cells where a stone may complete a chain; `chain` decides whether it does."""
    top = tied(board.top | under_top(board, empty) | third_top(board, empty), own, empty)
    return top & tied(board.bottom | above_bottom(board, empty) | third_bottom(board, empty), own, empty)
