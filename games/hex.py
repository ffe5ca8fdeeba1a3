"""Hex: two players connect opposite sides of a rhombus of hexagons. Sizes 2 to 19, with or without the swap rule.

       a b c             Player 0 (x) connects top and bottom, player 1 (o) left and right. The cells next to (r, c):
     1 . . .             (r - 1, c) and (r - 1, c + 1) above, (r, c - 1) and (r, c + 1) beside,
      2 . x .            (r + 1, c - 1) and (r + 1, c) below.
       3 . . .           b2 touches b1, c1, a2, c2, a3, b3.

Rules     players fill empty cells in turn; who connects their two sides wins; a full board has exactly one winner
Swap      with swap=True player 1 may answer the first stone with `swap`: it is taken off, player 1 gets one on the
          cell mirrored in the long diagonal, (r, c) -> (c, r), and player 0 moves again
Actions   size * size: r * size + c; with swap one more, the last
Planes    2: own stones, the opponent's, both transposed for player 1, so that the mover always connects top and
          bottom; with swap a third, all ones where the mover may swap
Symmetry  half turn
Longest   size * size moves, one more with swap
Source    P. Hein 1942, J. Nash 1948; actions, geometry and swap as in OpenSpiel's hex
"""

import numpy as np

from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, int_setting, kernel

# A cell holds 0 when empty, else STONE + player + 2 * edge, where edge says which of its player's two sides the
# stone's group touches: 0 none, 1 the first (top, left), 2 the second (bottom, right). All stones of a group carry
# the same edge; the group that has won carries 1. So the cells follow from the stones alone, in whatever order they
# were placed, and player 0 has the odd codes.
STONE = 1

# With swap, one word after the cells counts moves: 0 empty board, 1 the mover may swap, 2 anything later.

# The six neighbours of a cell, as steps in row and column.
DOWN = (-1, -1, 0, 0, 1, 1)
RIGHT = (0, 1, -1, 1, -1, 0)

# The last line of a drawn board, and the mover it stands for: the loser is to move in a finished game.
MOVERS = {"x to move": 0, "o to move": 1, "o to move or swap": 1, "x has won": 1, "o has won": 0}


@kernel
def reset(state, params):
    state[:] = 0


@kernel
def legal(state, params, mask):
    cells = params[0] * params[0]
    running = state[OVER] == 0
    for cell in range(cells):
        mask[cell] = running & (state[HEADER + cell] == 0)
    if params[1]:
        mask[cells] = state[HEADER + cells] == 1


@kernel
def apply(state, params, action):
    size = params[0]
    cells = size * size
    player = state[TO_MOVE]
    board = state[HEADER : HEADER + cells]
    state[TO_MOVE] = 1 - player
    if params[1]:
        state[HEADER + cells] = min(state[HEADER + cells] + 1, 2)
    if action == cells:
        swap(board, size)
    elif place(board, size, player, action):
        state[OVER] = 1
        state[RESULT] = 1 - 2 * player


@kernel
def place(board, size, player, cell):
    """Put a stone of `player` on an empty cell; True if it connects their two sides."""
    row, col = cell // size, cell % size
    depth = row if player == 0 else col
    joined = 0  # bit 1 + edge: one of the groups that the stone joins has that edge
    for i in range(6):  # without branches, since nobody can predict them
        r, c = row + DOWN[i], col + RIGHT[i]
        inside = (r >= 0) & (r < size) & (c >= 0) & (c < size)
        code = int(board[r * size + c if inside else cell])  # the cell itself is empty
        own = (code != 0) & (((code - STONE) & 1) == player)
        joined |= int(own) << ((code + STONE - player) >> 1)
    sides = joined >> 2 | int(depth == 0) | int(depth == size - 1) << 1  # bit 0: the first side, bit 1: the second
    won = sides == 3
    edge = 1 if won else sides
    board[cell] = STONE + player + 2 * edge
    if joined & ~(2 << edge) != 0:
        spread(board, size, cell)
    return won


@kernel
def spread(board, size, cell):
    """Give all stones of the group of `cell` the edge of that stone.

    Groups are uniform and a group's edge changes once before the end, so each stone is rewritten at most twice in a
    game, however often groups join. The stack is our own: cached kernels that call themselves can crash when they are
    loaded again (numba issue 6061).
    """
    code = board[cell]
    stack = np.empty(size * size, np.int16)
    stack[0] = cell
    count = 1
    while count > 0:
        count -= 1
        row, col = stack[count] // size, stack[count] % size
        for i in range(6):
            r, c = row + DOWN[i], col + RIGHT[i]
            if 0 <= r < size and 0 <= c < size:
                other = board[r * size + c]
                if other != 0 and other != code and other % 2 == code % 2:
                    board[r * size + c] = code
                    stack[count] = r * size + c
                    count += 1


@kernel
def swap(board, size):
    """Mirror the only stone in the long diagonal and make it player 1's. Top becomes left: its edge stays."""
    for cell in range(size * size):
        if board[cell] != 0:
            code = board[cell]
            board[cell] = 0
            board[cell % size * size + cell // size] = code + 1
            return


@kernel
def observe(state, params, planes):
    size = params[0]
    player = state[TO_MOVE]
    board = state[HEADER:]
    for row in range(size):
        # Odd codes are player 0's. Two loops, since the compiler makes the first one wide.
        odd, even = planes[player, row], planes[1 - player, row]
        if player == 0:
            for col in range(size):
                code = board[row * size + col]
                odd[col] = code & 1
                even[col] = (code != 0) & (code & 1 == 0)
        else:
            cell = row
            for col in range(size):
                code = board[cell]
                odd[col] = code & 1
                even[col] = (code != 0) & (code & 1 == 0)
                cell += size
    if params[1]:
        planes[2] = state[HEADER + size * size] == 1


@kernel
def winner_without(stones, size, absent):
    """Who has connected their sides among `stones` (0 empty, 1 + player), were the cell `absent` empty; -1 nobody."""
    board = np.zeros(size * size, np.int16)
    winner = -1
    for cell in range(size * size):
        if stones[cell] != 0 and cell != absent and place(board, size, stones[cell] - 1, cell):
            winner = stones[cell] - 1
    return winner


class Hex(Game):
    """Hex on size x size cells; `swap` turns the swap rule on."""

    name = "hex"
    rules = Rules(reset, legal, apply, observe)

    def __init__(self, size: int = 5, swap: bool = False):
        size = int_setting("hex", "size", size, 2, 19)
        if not isinstance(swap, bool | np.bool_):
            raise GameError(f"hex: swap={swap!r} cannot be: expected true or false")
        cells = size * size
        board = np.arange(cells).reshape(size, size)
        half_turn = np.stack([board.ravel(), board.ravel()[::-1]])
        flip = np.stack([board.ravel(), board.T.ravel()])
        super().__init__(
            settings={"size": size, "swap": bool(swap)}, size=size, params=[size, swap],
            state_words=HEADER + cells + swap, num_actions=cells + swap, observation_shape=(2 + swap, size, size),
            max_length=cells + swap, views=self._with_swap(flip, swap),
            symmetries=Symmetries(self._with_swap(half_turn, swap), half_turn),
        )  # fmt: skip

    @staticmethod
    def _with_swap(cells, swap):
        """Permutations of actions from permutations of cells [K, cells]: `swap` stays itself."""
        return np.hstack([cells, np.full((len(cells), int(swap)), cells.shape[1])])

    @property
    def title(self):
        return f"hex{self.size}-swap" if self.settings["swap"] else f"hex{self.size}"

    @property
    def openspiel_id(self):
        return f"hex(board_size={self.size},swap={self.settings['swap']})"

    def action_text(self, action):
        if action == self.size**2:
            return "swap"
        return f"{chr(ord('a') + action % self.size)}{action // self.size + 1}"

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        """The slanted board, then who is to move or has won.

        Nothing more is needed under the swap rule: the mover and the numbers of stones tell whether it was taken.
        """
        codes = state[HEADER : HEADER + self.size**2].reshape(self.size, self.size)
        lines = ["   " + " ".join(self._letters())]
        for row in range(self.size):
            marks = " ".join("." if code == 0 else "ox"[code % 2] for code in codes[row])
            lines.append(" " * row + f"{row + 1:2d} {marks}")
        return "\n".join([*lines, self._status(state)])

    def parse(self, text):
        """The position that `draw` wrote; spaces may differ."""
        lines = [line.split() for line in text.strip().splitlines() if line.strip()]
        if len(lines) != self.size + 2:
            self._refuse(text, f"expected {self.size + 2} lines (letters, {self.size} rows, who is to move)")
        if lines[0] != self._letters():
            self._refuse(text, f"expected the letters {' '.join(self._letters())} above the board")
        stones = np.zeros((self.size, self.size), np.int64)
        for row, (label, *marks) in enumerate(lines[1:-1]):
            if label != str(row + 1) or len(marks) != self.size or not set(marks) <= set(".xo"):
                self._refuse(text, f"row {row + 1} must be its number and {self.size} of '.', 'x', 'o', with spaces")
            stones[row] = [".xo".index(mark) for mark in marks]
        status = " ".join(lines[-1])
        if status not in MOVERS:
            self._refuse(text, f"the last line must be one of {', '.join(map(repr, MOVERS))}")
        mover = MOVERS[status]
        self._check_counts(text, stones, mover)
        state = self._build(stones.ravel(), mover)
        if self._status(state) != status:
            self._refuse(text, f"the last line must be {self._status(state)!r} on this board")
        self._check_end(text, state, stones.ravel())
        return state

    def _letters(self):
        return [chr(ord("a") + col) for col in range(self.size)]

    def _status(self, state):
        mover = state[TO_MOVE]
        if state[OVER]:
            return f"{'ox'[mover]} has won"
        return f"{'xo'[mover]} to move" + " or swap" * bool(self.settings["swap"] and state[-1] == 1)

    def _build(self, stones, mover):
        state = self.reset(1)[0]
        board = state[HEADER : HEADER + self.size**2]
        for cell in np.flatnonzero(stones):
            player = int(stones[cell]) - 1
            if place(board, self.size, player, cell):
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

    def _check_end(self, text, state, stones):
        """The winner moved last, with the stone that made the connection: taking off some stone must undo it."""
        if not state[OVER]:
            return
        winner = 1 - state[TO_MOVE]
        if state[RESULT] != 1 - 2 * winner:
            self._refuse(text, f"{'xo'[1 - winner]} has connected, so {'xo'[1 - winner]} must have moved last")
        candidates = np.flatnonzero(stones == winner + 1)
        if all(winner_without(stones, self.size, cell) == winner for cell in candidates):
            self._refuse(text, f"{'xo'[winner]} had connected before the last move")

    def _refuse(self, text, reason):
        raise GameError(f"{self.title}: no such position: {reason}; got\n{text}")
