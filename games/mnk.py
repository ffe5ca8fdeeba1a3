"""m,n,k: k in a row on a board of any size. Tic-tac-toe is 3,3,3; freestyle Gomoku is k = 5 on 15 x 15.

Rules     players 0 (x) and 1 (o) mark empty cells in turn; k or more in a row, column or diagonal win; a full board
          without is a draw
Actions   rows * columns: row * columns + col
Planes    2: own marks, the opponent's marks
Symmetry  all eight of a square board, four of any other
Longest   rows * columns moves
Source    the m,n,k-games; in freestyle Gomoku longer rows win too, and no opening is forbidden. The second player wins
          none of them (strategy stealing). 3,3,3 is a draw; 15,15,5 is won by the first player (Allis, van den Herik,
          Huntjens 1993); 8,8,5 is a draw (W.-Y. Hsu, C.-L. Ko, J.-C. Chen, T.-H. Wei, C.-H. Hsueh, I-C. Wu 2020).
          Geometry and actions as in OpenSpiel's mnk, whose m is columns and n is rows
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

STONE = 1  # a cell holds 0 when empty, else STONE + player; the word after the cells counts the stones

# The four directions of a line, as steps in row and column.
DOWN = (0, 1, 1, 1)
RIGHT = (1, 0, 1, -1)


@kernel
def reset(state, params):
    state[:] = 0


@lean_kernel
def legal(state, params, mask):
    running = state[OVER] == 0
    for cell in range(params[0] * params[1]):
        mask[cell] = running & (state[HEADER + cell] == 0)


@lean_kernel
def apply(state, params, action):
    rows, columns, length = params[0], params[1], params[2]
    cells = rows * columns
    player = state[TO_MOVE]
    board = state[HEADER : HEADER + cells]
    board[action] = STONE + player
    state[HEADER + cells] += 1
    state[TO_MOVE] = 1 - player
    if in_line(board, rows, columns, length, action):
        state[OVER] = 1
        state[RESULT] = 1 - 2 * player
    elif state[HEADER + cells] == cells:
        state[OVER] = 1


@lean_kernel
def in_line(board, rows, columns, length, cell):
    """Whether the stone on `cell` stands in a line of at least `length` of its player's."""
    row, col = cell // columns, cell % columns
    for i in range(4):
        run = 1 + reach(board, rows, columns, row, col, DOWN[i], RIGHT[i])
        run += reach(board, rows, columns, row, col, -DOWN[i], -RIGHT[i])
        if run >= length:
            return True
    return False


@lean_kernel
def reach(board, rows, columns, row, col, down, right):
    """How many stones like that of (row, col) follow it without a gap."""
    mark = board[row * columns + col]
    row, col, count = row + down, col + right, 0
    while 0 <= row < rows and 0 <= col < columns and board[row * columns + col] == mark:
        row, col, count = row + down, col + right, count + 1
    return count


@kernel
def has_line(board, rows, columns, length, mark):
    found = False
    for cell in range(rows * columns):
        found |= board[cell] == mark and in_line(board, rows, columns, length, cell)
    return found


@kernel
def observe(state, params, planes):
    rows, columns = params[0], params[1]
    own, other = STONE + state[TO_MOVE], STONE + 1 - state[TO_MOVE]
    for row in range(rows):
        line = state[HEADER + row * columns : HEADER + (row + 1) * columns]
        mine, theirs = planes[0, row], planes[1, row]
        for col in range(columns):
            mine[col] = line[col] == own
            theirs[col] = line[col] == other


class Mnk(Game):
    """k in a row on rows x columns; no side longer than 26, k no longer than the longer side."""

    name = "mnk"
    rules = Rules(reset, legal, apply, observe)
    can_draw = True

    def __init__(self, rows: int = 3, columns: int = 3, k: int = 3):
        rows = int_setting("mnk", "rows", rows, 1, grid_text.LARGEST)
        columns = int_setting("mnk", "columns", columns, 1, grid_text.LARGEST)
        k = int_setting("mnk", "k", k, 2, grid_text.LARGEST)
        if k > max(rows, columns):
            raise GameError(f"mnk: k={k} cannot be on {rows} x {columns}: no line is so long; expected at most "
                            f"{max(rows, columns)}")  # fmt: skip
        cells = rows * columns
        turns = turns_of(rows, columns)
        super().__init__(
            settings={"rows": rows, "columns": columns, "k": k}, size=cells, params=[rows, columns, k],
            state_words=HEADER + cells + 1, num_actions=cells, observation_shape=(2, rows, columns),
            max_length=cells, symmetries=Symmetries(turns, turns),
        )  # fmt: skip
        self.rows, self.columns, self.k = rows, columns, k

    @property
    def title(self):
        return f"mnk{self.rows}x{self.columns}-{self.k}"

    @property
    def openspiel_id(self):
        return f"mnk(m={self.columns},n={self.rows},k={self.k})"

    def action_text(self, action):
        return grid_text.cell_text(action, self.columns)

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        return grid_text.draw(state[HEADER:-1].reshape(self.rows, self.columns), state)

    def parse(self, text):
        """The position that `draw` wrote; spaces may differ."""
        stones, status = grid_text.read(self.title, text, self.rows, self.columns)
        x, o = grid_text.count(self.title, text, stones)
        state = self.reset(1)[0]
        state[HEADER:-1], state[-1], state[TO_MOVE] = stones.ravel(), x + o, x - o
        self._end(text, state)
        grid_text.check_status(self.title, text, status, state)
        return state

    def _end(self, text, state):
        """Fill in end and result. Lines must be the last player's, and all hold one stone: the last."""
        board, mover = state[HEADER:-1].copy(), int(state[TO_MOVE])
        if self._has_line(board, mover):
            grid_text.refuse(self.title, text, f"{'xo'[mover]} had a line before the last move")
        won = self._has_line(board, 1 - mover)
        if won and all(self._has_line(np.where(np.arange(len(board)) == cell, 0, board), 1 - mover)
                       for cell in np.flatnonzero(board == STONE + 1 - mover)):  # fmt: skip
            grid_text.refuse(self.title, text, f"{'xo'[1 - mover]} had a line before the last move")
        state[OVER] = won or state[-1] == len(board)
        state[RESULT] = (2 * mover - 1) * won

    def _has_line(self, board, player):
        return has_line(board, self.rows, self.columns, self.k, STONE + player)


def turns_of(rows, columns):
    """The board's symmetries as permutations of its cells [K, cells], the identity first, each once."""
    board = np.arange(rows * columns).reshape(rows, columns)
    turns = [np.rot90(side, k).ravel() for side in (board, board[:, ::-1]) for k in range(0, 4, 1 + (rows != columns))]
    return np.array(list({turn.tobytes(): turn for turn in turns}.values()))
