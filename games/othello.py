"""Othello: discs that enclose a line of the opponent's turn it over. Sizes 4, 6 and 8.

       a b c d e f       Player 0 (x, black) moves first. A move puts a disc on an empty cell so that in at least one of
     1 . . . . . .       the eight directions an unbroken line of the opponent's discs lies between it and another of
     2 . . . . . .       the mover's; all discs in all such lines turn over. Who has no such move passes; who has one
     3 . . o x . .       may not pass. When neither player has a move the game is over, and more discs win.
     4 . . x o . .
     5 . . . . . .       Here x may play c2, b3, e4 or d5.
     6 . . . . . .

Actions   size * size + 1: r * size + c, the last is the pass
Planes    2: own discs, the opponent's; they decide which moves are legal, the pass included
Symmetry  the four of the square that keep the first position: half turn, both diagonals. The rules have all eight
Longest   2 * (size * size - 4) - 1 moves: no pass comes first, last, or after a pass. Not reached: on 4 x 4 the longest
          game has 17 moves, and random games hardly outlast the empty cells
Value     4 x 4 and 6 x 6: player 1 wins (by 8 discs, counted in tests/games/test_othello.py; 20 to 16, J. Feinstein,
          British Othello Federation newsletter, July 1993). 8 x 8: a draw (H. Takizawa, arXiv 2310.19387)
Source    L. Waterman and J. Mollett 1883, first position G. Hasegawa 1971; actions, turns and end as in OpenSpiel's
          othello
"""

import numpy as np

from games import grid_text
from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, int_setting, kernel

# The board is three words of 64 bits, cell r * size + c at bit r * size + c: the discs of each player, and the cells
# where the player to move may play (none: they must pass, or the game is over). In a finished game 0 is to move.
DISCS, MOVES = HEADER, HEADER + 2

# params: the size, then the bits a disc travels in each direction, then the cells that each direction can lead to.
# The first four directions go to higher bits, the last four are their opposites. The mask also clears the copies of
# bit 63 that a shift to lower bits makes.
DOWN = (0, 1, 1, 1, 0, -1, -1, -1)
RIGHT = (1, -1, 0, 1, -1, 1, 0, -1)
DISTANCE, TARGETS = 1, 9


@kernel
def reset(state, params):
    half = params[0] // 2
    corner = (half - 1) * params[0] + half - 1  # the first of the four cells in the centre
    one = np.int64(1)
    state[:] = 0
    state[DISCS] = one << (corner + 1) | one << (corner + params[0])
    state[DISCS + 1] = one << corner | one << (corner + params[0] + 1)
    state[MOVES] = moves(state[DISCS], state[DISCS + 1], params)


@kernel
def legal(state, params, mask):
    cells = params[0] * params[0]
    open_cells = state[MOVES]
    for cell in range(cells):
        mask[cell] = (open_cells >> cell) & 1 != 0
    mask[cells] = state[OVER] == 0 and open_cells == 0


@kernel
def apply(state, params, action):
    player = state[TO_MOVE]
    own, other = state[DISCS + player], state[DISCS + 1 - player]
    if action < params[0] * params[0]:
        turned = flips(own, other, action, params)
        own |= turned | np.int64(1) << action
        other &= ~turned
        state[DISCS + player], state[DISCS + 1 - player] = own, other
    state[TO_MOVE] = 1 - player
    state[MOVES] = moves(other, own, params)
    if state[MOVES] == 0 and moves(own, other, params) == 0:
        lead = count(state[DISCS], params[0]) - count(state[DISCS + 1], params[0])
        state[TO_MOVE] = 0
        state[OVER] = 1
        state[RESULT] = min(max(lead, -1), 1)


@kernel
def shifted(discs, direction, params):
    """All discs one cell further in a direction; those at the edge fall off."""
    distance, targets = params[DISTANCE + direction], params[TARGETS + direction]
    if direction < 4:
        return (discs << distance) & targets
    return (discs >> distance) & targets


@kernel
def moves(own, other, params):
    """The cells where the owner of `own` may play."""
    ends = np.int64(0)
    for direction in range(8):
        line = shifted(own, direction, params) & other
        for _ in range(params[0] - 3):
            line |= shifted(line, direction, params) & other
        ends |= shifted(line, direction, params)
    return ends & ~(own | other)


@kernel
def flips(own, other, cell, params):
    """The discs of `other` that a disc on `cell` turns over."""
    turned = np.int64(0)
    for direction in range(8):
        line = np.int64(0)
        head = shifted(np.int64(1) << cell, direction, params)
        while head & other != 0:
            line |= head
            head = shifted(head, direction, params)
        if head & own != 0:
            turned |= line
    return turned


@kernel
def count(discs, size):
    total = 0
    for cell in range(size * size):
        total += (discs >> cell) & 1
    return total


@kernel
def observe(state, params, planes):
    size = params[0]
    own, other = state[DISCS + state[TO_MOVE]], state[DISCS + 1 - state[TO_MOVE]]
    for row in range(size):
        for col in range(size):
            planes[0, row, col] = (own >> (row * size + col)) & 1
            planes[1, row, col] = (other >> (row * size + col)) & 1


class Othello(Game):
    """Othello on size x size cells."""

    name = "othello"
    rules = Rules(reset, legal, apply, observe)
    state_dtype = np.int64
    can_draw = True

    def __init__(self, size: int = 6):
        size = int_setting("othello", "size", size, 4, 8)
        if size % 2:
            raise GameError(f"othello: size={size} cannot be: expected 4, 6 or 8, since four cells share the centre")
        cells = size * size
        board = np.arange(cells).reshape(size, size)
        turns = np.stack([side.ravel() for side in (board, board[::-1, ::-1], board.T, board[::-1, ::-1].T)])
        super().__init__(
            settings={"size": size}, size=size, params=[size, *self._directions(size)], state_words=HEADER + 3,
            num_actions=cells + 1, observation_shape=(2, size, size), max_length=2 * (cells - 4) - 1,
            symmetries=Symmetries(np.hstack([turns, np.full((len(turns), 1), cells)]), turns),
        )  # fmt: skip

    @staticmethod
    def _directions(size):
        """The eight distances in bits, then the eight sets of cells that lie one step from some cell."""
        distances = [abs(down * size + right) for down, right in zip(DOWN, RIGHT, strict=True)]
        targets = np.zeros((8, size, size), np.bool_)
        for direction, (down, right) in enumerate(zip(DOWN, RIGHT, strict=True)):
            targets[direction, max(down, 0) : size + min(down, 0), max(right, 0) : size + min(right, 0)] = True
        return distances + [_bits(cells) for cells in targets]

    @property
    def openspiel_id(self):
        return "othello" if self.size == 8 else None

    def action_text(self, action):
        return "pass" if action == self.size**2 else grid_text.cell_text(action, self.size)

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        """The board, then who is to move or has won."""
        return grid_text.draw(self._discs(state), state)

    def parse(self, text):
        """The position that `draw` wrote; spaces may differ."""
        discs, status = grid_text.read(self.title, text, self.size, self.size)
        self._check_discs(text, discs, status)
        state = self._build(discs, status.startswith("o"))
        grid_text.check_status(self.title, text, status, state)
        return state

    def _discs(self, state):
        """0 empty, 1 + player, [size, size]."""
        cells = np.arange(self.size**2).reshape(self.size, self.size)
        return (state[DISCS] >> cells & 1) + 2 * (state[DISCS + 1] >> cells & 1)

    def _build(self, discs, mover):
        """The position with `mover` to move, or the finished game if nobody can."""
        state = self.reset(1)[0]
        state[DISCS], state[DISCS + 1] = _bits(discs == 1), _bits(discs == 2)
        options = [moves(state[DISCS + player], state[DISCS + 1 - player], self.params) for player in (0, 1)]
        state[OVER] = not any(options)
        state[TO_MOVE] = mover and not state[OVER]
        state[MOVES] = options[state[TO_MOVE]]
        state[RESULT] = state[OVER] * np.sign((discs == 1).sum() - (discs == 2).sum())
        return state

    def _check_discs(self, text, discs, status):
        """The centre is full, every other disc was put beside one that was there, and x begins."""
        centre = np.zeros_like(discs, np.bool_)
        centre[self.size // 2 - 1 : self.size // 2 + 1, self.size // 2 - 1 : self.size // 2 + 1] = True
        if not discs[centre].all():
            grid_text.refuse(self.title, text, "the four cells in the centre are never empty")
        reached = np.pad(centre, 1)
        inside = np.pad(discs != 0, 1)
        for _ in range(discs.size):
            rows = reached | np.roll(reached, 1, 0) | np.roll(reached, -1, 0)
            reached = inside & (rows | np.roll(rows, 1, 1) | np.roll(rows, -1, 1))
        if (reached != inside).any():
            row, col = np.argwhere(inside & ~reached)[0] - 1
            grid_text.refuse(
                self.title,
                text,
                f"no chain of discs leads from the centre to {self.action_text(row * self.size + col)}",
            )
        if (discs != 0).sum() == 4 and (discs != self._discs(self.reset(1)[0])).any():
            grid_text.refuse(self.title, text, "with four discs it must be the first position")
        if (discs != 0).sum() == 4 and status.startswith("o"):
            grid_text.refuse(self.title, text, "with four discs, x is to move")


def _bits(cells):
    """A set of cells, bool [H, W] or more, as one word of 64 bits."""
    return int(np.packbits(np.pad(cells.ravel(), (0, 64 - cells.size)), bitorder="little").view(np.int64)[0])
