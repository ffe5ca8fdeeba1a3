"""Y: two players fill a triangle of hexagons, and who connects all three sides wins. Sides of 2 to 19 cells.

       a b c d           Both players (x first, then o) want the same: one group of stones that touches the top, the
     1 . . x .           left and the right side. A corner lies on two sides. The cells next to (r, c) are those of Hex:
      2 o x .            (r - 1, c) and (r - 1, c + 1) above, (r, c - 1) and (r, c + 1) beside, (r + 1, c - 1) and
       3 x .             (r + 1, c) below, as far as they are on the board: r + c < size.
        4 .              b2 touches b1, c1, a2, c2, a3, b3; here the x group touches top and left.

Rules     players fill empty cells in turn; the first group on three sides wins; a full board has exactly one winner
Actions   size * size, the cells of the square around the triangle: r * size + c; never legal where r + c >= size
Planes    2: own stones, the opponent's, zero off the board
Symmetry  all six of the triangle
Longest   size * (size + 1) / 2 moves
Value     the first player wins on every board, since an extra stone never harms (J. Nash's argument for Hex)
Source    C. Shannon in the 1950s; C. Schensted, C. Titus, Mudcrack Y and Poly-Y, 1975; actions and geometry as in
          OpenSpiel's y
"""

import itertools

import numpy as np

from games import grid_text
from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, Rules, Symmetries, int_setting, kernel, lean_kernel

# A cell holds 0 when empty, OUTSIDE off the board, else STONE + player + 2 * sides, where sides is the set of sides
# that the stone's group touches: LEFT, TOP and RIGHT added up. All stones of a group carry the same set, so the cells
# follow from the stones alone, in whatever order they were placed, and player 0 has the odd codes.
OUTSIDE, STONE = -1, 1
LEFT, TOP, RIGHT = 1, 2, 4
ALL = LEFT + TOP + RIGHT

LINK, CODE = 5, 31  # shift and mask, see spread: no code is above 31

# The six neighbours of a cell, as steps in row and column.
STEPS = ((-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0))

# After the size, the parameters hold ENTRY words for each cell: the sides it lies on, then its neighbours; in the place
# of one off the board stands the cell itself.
ENTRY = 7

# The last line of a drawn board, and the mover it stands for: the loser is to move in a finished game.
MOVERS = {"x to move": 0, "o to move": 1, "x has won": 1, "o has won": 0}


@kernel
def reset(state, params):
    size = params[0]
    state[:] = 0
    for row in range(size):
        for col in range(size - row, size):
            state[HEADER + row * size + col] = OUTSIDE


@lean_kernel
def legal(state, params, mask):
    running = state[OVER] == 0
    for cell in range(params[0] * params[0]):
        mask[cell] = running & (state[HEADER + cell] == 0)


@lean_kernel
def apply(state, params, action):
    size = params[0]
    player = state[TO_MOVE]
    state[TO_MOVE] = 1 - player
    if place(state[HEADER : HEADER + size * size], params, player, action):
        state[OVER] = 1
        state[RESULT] = 1 - 2 * player


@lean_kernel
def place(board, params, player, cell):
    """Put a stone of `player` on an empty cell; True if its group touches all sides."""
    entry = 1 + ENTRY * cell
    sides = params[entry]
    joined = 0  # bit s: one of the groups that the stone joins has the sides s
    for i in range(1, ENTRY):  # without branches, since nobody can predict them
        code = int(board[params[entry + i]])  # the cell itself is empty
        own = int((code > 0) & ((code - STONE) & 1 == player))
        group = (code - STONE) >> 1 & ALL
        sides |= group * own
        joined |= own << group
    board[cell] = STONE + player + 2 * sides
    if joined & ~(1 << sides) != 0:
        spread(board, params, cell)
    return sides == ALL


@lean_kernel
def spread(board, params, cell):
    """Give all stones of the group of `cell` the sides of that stone.

    Groups are uniform and a group's sides change at most three times, so each stone is rewritten at most three times
    in a game. Stones whose neighbours are still to be looked at are chained through the board: above its code each
    holds 1 + the next, 0 at the end. A stack of our own would have to be allocated, and cached kernels that
    call themselves can crash when they are loaded again (numba issue 6061).
    """
    code = int(board[cell])
    chain = cell + 1
    while chain > 0:
        cell = chain - 1
        chain = board[cell] >> LINK
        board[cell] = code
        for i in range(1, ENTRY):
            near = params[1 + ENTRY * cell + i]  # the cell itself is done
            other = int(board[near])
            found = (other > 0) & (other & CODE != code) & (other & 1 == code & 1)
            board[near] = code | chain << LINK if found else other
            chain = near + 1 if found else chain


@lean_kernel
def observe(state, params, planes):
    size = params[0]
    own_parity = STONE - state[TO_MOVE]
    board = state[HEADER:]
    for row in range(size):
        for col in range(size):
            code = board[row * size + col]
            planes[0, row, col] = (code > 0) & (code & 1 == own_parity)
            planes[1, row, col] = (code > 0) & (code & 1 != own_parity)


@kernel
def winner_without(stones, params, absent):
    """Who touches all sides among `stones` (0 empty, 1 + player), were the cell `absent` empty; -1 nobody."""
    board = np.zeros(len(stones), np.int16)
    winner = -1
    for cell in range(len(stones)):
        if stones[cell] != 0 and cell != absent and place(board, params, stones[cell] - 1, cell):
            winner = stones[cell] - 1
    return winner


class Y(Game):
    """Y on a triangle with `size` cells to a side."""

    name = "y"
    rules = Rules(reset, legal, apply, observe)

    def __init__(self, size: int = 7):
        size = int_setting("y", "size", size, 2, 19)
        turns = self._turns(size)
        super().__init__(
            settings={"size": size}, size=size, params=[size, *_geometry(size)], state_words=HEADER + size * size,
            num_actions=size * size, observation_shape=(2, size, size), max_length=size * (size + 1) // 2,
            symmetries=Symmetries(turns, turns),
        )  # fmt: skip

    @staticmethod
    def _turns(size):
        """The six ways to exchange a cell's distances to the three sides, [6, cells]; cells off the board stay."""
        turns = np.tile(np.arange(size * size), (6, 1))
        for turn, order in zip(turns, itertools.permutations(range(3)), strict=True):
            for row, col in _cells(size):
                depths = (row, col, size - 1 - row - col)
                turn[row * size + col] = depths[order[0]] * size + depths[order[1]]
        return turns

    @property
    def openspiel_id(self):
        return f"y(board_size={self.size})"

    def action_text(self, action):
        return grid_text.cell_text(action, self.size)

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        """The triangle, then who is to move or has won."""
        codes = state[HEADER:].reshape(self.size, self.size)
        stones = np.where(codes == 0, 0, 2 - codes % 2)
        rows = [stones[row, : self.size - row] for row in range(self.size)]
        return "\n".join([*grid_text.board(rows, slanted=True), self._status(state)])

    def parse(self, text):
        """The position that `draw` wrote; spaces may differ."""
        rows, status = grid_text.read_rows(self.title, text, range(self.size, 0, -1))
        stones = np.array([row + [0] * (self.size - len(row)) for row in rows]).ravel()
        if status not in MOVERS:
            self._refuse(text, f"the last line must be one of {', '.join(map(repr, MOVERS))}")
        self._check_counts(text, stones, MOVERS[status])
        state = self._build(stones, MOVERS[status])
        if self._status(state) != status:
            self._refuse(text, f"the last line must be {self._status(state)!r} on this board")
        grid_text.check_connection(self.title, text, state, stones,
                                   lambda cell: winner_without(stones, self.params, cell))  # fmt: skip
        return state

    def _status(self, state):
        return f"{'ox'[state[TO_MOVE]]} has won" if state[OVER] else f"{'xo'[state[TO_MOVE]]} to move"

    def _build(self, stones, mover):
        state = self.reset(1)[0]
        for cell in np.flatnonzero(stones):
            player = int(stones[cell]) - 1
            if place(state[HEADER:], self.params, player, cell):
                state[OVER] = 1
                state[RESULT] = 1 - 2 * player
        state[TO_MOVE] = mover
        return state

    def _check_counts(self, text, stones, mover):
        x, o = int((stones == 1).sum()), int((stones == 2).sum())
        if x - o != mover:
            self._refuse(text, f"{x} x and {o} o cannot be with {'xo'[mover]} to move: turns alternate, x begins")

    def _refuse(self, text, reason):
        grid_text.refuse(self.title, text, reason)


def _geometry(size):
    """What `place` knows of each cell of the square: see ENTRY."""
    for row, col in itertools.product(range(size), repeat=2):
        yield LEFT * (col == 0) | TOP * (row == 0) | RIGHT * (row + col == size - 1)
        for r, c in ((row + down, col + right) for down, right in STEPS):
            yield r * size + c if r >= 0 and c >= 0 and r + c < size else row * size + col


def _cells(size):
    return [(row, col) for row in range(size) for col in range(size - row)]
