"""Positions as two words of bits, the stones of each player, for searches of games with one kind of piece.

A position is HEADER words and then the stones of player 0 and player 1, int64. The cell at (line, place) is bit
line * stride + place, and stride is one more than the places of a line: the bit between two lines stays 0, so no row
of cells runs over an edge. params begins with STRIDE, BOARD (all cells) and LENGTH (of a winning row, if the game has
one).
"""

from __future__ import annotations

import numpy as np

from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, lean_kernel
from games.forms import HIGHEST, SEED

STONES = HEADER
STRIDE, BOARD, LENGTH = 0, 1, 2
BITS = 62  # of a word that are used: signs stay out of it


def check_room(game: Game, bits: int) -> None:
    """Raises GameError for a board of more bits than a word has."""
    if bits > BITS:
        raise GameError(f"{game.title} has too many cells for exact play: expected at most {BITS} bits, the edges of "
                        f"the lines included, not {bits}; choose a smaller board")  # fmt: skip


def pack(states: np.ndarray, marks: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Positions [B, HEADER + 2] from states with 1 + player or 0 in each cell: `marks` [B, cells], `bits` [cells]."""
    positions = np.zeros((len(states), HEADER + 2), np.int64)
    positions[:, :HEADER] = states[:, :HEADER]
    for player in (0, 1):
        positions[:, STONES + player] = ((marks == 1 + player) << bits).sum(axis=1)
    return positions


def key_words(bits: np.ndarray, cells: np.ndarray, views: np.ndarray | None = None) -> np.ndarray:
    """Random words for `key`: of a mover, a player and a bit, under each symmetry, uint64 [2 * 2 * 64, K].

    `cells` [K, cells] are the symmetries, `views` [2, cells] what each mover sees a cell as; by default itself.
    """
    random = np.random.default_rng(SEED).integers(0, 1 << 64, (2, len(bits)), np.uint64)
    words = np.zeros((2, 2, 64, len(cells)), np.uint64)
    seen_as = np.stack([np.arange(len(bits))] * 2) if views is None else views
    for mover in (0, 1):
        for player in (0, 1):
            for k, turn in enumerate(cells):
                back = np.argsort(turn)  # where a cell goes
                words[mover, player, bits, k] = random[player ^ mover, back[seen_as[mover]]]
    return words.reshape(256, -1)


@lean_kernel
def key(state, params, words, planes):
    """The least over the symmetries of the sum of the words of all stones; never 0."""
    least = ~np.uint64(0)
    mover = state[TO_MOVE]
    for k in range(words.shape[1]):
        total = np.uint64(1)
        for player in range(2):
            stones, first = state[STONES + player], 128 * mover + 64 * player
            while stones != 0:
                total += words[first + lowest(stones), k]
                stones &= stones - 1
        if total < least:
            least = total
    return least | HIGHEST


@lean_kernel
def lowest(stones):
    """The number of the lowest bit of a word that is not 0."""
    x = stones & -stones
    place = 0
    for half in (32, 16, 8, 4, 2, 1):
        if x >> half != 0:
            x >>= half
            place += half
    return place


@lean_kernel
def shifted(stones, step):
    return stones << step if step >= 0 else stones >> -step


@lean_kernel
def steps(params, direction):
    """The distance in bits of each of the four directions of a row."""
    if direction == 0:
        return np.int64(1)
    return params[STRIDE] + direction - 2


@lean_kernel
def has_row(stones, params):
    """Whether `LENGTH` stones stand in a row."""
    for direction in range(4):
        step = steps(params, direction)
        run = stones
        for _ in range(params[LENGTH] - 1):
            run &= run >> step
            if run == 0:
                break
        if run != 0:
            return True
    return False


@lean_kernel
def end(state, params, player):
    """End the game where `player` has a row now, or where the board is full."""
    if has_row(state[STONES + player], params):
        state[OVER], state[RESULT] = 1, 1 - 2 * player
    elif state[STONES] | state[STONES + 1] == params[BOARD]:
        state[OVER] = 1


@lean_kernel
def bounds(own, other, empty, params):
    """The least and the most that a player can get: who could fill all empty cells and has no row wins none."""
    return -1 if has_row(other | empty, params) else 0, 1 if has_row(own | empty, params) else 0


@lean_kernel
def completing(stones, params):
    """The cells that would complete a row, occupied ones too."""
    found = np.int64(0)
    for direction in range(4):
        step = steps(params, direction)
        after, further = params[BOARD], stones
        for behind in range(params[LENGTH] - 1, -1, -1):  # so many stones before the cell, the others after it
            row, moved = after, stones
            for _ in range(behind):
                moved <<= step
                row &= moved
            found |= row
            further >>= step
            after &= further
    return found & params[BOARD]
