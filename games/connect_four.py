"""Connect Four: stones fall to the lowest empty cell of a column; four in a row win. Any rows x columns, any length.

       a b c d e f g
     1 . . . . . . .       Rows are numbered from the top. A move is a column; here x may play c to connect c3-c6.
     2 . . . . . . .
     3 . . . . . . .
     4 . . x . . . .
     5 . . x o . . .
     6 . . x o o . .
    x to move

Rules     player 0 (x) and 1 (o) drop a stone in turn; `connect` or more in a row, column or diagonal win; a full board
          without is a draw
Actions   columns: the column, from the left
Planes    2: own stones, the opponent's, top row first
Symmetry  mirror of left and right
Longest   rows * columns moves
Source    N. Wexler, H. Strongin 1974. 6 x 7 is won by the first player, who must begin in the middle (J. D. Allen 1988,
          V. Allis 1988). Actions and geometry as in OpenSpiel's connect_four, whose x_in_row is `connect`
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

# A cell holds 0 when empty, else STONE + player, row by row from the top. After the cells: the stones in each column,
# then the stones in all.
STONE = 1

# The four directions of a line, as steps in row and column.
DOWN = (0, 1, 1, 1)
RIGHT = (1, 0, 1, -1)


@kernel
def reset(state, params):
    state[:] = 0


@lean_kernel
def legal(state, params, mask):
    running = state[OVER] == 0
    for col in range(params[1]):
        mask[col] = running & (state[HEADER + col] == 0)


@lean_kernel
def apply(state, params, action):
    rows, columns, length = params[0], params[1], params[2]
    cells = rows * columns
    player = state[TO_MOVE]
    board = state[HEADER : HEADER + cells]
    cell = (rows - 1 - state[HEADER + cells + action]) * columns + action
    board[cell] = STONE + player
    state[HEADER + cells + action] += 1
    state[HEADER + cells + columns] += 1
    state[TO_MOVE] = 1 - player
    if in_line(board, rows, columns, length, cell):
        state[OVER] = 1
        state[RESULT] = 1 - 2 * player
    elif state[HEADER + cells + columns] == cells:
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


class ConnectFour(Game):
    """Connect Four on rows x columns; no side longer than 26, `connect` no longer than the longer side."""

    name = "connect_four"
    rules = Rules(reset, legal, apply, observe)
    can_draw = True

    def __init__(self, rows: int = 6, columns: int = 7, connect: int = 4):
        rows = int_setting("connect_four", "rows", rows, 1, grid_text.LARGEST)
        columns = int_setting("connect_four", "columns", columns, 1, grid_text.LARGEST)
        connect = int_setting("connect_four", "connect", connect, 2, grid_text.LARGEST)
        if connect > max(rows, columns):
            raise GameError(f"connect_four: connect={connect} cannot be on {rows} x {columns}: no line is so long; "
                            f"expected at most {max(rows, columns)}")  # fmt: skip
        cells = rows * columns
        board = np.arange(cells).reshape(rows, columns)
        super().__init__(
            settings={"rows": rows, "columns": columns, "connect": connect}, size=cells,
            params=[rows, columns, connect], state_words=HEADER + cells + columns + 1, num_actions=columns,
            observation_shape=(2, rows, columns), max_length=cells,
            symmetries=Symmetries(np.stack([np.arange(columns), np.arange(columns)[::-1]]),
                                  np.stack([board.ravel(), board[:, ::-1].ravel()])),
        )  # fmt: skip
        self.rows, self.columns, self.connect = rows, columns, connect

    @property
    def title(self):
        return f"connect_four{self.rows}x{self.columns}" + f"-{self.connect}" * (self.connect != 4)

    @property
    def openspiel_id(self):
        return f"connect_four(rows={self.rows},columns={self.columns},x_in_row={self.connect})"

    def action_text(self, action):
        return grid_text.letters(self.columns)[action]

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        return grid_text.draw(self._board(state).reshape(self.rows, self.columns), state)

    def parse(self, text):
        """The position that `draw` wrote; spaces may differ."""
        stones, status = grid_text.read(self.title, text, self.rows, self.columns)
        x, o = grid_text.count(self.title, text, stones)
        heights = (stones != 0).sum(axis=0)
        if not (stones[::-1][np.arange(self.rows)[:, None] < heights] != 0).all():
            grid_text.refuse(self.title, text, "a stone has an empty cell below it")
        state = self.reset(1)[0]
        self._board(state)[:] = stones.ravel()
        state[HEADER + self.size : -1], state[-1], state[TO_MOVE] = heights, x + o, x - o
        self._end(text, state)
        grid_text.check_status(self.title, text, status, state)
        return state

    def _board(self, state):
        return state[HEADER : HEADER + self.size]

    def _end(self, text, state):
        """Fill in end and result; refuse boards that no order of moves leads to."""
        board, mover = self._board(state), int(state[TO_MOVE])
        won = self._has_line(board, 1 - mover)
        heights = state[HEADER + self.size : -1].tolist()
        last = [col for col in range(self.columns) if heights[col] and self._may_be_last(board, mover, col)]
        if state[-1] and not last:
            reason = f"no stone of {'xo'[1 - mover]} on top can be the last, with no line left without it"
            grid_text.refuse(self.title, text, reason)
        stones = board.reshape(self.rows, self.columns)[::-1]
        if not can_be_stacked([stones[: heights[col], col].tolist() for col in range(self.columns)], last):
            grid_text.refuse(self.title, text, "no order of moves stacks the columns so")
        state[OVER] = won or state[-1] == self.size
        state[RESULT] = (2 * mover - 1) * won

    def _may_be_last(self, board, mover, col):
        """Whether the top stone of a column is the last player's, and no line is left without it."""
        cell = int(np.flatnonzero(board[col :: self.columns])[0]) * self.columns + col
        without = board.copy()
        without[cell] = 0
        return board[cell] == STONE + 1 - mover and not any(self._has_line(without, player) for player in (0, 1))

    def _has_line(self, board, player):
        return has_line(board, self.rows, self.columns, self.connect, STONE + player)


STACKS = 100_000  # partial boards that can_be_stacked looks at before it gives in


def can_be_stacked(columns: list[list[int]], last: list[int]) -> bool:
    """Whether players in turn can have stacked `columns` (marks from the bottom up), ending in one of `last`.

    Takes stones off again, depth first, each set of heights once. On huge boards of unlikely patterns it may give in,
    and then says yes.
    """
    tops = [tuple(len(column) for column in columns)]
    seen: set[tuple[int, ...]] = set()
    while tops:
        heights = tops.pop()
        count = sum(heights)
        if count == 0 or len(seen) >= STACKS:
            return True
        taken = STONE + (count - 1) % 2
        for col in last if not seen else range(len(columns)):
            if heights[col] and columns[col][heights[col] - 1] == taken:
                lower = (*heights[:col], heights[col] - 1, *heights[col + 1 :])
                if lower not in seen:
                    seen.add(lower)
                    tops.append(lower)
    return False
