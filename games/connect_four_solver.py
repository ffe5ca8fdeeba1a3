"""Exact play of Connect Four: alpha-beta over stones as bits, a line per column from the bottom up.

What `narrow` knows: a row that can be completed wins; the opponent's must be stopped, and two lose; nobody plays below
a cell where the opponent would win; who can complete no row even with all empty cells cannot win.

Known values by rows x columns, four in a row (J. Tromp, solved up to rows + columns = 15; table as in C. Steininger,
github.com/ChristopheSteininger/c4): 4 x 4, 5 x 4, 6 x 4, 4 x 5, 5 x 5, 6 x 5, 5 x 6, 4 x 7, 5 x 7 draws; 4 x 6 and
6 x 6 player 1 wins; 6 x 7 player 0.
"""

import functools
import pathlib

import numpy as np

from games import exact_store, stones
from games.connect_four import ConnectFour
from games.core import HEADER, OVER, TO_MOVE, GameError, lean_kernel
from games.forms import Form
from games.searching import Search
from games.stones import BOARD, STONES, STRIDE, completing

LARGEST, WIDEST, LARGEST_IF_WIDER = 30, 7, 25
"""Cells of the largest board with a perfect player, on up to 7 columns and on more; `python -m games.solve` goes on."""

SLOTS = 1 << 24
"""Places of his table, 256 MB, taken as they fill."""

COLUMNS, BOTTOM = 3, 4  # of params, after those of games.stones; BOTTOM is the lowest cell of each column


@lean_kernel
def free_cells(state, params):
    """The lowest empty cell of each column."""
    return ((state[STONES] | state[STONES + 1]) + params[BOTTOM]) & params[BOARD]


@lean_kernel
def legal(state, params, mask):
    free = free_cells(state, params) if state[OVER] == 0 else np.int64(0)
    keep(mask, free, params)


@lean_kernel
def keep(mask, cells, params):
    line = (np.int64(1) << params[STRIDE]) - 1
    for col in range(params[COLUMNS]):
        mask[col] = (cells >> col * params[STRIDE]) & line != 0


@lean_kernel
def apply(state, params, action):
    player = state[TO_MOVE]
    line = ((np.int64(1) << params[STRIDE]) - 1) << action * params[STRIDE]
    state[STONES + player] |= free_cells(state, params) & line
    state[TO_MOVE] = 1 - player
    stones.end(state, params, player)


@lean_kernel
def narrow(state, params, mask):
    own, other = state[STONES + state[TO_MOVE]], state[STONES + 1 - state[TO_MOVE]]
    empty = params[BOARD] & ~(own | other)
    free = free_cells(state, params)
    if completing(own, params) & free != 0:
        return 1, 1
    threats = completing(other, params) & empty
    forced = free & threats
    if forced & (forced - 1) != 0:
        return -1, -1
    moves = (forced if forced != 0 else free) & ~(threats >> 1)
    if moves == 0:
        return -1, -1
    keep(mask, moves, params)
    return stones.bounds(own, other, empty, params)


@lean_kernel
def key(state, params, words, planes):
    """One to one: the mover's stones and the lowest empty cells, of the position or its mirror image, mixed."""
    bits = state[STONES + state[TO_MOVE]] | (state[STONES] | state[STONES + 1]) + params[BOTTOM]
    line, mirror, rest = (np.int64(1) << params[STRIDE]) - 1, np.int64(0), bits
    for _ in range(params[COLUMNS]):
        mirror = mirror << params[STRIDE] | rest & line
        rest >>= params[STRIDE]
    mixed = np.uint64(min(bits, mirror)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(29)) * np.uint64(0x94D049BB133111EB)
    return mixed ^ mixed >> np.uint64(32)


def form(game: ConnectFour) -> Form:
    stride = game.rows + 1
    stones.check_room(game, stride * game.columns)
    bits = np.add.outer(np.arange(game.rows)[::-1], stride * np.arange(game.columns)).ravel()
    board, bottom = sum(1 << int(bit) for bit in bits), sum(1 << stride * col for col in range(game.columns))
    middle = -np.abs(2 * np.arange(game.columns) - game.columns + 1)
    return Form(legal, apply, key, narrow, np.array([stride, board, game.connect, game.columns, bottom]),
                np.zeros((1, 1), np.uint64),
                lambda states: stones.pack(states, states[:, HEADER : HEADER + game.size], bits), middle)  # fmt: skip


def prover(game: ConnectFour, **memory) -> Search:
    """The search without a limit but the bits of a word."""
    return Search(game, form(game), **memory)


def solver(game: ConnectFour) -> Search:
    """Exact play; equal games share one search. Raises GameError for boards that take too long to play on."""
    largest = LARGEST if game.columns <= WIDEST else LARGEST_IF_WIDER
    if game.size > largest:
        raise GameError(
            f"exact play of Connect Four on {game.columns} columns goes up to {largest} cells, not {game.rows} x "
            f"{game.columns}: choose a smaller board, or rate the agents without a perfect player"
        )
    return _shared(tuple(game.settings.items()), exact_store.folder())


@functools.lru_cache(maxsize=4)
def _shared(settings: tuple, folder: pathlib.Path) -> Search:
    """One search per process and folder of stored results: its table is large and takes a minute to fill."""
    return prover(ConnectFour(**dict(settings)), slots=SLOTS)
