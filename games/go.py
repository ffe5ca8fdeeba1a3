"""Go on boards of 2 to 9: area scoring, no suicide, no position twice. Settings: size, komi, repetition.

       a b c d e         Players put stones on empty points in turn, or pass. Stones of one colour that touch along the
     1 . x o . .         lines are a group; a group with no empty point beside it is taken off, the opponent's first.
     2 x o . o .         Here c2 belongs to a ko: if x plays there, b2 is taken, and o may not take c2 back at once,
     3 . x o . .         since the board would be as before.
     4 . . . . .

Forbidden   a move that leaves its own group without an empty point beside it (suicide); a move after which the board
            looks as it did after any earlier move, whoever is to move (positional superko). With repetition="draw" only
            the second of two moves may not take back the first (ko), and any other repetition ends the game as a draw
End         two passes in a row, or 2 * size * size moves, passes counted. Then the area counts (Tromp-Taylor): own
            stones and the empty regions that only own stones border; o gets komi points more, more points win
Actions     size * size + 1: r * size + c, the last is the pass
Planes      6: own stones; the opponent's; where a move is forbidden as a repetition (0.5: it would end the game as a
            draw); ones after a pass; ones for player 1, who has the komi; the share of the longest game that is over
Symmetry    all eight of the square
Longest     2 * size * size moves, OpenSpiel's limit: superko alone allows games longer than anyone can play
Value       x's lead under perfect play without a limit: 1 on 2 x 2, 9 on 3 x 3, 2 on 4 x 4, 25 on 5 x 5, 4 on 6 x 6
            (T. Drange, B. Spight 1998, mathpuzzle.com/go; computed by E. van der Werf 2003 up to 5 x 5), believed to be
            9 on 7 x 7 (Japanese amateurs 1989 in J. Davies, American Go Journal 29-3, 1995)
Source      the rules of J. Tromp and B. Taylor but for suicide; repetition="draw" is OpenSpiel's go, move by move
"""

import math

import numpy as np

from games import grid_text
from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, int_setting, lean_kernel

# A set of points is two words of 64 bits: the first UPPER rows, and the others; a point's bit is its action. In the
# state a set takes four words of 32 bits, whose highest is their sign.
UPPER, WORD = 7, 32
HALF, SIGN = np.int64(2**32 - 1), np.int64(2**31)

# The state: moves so far; whether the last was a pass; the move that took stones last, 0 for none; then eight sets: the
# stones of each player; the points where each has ever lost one; the stones of groups with but one empty point beside
# them; the points where, from the last taking on, a player put a stone and had never lost one; the points where a stone
# is forbidden as a repetition, and those where it would end the game as a draw; then one word per move.
PLIES, PASSED, TAKING, STONES = HEADER, HEADER + 1, HEADER + 2, HEADER + 3
TAKEN, ATARI, FRESH, CLOSED, DRAWING, LOG = STONES + 8, STONES + 16, STONES + 20, STONES + 24, STONES + 28, STONES + 32

# Word t - 1 of the log is of move t: the action, the move that took the stone off again (0 while it stands, t itself
# for a pass), and the key of the board after it. So it tells from when to when there was which stone, and all of them
# together give every earlier position exactly. Positions with different keys differ.
GONE, KEY = 7, 15  # shifts to the taking move and to the key
ACTIONS, MOVES, KEYS = 127, 255, 65535  # masks of all three

# The number of a single bit is BIT[bit % 67]: all powers of two below 2 ** 66 leave different rests.
BIT = np.zeros(67, np.int64)
BIT[[2**number % 67 for number in range(63)]] = range(63)

# params: the size, komi in half points, whether repetitions draw; three sets: all points, all but the first column,
# all but the last.
BOARD, EAST, WEST = 3, 5, 7


@lean_kernel
def reset(state, params):
    for word in range(len(state)):
        state[word] = 0


@lean_kernel
def legal(state, params, mask):
    """A stone can stay beside an empty point, a group of its own with another one, or a group that it takes."""
    cells, player = params[0] * params[0], state[TO_MOVE]
    own, other, atari = read(state, stones(player)), read(state, stones(1 - player)), read(state, ATARI)
    empty = without((params[BOARD], params[BOARD + 1]), joined(own, other))
    helps = joined(joined(empty, without(own, atari)), common(other, atari))
    free = without(common(near(helps, params), empty), read(state, CLOSED))
    running = np.int64(state[OVER] == 0)
    upper = min(cells, UPPER * params[0])
    for cell in range(upper):
        mask[cell] = free[0] * running >> cell & 1
    for cell in range(upper, cells):
        mask[cell] = free[1] * running >> cell - upper & 1
    mask[cells] = running


@lean_kernel
def apply(state, params, action):
    cells = params[0] * params[0]
    player = state[TO_MOVE]
    ply = state[PLIES] + 1
    state[PLIES] = ply
    state[TO_MOVE] = 1 - player
    drawn, ended = False, ply == 2 * cells
    if action == cells:
        ended |= state[PASSED] == 1
        state[PASSED] = 1
        state[LOG + ply - 1] = action | ply << GONE | key(state, ply - 1) << KEY
    else:
        drawn = holds(read(state, DRAWING), action, params)
        state[PASSED] = 0
        put(state, params, ply, player, action)
    if drawn or ended:
        state[OVER] = 1
        state[RESULT] = 0 if drawn else winner(state, params)
        unmark(state)
    elif state[TAKING] > 0:
        close_repetitions(state, params)


# ---- sets of points ------------------------------------------------------------------------------------------------


@lean_kernel
def read(state, at):
    return word_pair(state, at), word_pair(state, at + 2)


@lean_kernel
def word_pair(state, at):
    return np.int64(state[at]) & HALF | np.int64(state[at + 1]) << WORD


@lean_kernel
def write(state, at, points):
    for half in range(2):
        state[at + 2 * half] = ((points[half] & HALF) ^ SIGN) - SIGN
        state[at + 2 * half + 1] = points[half] >> WORD


@lean_kernel
def stones(player):
    """Where the state has the stones of a player."""
    return STONES + 4 * player


@lean_kernel
def point(place, params):
    """The set of one place."""
    upper = UPPER * params[0]
    bit = np.int64(1) << (place if place < upper else place - upper)
    return (bit, np.int64(0)) if place < upper else (np.int64(0), bit)


@lean_kernel
def holds(points, place, params):
    one = point(place, params)
    return (points[0] & one[0]) | (points[1] & one[1]) != 0


@lean_kernel
def joined(a, b):
    return a[0] | b[0], a[1] | b[1]


@lean_kernel
def common(a, b):
    return a[0] & b[0], a[1] & b[1]


@lean_kernel
def without(a, b):
    return a[0] & ~b[0], a[1] & ~b[1]


@lean_kernel
def some(a):
    return a[0] | a[1] != 0


@lean_kernel
def several(a):
    """Whether there are two points or more."""
    return (a[0] & (a[0] - 1)) | (a[1] & (a[1] - 1)) != 0 or (a[0] != 0 and a[1] != 0)


@lean_kernel
def first(a):
    """One point of a set that has some."""
    return (a[0] & -a[0], np.int64(0)) if a[0] != 0 else (a[0], a[1] & -a[1])


@lean_kernel
def near(a, params):
    """The points beside those of a set, and bits off the board, which the caller cuts off."""
    size = params[0]
    seam = (UPPER - 1) * size
    return (
        a[0] << 1 & params[EAST] | a[0] >> 1 & params[WEST] | a[0] << size | a[0] >> size | a[1] << seam,
        a[1] << 1 & params[EAST + 1] | a[1] >> 1 & params[WEST + 1] | a[1] << size | a[1] >> size | a[0] >> seam,
    )


@lean_kernel
def spread(start, points, params):
    """`start`, a part of `points`, and all of them that hang together with it."""
    while True:
        wider = joined(start, common(near(start, params), points))
        if wider[0] == start[0] and wider[1] == start[1]:
            return start
        start = wider


@lean_kernel
def row_bits(a, row, size):
    return a[0] >> row * size if row < UPPER else a[1] >> (row - UPPER) * size


@lean_kernel
def size_of(a):
    count = 0
    for bits in a:
        while bits != 0:
            bits &= bits - 1
            count += 1
    return count


# ---- stones and groups ---------------------------------------------------------------------------------------------


@lean_kernel
def put(state, params, ply, player, place):
    """Put a stone, take off what it suffocates, and note both. Keeps the set of groups in atari right."""
    own, other, atari = read(state, stones(player)), read(state, stones(1 - player)), read(state, ATARI)
    here = point(place, params)
    beside = near(here, params)
    own = joined(own, here)
    taken = common(common(beside, other), atari)
    if some(taken):
        taken = spread(taken, other, params)
    other, atari = without(other, taken), without(atari, taken)
    trapped = common(own, atari)
    freed = common(trapped, joined(beside, near(taken, params)))
    if some(freed):
        atari = without(atari, spread(freed, trapped, params))
    empty = without((params[BOARD], params[BOARD + 1]), joined(own, other))
    atari = joined(atari, in_atari(here, own, empty, params))
    rest = common(beside, without(other, atari))
    while some(rest):
        one = first(rest)
        atari = joined(atari, in_atari(one, other, empty, params))
        rest = without(rest, joined(one, atari))
    write(state, stones(player), own)
    write(state, stones(1 - player), other)
    write(state, ATARI, atari)
    board_key, fresh = key(state, ply - 1) + stone_key(place, player), read(state, FRESH)
    if some(taken):
        fresh = without(fresh, fresh)
        state[TAKING] = ply
        lost = TAKEN + 4 * (1 - player)
        write(state, lost, joined(read(state, lost), taken))
        board_key -= take_off(state[LOG:], ply, taken, 1 - player, params)
    write(state, FRESH, joined(fresh, without(here, read(state, TAKEN + 4 * player))))
    state[LOG + ply - 1] = place | (board_key & KEYS) << KEY


@lean_kernel
def in_atari(start, points, empty, params):
    """The group of the stone `start` among `points` if only one of the `empty` is beside it, else no points."""
    while True:
        around = near(start, params)
        if several(common(around, empty)):
            return without(start, start)
        wider = joined(start, common(around, points))
        if wider[0] == start[0] and wider[1] == start[1]:
            return start
        start = wider


@lean_kernel
def take_off(log, ply, taken, player, params):
    """Note that move `ply` took the stones `taken` of `player`; returns the sum of their keys."""
    total, t = 0, ply - 2  # moves of this player have every other word
    while some(taken):
        place = log[t] & ACTIONS
        if log[t] >> GONE & MOVES == 0 and holds(taken, place, params):
            log[t] |= ply << GONE
            total += stone_key(place, player)
            taken = without(taken, point(place, params))
        t -= 2
    return total


# ---- repetitions ---------------------------------------------------------------------------------------------------
# The key of a board is the sum over its stones of 1 + 128 * (2 * place + player), of which KEYS bits are kept: its last
# seven bits are the number of stones, and one stone more shows its place and player in the others.


@lean_kernel
def stone_key(place, player):
    return 1 + 128 * (2 * place + player)


@lean_kernel
def key(state, ply):
    """Of the board after a number of moves."""
    return state[LOG + ply - 1] >> KEY if ply > 0 else 0


@lean_kernel
def close_repetitions(state, params):
    """Find the points where a move of the player to move would bring an earlier position back.

    Only those before stones were taken last can come back: since then there were but fewer of the same stones. Then
    there was a stone on the point, and none of the fresh ones, so that the move must take all of them.
    """
    player = state[TO_MOVE]
    own, other, fresh = read(state, stones(player)), read(state, stones(1 - player)), read(state, FRESH)
    prey, log = common(other, read(state, ATARI)), state[LOG : LOG + state[TAKING] - 1]
    unmark(state)
    if some(without(fresh, prey)):
        return
    again = without(read(state, TAKEN + 4 * player), joined(own, other))
    while some(again):
        here = first(again)
        again = without(again, here)
        taken = spread(common(near(here, params), prey), prey, params)
        if not some(without(fresh, taken)):
            after = key(state, state[PLIES]) + keys_of(here, player, params) - keys_of(taken, 1 - player, params)
            if has_key(log, after & KEYS):
                close(state, params, here, joined(own, here), without(other, taken), after & KEYS)


@lean_kernel
def has_key(log, wanted):
    found = False
    for t in range(len(log)):  # without branches, since nobody can predict them
        found |= log[t] >> KEY == wanted
    return found


@lean_kernel
def keys_of(points, player, params):
    """The sum of the keys of stones of one player."""
    total = 0
    for half in range(2):
        bits = points[half]
        while bits != 0:
            total += stone_key(half * UPPER * params[0] + BIT[(bits & -bits) % 67], player)
            bits &= bits - 1
    return total


@lean_kernel
def close(state, params, here, own, other, after):
    """Mark the point `here` if a stone there, which leaves `own` and `other` with the key `after`, repeats a position.

    Where the position before the opponent's move comes back, it is forbidden in both variants.
    """
    for earlier in range(1, state[TAKING]):
        if key(state, earlier) == after and same(state[LOG:], earlier, params, own, other, state[TO_MOVE]):
            at = CLOSED if params[2] == 0 or earlier == state[PLIES] - 1 else DRAWING
            write(state, at, joined(read(state, at), here))


@lean_kernel
def same(log, ply, params, own, other, player):
    """Whether the board after move `ply`, of as many stones, had those of `player` on `own`, the others on `other`."""
    for t in range(ply):
        place, gone = log[t] & ACTIONS, log[t] >> GONE & MOVES
        if (gone == 0 or gone > ply) and not holds(own if t % 2 == player else other, place, params):
            return False
    return True


@lean_kernel
def unmark(state):
    for word in range(CLOSED, LOG):
        state[word] = 0


# ---- the end and the view ------------------------------------------------------------------------------------------


@lean_kernel
def winner(state, params):
    """+1, 0 or -1 for player 0 by area: stones, and the empty points from which only they can be reached."""
    x, o = read(state, stones(0)), read(state, stones(1))
    empty = without((params[BOARD], params[BOARD + 1]), joined(x, o))
    x_reach = spread(common(near(x, params), empty), empty, params)
    o_reach = spread(common(near(o, params), empty), empty, params)
    x_area = size_of(x) + size_of(without(x_reach, o_reach))
    o_area = size_of(o) + size_of(without(o_reach, x_reach))
    return min(max(2 * (x_area - o_area) - params[1], -1), 1)


@lean_kernel
def observe(state, params, planes):
    size, player = params[0], state[TO_MOVE]
    own, other = read(state, stones(player)), read(state, stones(1 - player))
    closed, drawing = read(state, CLOSED), without(read(state, DRAWING), read(state, CLOSED))
    share = state[PLIES] / (2 * size * size)
    for row in range(size):
        mine, theirs = row_bits(own, row, size), row_bits(other, row, size)
        shut, draws = row_bits(closed, row, size), row_bits(drawing, row, size)
        for col in range(size):
            planes[0, row, col] = mine >> col & 1
            planes[1, row, col] = theirs >> col & 1
            planes[2, row, col] = (2 * (shut >> col & 1) + (draws >> col & 1)) / 2
            planes[3, row, col] = state[PASSED]
            planes[4, row, col] = player
            planes[5, row, col] = share


class Go(Game):
    """Go on size x size points; `komi` in steps of 0.5, `repetition` "forbidden" or "draw"."""

    name = "go"
    rules = Rules(reset, legal, apply, observe)
    state_dtype = np.int32
    can_draw = True

    def __init__(self, size: int = 5, komi: int | float | str = "7.5", repetition: str = "forbidden"):
        size = int_setting("go", "size", size, 2, 9)
        half_points = self._half_points(komi)
        if repetition not in ("forbidden", "draw"):
            raise GameError(f"go: repetition={repetition!r} cannot be: expected forbidden or draw")
        cells = size * size
        board = np.arange(cells).reshape(size, size)
        turns = np.stack([np.rot90(side, k).ravel() for side in (board, board.T) for k in range(4)])
        super().__init__(
            settings={"size": size, "komi": f"{half_points / 2:g}", "repetition": repetition}, size=size,
            params=[size, half_points, repetition == "draw", *self._points(size)],
            state_words=LOG + 2 * cells, num_actions=cells + 1, observation_shape=(6, size, size),
            max_length=2 * cells, symmetries=Symmetries(np.hstack([turns, np.full((8, 1), cells)]), turns),
        )  # fmt: skip

    @staticmethod
    def _half_points(komi):
        """Komi as a number of half points; raises GameError for what is none."""
        try:
            half_points = 2 * float(str(komi))
        except ValueError:
            half_points = math.nan
        if not abs(half_points) <= 200 or half_points % 1 or isinstance(komi, bool):
            raise GameError(f"go: komi={komi!r} cannot be: expected a multiple of 0.5 from -100 to 100, such as 7.5")
        return int(half_points)

    @staticmethod
    def _points(size):
        """The three sets of points among the parameters."""
        lines = 2**size - 1, 2**size - 2, 2 ** (size - 1) - 1
        return [
            sum(line << size * row for row in rows)
            for line in lines
            for rows in (range(min(size, UPPER)), range(size - UPPER))
        ]

    @property
    def title(self):
        komi = "" if self.settings["komi"] == "7.5" else f"-komi{self.settings['komi']}"
        return f"go{self.size}{komi}" + "-draw" * (self.settings["repetition"] == "draw")

    @property
    def openspiel_id(self):
        if self.settings["repetition"] == "forbidden":
            return None
        return f"go(board_size={self.size},komi={self.params[1] / 2:.1f})"

    def action_text(self, action):
        return "pass" if action == self.size**2 else grid_text.cell_text(action, self.size)

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        """The board, who is to move or has won, and the moves so far: they decide what would be a repetition."""
        board = np.zeros((self.size, self.size), np.int64)
        for player in (0, 1):
            points = read(state, stones(player))
            for row, col in np.ndindex(*board.shape):
                board[row, col] += (1 + player) * holds(points, row * self.size + col, self.params)
        actions = state[LOG : LOG + state[PLIES]] & ACTIONS
        moves = " ".join(["moves:", *(self.action_text(action) for action in actions)])
        return f"{grid_text.draw(board, state)}\n{moves}"

    def parse(self, text):
        """The position that `draw` wrote, by playing its moves; spaces may differ."""
        board, mark, moves = text.partition("moves:")
        if not mark:
            self._refuse(text, "expected a last line 'moves: a1 b2 pass', as far as the game has gone")
        drawn, status = grid_text.read(self.title, board, self.size, self.size)
        actions = {self.action_text(action): action for action in range(self.num_actions)}
        state = self.reset(1)[0]
        for number, move in enumerate(moves.split(), 1):
            if move not in actions:
                self._refuse(text, f"move {number}, {move!r}, is none: expected a point such as a1, or pass")
            if not self.legal(state[None])[0, actions[move]]:
                self._refuse(text, f"move {number}, {move}, is not legal after those before it")
            self.advance(state[None], np.array([actions[move]]))
        played, _ = grid_text.read(self.title, self.draw(state).partition("moves:")[0], self.size, self.size)
        if (played != drawn).any():
            wrong = self.action_text(int(np.flatnonzero(played != drawn)[0]))
            self._refuse(text, f"the moves lead to another board: {wrong} differs")
        grid_text.check_status(self.title, text, status, state)
        return state

    def _refuse(self, text, reason):
        grid_text.refuse(self.title, text, reason)
