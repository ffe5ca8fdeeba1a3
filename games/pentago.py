"""Pentago: place a stone, turn a quarter of the board; five in a row win.

           t       u         A move puts a stone on an empty cell and then turns one of the four 3 x 3 quarters by 90
         a b c   d e f       degrees. The letter says which and how: s t upper left, u v upper right, w x lower right,
     s 1 . . . | . . .       y z lower left, the first of each pair against the clock, the second with it.
       2 . x . | . . .       a1t on this board: the stone on a1 goes to c1, the one on b2 stays.
       3 . . . | . . .
         ------+------  v
       4 . . . | . . .       Five own stones in a row, column or diagonal after the turn win, whoever turned. Five of
       5 . . . | . . .       both players at once, and a full board without five, are a draw.
       6 . . . | . . .

Actions   288: (row * 6 + col) * 8 + turn, turns in the order of the letters s to z
Planes    2: own stones, the opponent's
Symmetry  all eight of the square; mirrors exchange the two ways of turning
Longest   36 moves
Value     the first player wins where five also count before the turn (G. Irving 2014, arXiv 1404.0743); not known here
Source    T. Floden 2005; actions and end as in OpenSpiel's pentago
"""

import numpy as np

from games import grid_text
from games.core import HEADER, OVER, RESULT, TO_MOVE, ActionLayout, Game, Rules, Symmetries, kernel

# The state holds the stones of each player as one word of 36 bits. Quarter q (upper left, upper right, lower right,
# lower left) has the bits from 9 * q: its ring of eight cells clockwise from the upper left, then its centre, so that a
# turn with the clock is a rotation of eight bits by two.
SIDE, CELLS, TURNS = 6, 36, 8
RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (1, 1))
CORNERS = ((0, 0), (0, 3), (3, 3), (3, 0))
FULL = (1 << CELLS) - 1


def _bits_of_cells():
    bits = np.zeros((SIDE, SIDE), np.int64)
    for quarter, (row, col) in enumerate(CORNERS):
        for place, (down, right) in enumerate(RING):
            bits[row + down, col + right] = 9 * quarter + place
    return bits


def _lines():
    """The 32 sets of five cells in a row, as words of bits."""
    lines = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for row in range(SIDE - 4 * down):
            for col in range(4 * (right < 0), SIDE - 4 * (right > 0)):
                lines.append(sum(1 << int(BITS[row + i * down, col + i * right]) for i in range(5)))
    return np.array(lines, np.int64)


BITS = _bits_of_cells()  # int64 [6, 6]: where a cell's bit stands
LINES = _lines()  # int64 [32]


@kernel
def reset(state, params):
    state[:] = 0


@kernel
def legal(state, params, mask):
    taken = state[HEADER] | state[HEADER + 1]
    running = state[OVER] == 0
    for row in range(SIDE):
        for col in range(SIDE):
            open_cell = running & ((taken >> BITS[row, col]) & 1 == 0)
            first = (row * SIDE + col) * TURNS
            for turn in range(TURNS):
                mask[first + turn] = open_cell


@kernel
def apply(state, params, action):
    player = state[TO_MOVE]
    cell, turn = action // TURNS, action % TURNS
    state[HEADER + player] |= np.int64(1) << BITS[cell // SIDE, cell % SIDE]
    for owner in range(2):
        state[HEADER + owner] = turned(state[HEADER + owner], turn)
    first, second = has_five(state[HEADER]), has_five(state[HEADER + 1])
    state[OVER] = first or second or (state[HEADER] | state[HEADER + 1]) == FULL
    state[RESULT] = np.int64(first) - np.int64(second)
    state[TO_MOVE] = 1 - player


@kernel
def turned(stones, turn):
    """The stones after a quarter turns: turn // 2 says which, turn % 2 whether with the clock."""
    start = turn // 2 * 9
    ring = (stones >> start) & 255
    shift = 2 if turn % 2 else 6
    after = ((ring << shift) | (ring >> (8 - shift))) & 255
    return stones ^ ((ring ^ after) << start)


@kernel
def has_five(stones):
    found = False
    for i in range(len(LINES)):
        found |= stones & LINES[i] == LINES[i]
    return found


@kernel
def observe(state, params, planes):
    own, other = state[HEADER + state[TO_MOVE]], state[HEADER + 1 - state[TO_MOVE]]
    for row in range(SIDE):
        for col in range(SIDE):
            planes[0, row, col] = (own >> BITS[row, col]) & 1
            planes[1, row, col] = (other >> BITS[row, col]) & 1


class Pentago(Game):
    """Pentago; no settings."""

    name = "pentago"
    rules = Rules(reset, legal, apply, observe)
    state_dtype = np.int64
    can_draw = True

    def __init__(self):
        super().__init__(
            settings={}, size=SIDE, params=[], state_words=HEADER + 2, num_actions=CELLS * TURNS,
            observation_shape=(2, SIDE, SIDE), max_length=CELLS, symmetries=_symmetries(),
            layout=ActionLayout(TURNS, 0, 0, np.arange(CELLS * TURNS).reshape(TURNS, CELLS).T.ravel()),
        )  # fmt: skip

    @property
    def openspiel_id(self):
        return "pentago"

    def action_text(self, action):
        return grid_text.cell_text(action // TURNS, SIDE) + "stuvwxyz"[action % TURNS]

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        """The board, then who is to move or has won."""
        return grid_text.draw((state[HEADER] >> BITS & 1) + 2 * (state[HEADER + 1] >> BITS & 1), state)

    def parse(self, text):
        """The position that `draw` wrote; spaces may differ."""
        stones, status = grid_text.read(self.title, text, SIDE, SIDE)
        x, o = grid_text.count(self.title, text, stones)
        state = self.reset(1)[0]
        state[TO_MOVE] = x - o
        for player in (0, 1):
            state[HEADER + player] = (np.int64(1) << BITS[stones == 1 + player]).sum()
        five = [has_five(state[HEADER + player]) for player in (0, 1)]
        state[OVER] = any(five) or x + o == CELLS
        state[RESULT] = int(five[0]) - int(five[1])
        grid_text.check_status(self.title, text, status, state)
        if any(five) and not self._has_just_ended(state):
            grid_text.refuse(self.title, text, "five in a row were there before the last move, whatever it was")
        return state

    def _has_just_ended(self, state):
        """Whether some last move, taken back, leaves a board without five in a row."""
        last = 1 - state[TO_MOVE]
        for turn in range(TURNS):
            before = [turned(state[HEADER + player], turn ^ 1) for player in (0, 1)]
            if has_five(before[1 - last]):
                continue
            stones = [np.int64(1) << bit for bit in BITS.ravel() if before[last] >> bit & 1]
            if any(not has_five(before[last] ^ stone) for stone in stones):
                return True
        return False


def _symmetries():
    """Turns and mirrors of the board; a quarter goes along, and in a mirror the clock runs backwards."""
    board, quarters = np.arange(CELLS).reshape(SIDE, SIDE), np.array([[0, 1], [3, 2]])
    actions, cells = [], []
    for mirror in (0, 1):
        for k in range(4):
            places = np.rot90(board.T if mirror else board, k).ravel()
            moved = np.rot90(quarters.T if mirror else quarters, k)
            source = np.array([moved[quarters == quarter][0] for quarter in range(4)])
            turns = (2 * source[:, None] + (np.arange(2) ^ mirror)).ravel()
            cells.append(places)
            actions.append((places[:, None] * TURNS + turns).ravel())
    return Symmetries(np.array(actions), np.array(cells))
