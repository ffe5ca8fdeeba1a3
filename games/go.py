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

import fractions

import numpy as np

from games import grid_text
from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, int_setting, lean_kernel

# A set of points is two words of 64 bits: the first UPPER rows, and the others. Row r, column c has the place
# r * stride + c, and stride is one more than a row has points: the bit between two rows stays 0, so nothing runs over
# the edge. In the state a set takes four words, WORD bits in each.
UPPER, WORD = 5, 31
HALF = np.int64(2**WORD - 1)

# The state: moves so far; whether the last was a pass; the move that took stones last, 0 for none; then seven sets: the
# stones of each player; the points where each has ever lost one; the stones of groups with but one empty point beside
# them; the points where a stone is forbidden as a repetition, and those where it would end the game as a draw; then one
# word per move.
PLIES, PASSED, TAKING, STONES = HEADER, HEADER + 1, HEADER + 2, HEADER + 3
TAKEN, ATARI, CLOSED, DRAWING, LOG = STONES + 8, STONES + 16, STONES + 20, STONES + 24, STONES + 28

# Word t - 1 of the log is of move t: its place (PASS for a pass), the move that took the stone off again (0 while it
# stands), and the key of the board after it. So it tells from when to when there was which stone, and all of them
# together give every earlier position exactly. Positions with different keys differ.
PASS, GONE, KEY = 127, 7, 15  # mask of the place, shifts to the taking move and to the key
MOVES, KEYS = 255, 65535  # masks of both

# The number of a single bit is BIT[bit % 67]: all powers of two below 2 ** 66 leave different rests.
BIT = np.zeros(67, np.int64)
BIT[[2**number % 67 for number in range(63)]] = range(63)

# params: the size, komi in half points, whether repetitions draw, the set of all points.
BOARD = 3


@lean_kernel
def reset(state, params):
    for word in range(len(state)):
        state[word] = 0


@lean_kernel
def legal(state, params, mask):
    """A stone can stay beside an empty point, a group of its own with another one, or a group that it takes."""
    size, stride, player = params[0], params[0] + 1, state[TO_MOVE]
    own, other, atari = read(state, stones(player)), read(state, stones(1 - player)), read(state, ATARI)
    empty = without((params[BOARD], params[BOARD + 1]), joined(own, other))
    helps = joined(joined(empty, without(own, atari)), common(other, atari))
    free = without(common(near(helps, stride), empty), read(state, CLOSED))
    running = np.int64(state[OVER] == 0)
    for row in range(size):
        bits = row_bits(free, row, stride) * running
        for col in range(size):
            mask[row * size + col] = bits >> col & 1
    mask[size * size] = running


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
        state[LOG + ply - 1] = PASS | key(state, ply - 1) << KEY
    else:
        here = point(action + action // params[0], params[0] + 1)
        drawn = some(common(here, read(state, DRAWING)))
        state[PASSED] = 0
        put(state, params, ply, player, action + action // params[0])
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
    return np.int64(state[at]) | np.int64(state[at + 1]) << WORD


@lean_kernel
def write(state, at, points):
    for half in range(2):
        state[at + 2 * half] = points[half] & HALF
        state[at + 2 * half + 1] = points[half] >> WORD


@lean_kernel
def stones(player):
    """Where the state has the stones of a player."""
    return STONES + 4 * player


@lean_kernel
def point(place, stride):
    """The set of one place."""
    lower = place >= UPPER * stride
    bit = np.int64(1) << min(place - UPPER * stride if lower else place, 63)
    return (np.int64(0), bit) if lower else (bit, np.int64(0))


@lean_kernel
def holds(points, place, stride):
    one = point(place, stride)
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
def near(a, stride):
    """The points beside those of a set, and bits off the board, which the caller cuts off."""
    seam = (UPPER - 1) * stride
    return (
        a[0] << 1 | a[0] >> 1 | a[0] << stride | a[0] >> stride | a[1] << seam,
        a[1] << 1 | a[1] >> 1 | a[1] << stride | a[1] >> stride | a[0] >> seam,
    )


@lean_kernel
def spread(start, points, stride):
    """`start`, a part of `points`, and all of them that hang together with it."""
    while True:
        wider = joined(start, common(near(start, stride), points))
        if wider[0] == start[0] and wider[1] == start[1]:
            return start
        start = wider


@lean_kernel
def row_bits(a, row, stride):
    return a[0] >> (row * stride) if row < UPPER else a[1] >> ((row - UPPER) * stride)


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
    stride = params[0] + 1
    own, other, atari = read(state, stones(player)), read(state, stones(1 - player)), read(state, ATARI)
    here = point(place, stride)
    beside = near(here, stride)
    own = joined(own, here)
    taken = common(common(beside, other), atari)
    if some(taken):
        taken = spread(taken, other, stride)
    other, atari = without(other, taken), without(atari, taken)
    trapped = common(own, atari)
    freed = common(trapped, joined(beside, near(taken, stride)))
    if some(freed):
        atari = without(atari, spread(freed, trapped, stride))
    empty = without((params[BOARD], params[BOARD + 1]), joined(own, other))
    atari = joined(atari, in_atari(here, own, empty, stride))
    rest = common(beside, without(other, atari))
    while some(rest):
        one = first(rest)
        atari = joined(atari, in_atari(one, other, empty, stride))
        rest = without(rest, joined(one, atari))
    write(state, stones(player), own)
    write(state, stones(1 - player), other)
    write(state, ATARI, atari)
    board_key = key(state, ply - 1) + stone_key(place, player)
    if some(taken):
        state[TAKING] = ply
        lost = TAKEN + 4 * (1 - player)
        write(state, lost, joined(read(state, lost), taken))
        board_key -= take_off(state[LOG:], ply, taken, 1 - player, stride)
    state[LOG + ply - 1] = place | (board_key & KEYS) << KEY


@lean_kernel
def in_atari(start, points, empty, stride):
    """The group of the stone `start` among `points` if only one of the `empty` is beside it, else no points."""
    while True:
        around = near(start, stride)
        if several(common(around, empty)):
            return without(start, start)
        wider = joined(start, common(around, points))
        if wider[0] == start[0] and wider[1] == start[1]:
            return start
        start = wider


@lean_kernel
def take_off(log, ply, taken, player, stride):
    """Note that move `ply` took the stones `taken` of `player`; returns the sum of their keys."""
    total, t = 0, ply - 2  # moves of this player have every other word
    while some(taken):
        place = log[t] & PASS
        if log[t] >> GONE & MOVES == 0 and place != PASS and holds(taken, place, stride):
            log[t] |= ply << GONE
            total += stone_key(place, player)
            taken = without(taken, point(place, stride))
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

    Only those before stones were taken last can come back: since then there were but fewer of the same stones.
    """
    stride, player = params[0] + 1, state[TO_MOVE]
    own, other, atari = read(state, stones(player)), read(state, stones(1 - player)), read(state, ATARI)
    empty = without((params[BOARD], params[BOARD + 1]), joined(own, other))
    unmark(state)
    again = common(empty, read(state, TAKEN + 4 * player))
    if not some(again):
        return
    now, log = key(state, state[PLIES]), state[LOG : LOG + state[TAKING] - 1]
    if one_more(log, now, player, again, stride):
        for earlier in range(1, len(log) + 1):
            more = (log[earlier - 1] >> KEY) - now & KEYS
            here = point(more >> 8, stride)
            if more & 255 == stone_key(0, player) and some(common(again, here)):
                close(state, params, here, earlier, joined(own, here), other)
    prey = common(other, atari)
    spots = common(near(prey, stride), again)
    while some(spots):
        here = first(spots)
        spots = without(spots, here)
        taken = spread(common(near(here, stride), prey), prey, stride)
        after = now + keys_of(here, player, stride) - keys_of(taken, 1 - player, stride) & KEYS
        if has_key(log, after):
            for earlier in range(1, len(log) + 1):
                if log[earlier - 1] >> KEY == after:
                    close(state, params, here, earlier, joined(own, here), without(other, taken))


@lean_kernel
def one_more(log, now, player, points, stride):
    """Whether the key of a board says that it has one stone of `player` more, on one of `points`."""
    found = False
    for t in range(len(log)):  # without branches, since nobody can predict them; as in has_key
        more = (log[t] >> KEY) - now & KEYS
        found |= (more & 255 == stone_key(0, player)) & holds(points, more >> 8, stride)
    return found


@lean_kernel
def has_key(log, wanted):
    found = False
    for t in range(len(log)):
        found |= log[t] >> KEY == wanted
    return found


@lean_kernel
def keys_of(points, player, stride):
    """The sum of the keys of stones of one player."""
    total = 0
    for half in range(2):
        bits = points[half]
        while bits != 0:
            total += stone_key(half * UPPER * stride + BIT[(bits & -bits) % 67], player)
            bits &= bits - 1
    return total


@lean_kernel
def close(state, params, here, earlier, own, other):
    """Mark the point `here` if a stone there, which leaves `own` and `other`, brings the board after a move back.

    Where the position before the opponent's move comes back, it is forbidden in both variants.
    """
    stride, player = params[0] + 1, state[TO_MOVE]
    if same(state[LOG:], earlier, stride, own, other, player):
        at = CLOSED if params[2] == 0 or earlier == state[PLIES] - 1 else DRAWING
        write(state, at, joined(read(state, at), here))


@lean_kernel
def same(log, ply, stride, own, other, player):
    """Whether the board after move `ply`, of as many stones, had those of `player` on `own`, the others on `other`."""
    for t in range(ply):
        place, gone = log[t] & PASS, log[t] >> GONE & MOVES
        stood = place != PASS and (gone == 0 or gone > ply)
        if stood and not holds(own if t % 2 == player else other, place, stride):
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
    stride = params[0] + 1
    x, o = read(state, stones(0)), read(state, stones(1))
    empty = without((params[BOARD], params[BOARD + 1]), joined(x, o))
    x_reach = spread(common(near(x, stride), empty), empty, stride)
    o_reach = spread(common(near(o, stride), empty), empty, stride)
    x_area = size_of(x) + size_of(without(x_reach, o_reach))
    o_area = size_of(o) + size_of(without(o_reach, x_reach))
    return min(max(2 * (x_area - o_area) - params[1], -1), 1)


@lean_kernel
def observe(state, params, planes):
    size, stride, player = params[0], params[0] + 1, state[TO_MOVE]
    own, other = read(state, stones(player)), read(state, stones(1 - player))
    closed, drawing = read(state, CLOSED), without(read(state, DRAWING), read(state, CLOSED))
    share = state[PLIES] / (2 * size * size)
    for row in range(size):
        mine, theirs = row_bits(own, row, stride), row_bits(other, row, stride)
        shut, draws = row_bits(closed, row, stride), row_bits(drawing, row, stride)
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
            half_points = 2 * fractions.Fraction(str(komi))
        except ValueError:
            half_points = fractions.Fraction(1, 2)
        if half_points.denominator != 1 or abs(half_points) > 200 or isinstance(komi, bool):
            raise GameError(f"go: komi={komi!r} cannot be: expected a multiple of 0.5 from -100 to 100, such as 7.5")
        return int(half_points)

    @staticmethod
    def _points(size):
        """The set of all points."""
        rows = [(2**size - 1) << (size + 1) * row for row in range(UPPER)]
        return sum(rows[:size]), sum(rows[: max(size - UPPER, 0)])

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
                board[row, col] += (1 + player) * holds(points, row * (self.size + 1) + col, self.size + 1)
        places = state[LOG : LOG + state[PLIES]] & PASS
        moves = " ".join(["moves:", *(self.action_text(self._action(place)) for place in places)])
        return f"{grid_text.draw(board, state)}\n{moves}"

    def _action(self, place):
        return self.size**2 if place == PASS else place - place // (self.size + 1)

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
