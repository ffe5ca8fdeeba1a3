"""Hex: two players connect opposite sides of a rhombus of hexagons. Sides 2 to 19, with or without the swap rule.

       a b c             Player 0 (x) connects top and bottom, player 1 (o) left and right. The cells next to (r, c):
     1 . . .             (r - 1, c) and (r - 1, c + 1) above, (r, c - 1) and (r, c + 1) beside,
      2 . x .            (r + 1, c - 1) and (r + 1, c) below.
       3 . . .           b2 touches b1, c1, a2, c2, a3, b3.

Rules     players fill empty cells in turn; who connects their two sides wins; a full board has exactly one winner
Swap      with swap=True player 1 may answer the first stone with `swap`: it is taken off, player 1 gets one on the
          cell mirrored in the long diagonal, (r, c) -> (c, r), and player 0 moves again
Boards    size x size, or rows x columns without swap; there the player with the shorter way wins, even as second (by
          pairing cells, C. Shannon, told by M. Gardner 1959)
Actions   rows * columns: r * columns + c; with swap one more, the last
Planes    2: own stones, the opponent's, both transposed for player 1, so that the mover always connects top and
          bottom; with swap a third, all ones where the mover may swap. Where rows and columns differ nothing is
          transposed, and a third plane is all ones where the mover connects top and bottom
Symmetry  half turn
Longest   rows * columns moves, one more with swap
Source    P. Hein 1942, J. Nash 1948; actions, geometry and swap as in OpenSpiel's hex
"""

import numpy as np

from games import grid_text
from games.core import (
    HEADER,
    OVER,
    RESULT,
    TO_MOVE,
    Game,
    GameError,
    Rules,
    Symmetries,
    int_setting,
    kernel,
    lean_kernel,
)

# A cell holds 0 when empty, else STONE + player + 2 * edge, where edge says which of its player's two sides the
# stone's group touches: 0 none, 1 the first (top, left), 2 the second (bottom, right). All stones of a group carry
# the same edge; the group that has won carries 1. So the cells follow from the stones alone, in whatever order they
# were placed, and player 0 has the odd codes.
STONE = 1

LINK = 8  # above any code, see spread

# With swap, one word after the cells counts moves: 0 empty board, 1 the mover may swap, 2 anything later.

# The six neighbours of a cell, as steps in row and column.
DOWN = (-1, -1, 0, 0, 1, 1)
RIGHT = (0, 1, -1, 1, -1, 0)

# The last line of a drawn board, and the mover it stands for: the loser is to move in a finished game.
MOVERS = {"x to move": 0, "o to move": 1, "o to move or swap": 1, "x has won": 1, "o has won": 0}


@kernel
def reset(state, params):
    state[:] = 0


@lean_kernel
def legal(state, params, mask):
    cells = params[0] * params[2]
    running = state[OVER] == 0
    for cell in range(cells):
        mask[cell] = running & (state[HEADER + cell] == 0)
    if params[1]:
        mask[cells] = state[HEADER + cells] == 1


@lean_kernel
def apply(state, params, action):
    rows, columns = params[0], params[2]
    cells = rows * columns
    player = state[TO_MOVE]
    board = state[HEADER : HEADER + cells]
    state[TO_MOVE] = 1 - player
    if params[1]:
        state[HEADER + cells] = min(state[HEADER + cells] + 1, 2)
    if action == cells:
        swap(board, rows)
    elif place(board, rows, columns, player, action):
        state[OVER] = 1
        state[RESULT] = 1 - 2 * player


@lean_kernel
def place(board, rows, columns, player, cell):
    """Put a stone of `player` on an empty cell; True if it connects their two sides."""
    row, col = cell // columns, cell % columns
    depth, far = (row, rows - 1) if player == 0 else (col, columns - 1)
    joined = 0  # bit 1 + edge: one of the groups that the stone joins has that edge
    for i in range(6):  # without branches, since nobody can predict them
        r, c = row + DOWN[i], col + RIGHT[i]
        inside = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
        code = int(board[r * columns + c if inside else cell])  # the cell itself is empty
        own = (code != 0) & (((code - STONE) & 1) == player)
        joined |= int(own) << ((code + STONE - player) >> 1)
    sides = joined >> 2 | int(depth == 0) | int(depth == far) << 1  # bit 0: the first side, bit 1: the second
    won = sides == 3
    edge = 1 if won else sides
    board[cell] = STONE + player + 2 * edge
    if joined & ~(2 << edge) != 0:
        spread(board, rows, columns, cell)
    return won


@lean_kernel
def spread(board, rows, columns, cell):
    """Give all stones of the group of `cell` the edge of that stone.

    Groups are uniform and a group's edge changes once before the end, so each stone is rewritten at most twice in a
    game, however often groups join. Stones whose neighbours are still to be looked at are chained through the board:
    above its code each holds LINK * (1 + the next), 0 at the end. A stack of our own would have to be allocated, and
    cached kernels that call themselves can crash when they are loaded again (numba issue 6061).
    """
    code = int(board[cell])
    chain = cell + 1
    while chain > 0:
        cell = chain - 1
        chain = board[cell] // LINK
        board[cell] = code
        row, col = cell // columns, cell % columns
        for i in range(6):
            r, c = row + DOWN[i], col + RIGHT[i]
            inside = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
            near = r * columns + c if inside else cell  # the cell itself is done
            other = int(board[near])
            if (other != 0) & (other % LINK != code) & (other % 2 == code % 2):
                board[near] = code + LINK * chain
                chain = near + 1


@lean_kernel
def swap(board, size):
    """Mirror the only stone in the long diagonal and make it player 1's. Top becomes left: its edge stays."""
    for cell in range(size * size):
        if board[cell] != 0:
            code = board[cell]
            board[cell] = 0
            board[cell % size * size + cell // size] = code + 1
            return


@lean_kernel
def observe(state, params, planes):
    rows, columns = params[0], params[2]
    player, cells = state[TO_MOVE], rows * columns
    board, plane = state[HEADER:], planes[player]
    odd, even = plane.flat, planes[1 - player].flat  # odd codes are player 0's
    for cell in range(cells):
        odd[cell] = board[cell]
    if player == 1 and rows == columns:
        for row in range(1, rows):
            for column in range(row):
                code = plane[row, column]
                plane[row, column] = plane[column, row]
                plane[column, row] = code
    for cell in range(cells):  # a loop for each, so that the compiler makes them wide
        code = np.int32(odd[cell])
        even[cell] = (code != 0) & (code & 1 == 0)
    for cell in range(cells):
        odd[cell] = np.int32(odd[cell]) & 1
    if rows != columns:
        fill(planes[2].flat, cells, 1 - player)
    elif params[1]:
        fill(planes[2].flat, cells, state[HEADER + cells] == 1)


@lean_kernel
def fill(plane, cells, value):
    for cell in range(cells):
        plane[cell] = value


@kernel
def winner_without(stones, rows, columns, absent):
    """Who has connected their sides among `stones` (0 empty, 1 + player), were the cell `absent` empty; -1 nobody."""
    board = np.zeros(rows * columns, np.int16)
    winner = -1
    for cell in range(rows * columns):
        if stones[cell] != 0 and cell != absent and place(board, rows, columns, stones[cell] - 1, cell):
            winner = stones[cell] - 1
    return winner


class Hex(Game):
    """Hex on size x size cells, or rows x columns; `swap` turns the swap rule on."""

    name = "hex"
    rules = Rules(reset, legal, apply, observe)

    def __init__(self, size: int = 5, swap: bool = False, rows: int | None = None, columns: int | None = None):
        size = int_setting("hex", "size", size, 2, 19)
        rows = size if rows is None else int_setting("hex", "rows", rows, 2, 19)
        columns = size if columns is None else int_setting("hex", "columns", columns, 2, 19)
        if not isinstance(swap, bool | np.bool_):
            raise GameError(f"hex: swap={swap!r} cannot be: expected true or false")
        if swap and rows != columns:
            raise GameError(f"hex: swap={swap!r} cannot be on {rows} x {columns}: the swapped stone is mirrored in the "
                            "diagonal of a square; choose rows = columns or swap=false")  # fmt: skip
        self.rows, self.columns = rows, columns
        cells, square = rows * columns, rows == columns
        board = np.arange(cells).reshape(rows, columns)
        half_turn = np.stack([board.ravel(), board.ravel()[::-1]])
        flip = np.stack([board.ravel(), (board.T if square else board).ravel()])
        size = max(rows, columns)
        super().__init__(
            settings={"size": size, "swap": bool(swap)} | ({} if square else {"rows": rows, "columns": columns}),
            size=size, params=[rows, swap, columns], state_words=HEADER + cells + swap, num_actions=cells + swap,
            observation_shape=(2 + (swap or not square), rows, columns), max_length=cells + swap,
            views=self._with_swap(flip, swap), symmetries=Symmetries(self._with_swap(half_turn, swap), half_turn),
        )  # fmt: skip

    @staticmethod
    def _with_swap(cells, swap):
        """Permutations of actions from permutations of cells [K, cells]: `swap` stays itself."""
        return np.hstack([cells, np.full((len(cells), int(swap)), cells.shape[1])])

    @property
    def title(self):
        board = f"{self.size}" if self.rows == self.columns else f"{self.rows}x{self.columns}"
        return f"hex{board}-swap" if self.settings["swap"] else f"hex{board}"

    @property
    def openspiel_id(self):
        if self.rows != self.columns:
            return f"hex(num_rows={self.rows},num_cols={self.columns})"
        return f"hex(board_size={self.size},swap={self.settings['swap']})"

    def action_text(self, action):
        if action == self.rows * self.columns:
            return "swap"
        return grid_text.cell_text(action, self.columns)

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        """The slanted board, then who is to move or has won.

        Nothing more is needed under the swap rule: the mover and the numbers of stones tell whether it was taken.
        """
        codes = state[HEADER : HEADER + self.rows * self.columns].reshape(self.rows, self.columns)
        stones = np.where(codes == 0, 0, 2 - codes % 2)
        return "\n".join([*grid_text.board(stones, slanted=True), self._status(state)])

    def parse(self, text):
        """The position that `draw` wrote; spaces may differ."""
        board, status = grid_text.read(self.title, text, self.rows, self.columns)
        stones = board.ravel()
        if status not in MOVERS:
            self._refuse(text, f"the last line must be one of {', '.join(map(repr, MOVERS))}")
        mover = MOVERS[status]
        self._check_counts(text, stones, mover)
        state = self._build(stones, mover)
        if self._status(state) != status:
            self._refuse(text, f"the last line must be {self._status(state)!r} on this board")
        grid_text.check_connection(self.title, text, state, stones,
                                   lambda cell: winner_without(stones, self.rows, self.columns, cell))  # fmt: skip
        return state

    def _status(self, state):
        mover = state[TO_MOVE]
        if state[OVER]:
            return f"{'ox'[mover]} has won"
        return f"{'xo'[mover]} to move" + " or swap" * bool(self.settings["swap"] and state[-1] == 1)

    def _build(self, stones, mover):
        state = self.reset(1)[0]
        board = state[HEADER : HEADER + self.rows * self.columns]
        for cell in np.flatnonzero(stones):
            player = int(stones[cell]) - 1
            if place(board, self.rows, self.columns, player, cell):
                state[OVER] = 1
                state[RESULT] = 1 - 2 * player
        state[TO_MOVE] = mover
        if self.settings["swap"]:
            state[-1] = min((stones != 0).sum(), 2) if (stones == 1).any() else 2 * (stones == 2).any()
        return state

    def _check_counts(self, text, stones, mover):
        x, o = int((stones == 1).sum()), int((stones == 2).sum())
        plain = x - o == mover
        swapped = self.settings["swap"] and o >= 1 and o - x == 1 - mover
        if not plain and not swapped:
            self._refuse(text, f"{x} x and {o} o cannot be with {'xo'[mover]} to move: turns alternate, x begins")

    def _refuse(self, text, reason):
        grid_text.refuse(self.title, text, reason)
