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
from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, int_setting, kernel

# The state: moves so far, whether the last was a pass, stones taken so far; then a word per point, then one per move.
PLIES, PASSED, TAKEN, BOARD = HEADER, HEADER + 1, HEADER + 2, HEADER + 3

# An empty point says what a move of the player to move would be there (below STONE); a stone is
# STONE + player + ATARI if its group has but one empty point beside it. All stones of a group carry the same code.
OPEN, DRAWS, SUICIDE, REPEATS, STONE, ATARI = 0, 1, 2, 3, 4, 2
TAKEN_NOW = -1  # while a move is played: empty again, not yet counted

# Move number t, from 1: its point (size * size for a pass), and above that the number of the move that took the stone
# off again, 0 while it stands. So the word tells from when to when there was which stone, and all of them together
# give every earlier position exactly.
POINT, GONE = 127, 7  # mask of the point, shift to the taking move

# params: the size, komi in half points, whether repetitions draw, then the four neighbours of each point, -1 for none.
NEIGHBOURS = 3

# Earlier positions are compared as sets of bits, bit 2 * point + player for a stone, so many to a word.
BITS = 62


@kernel
def reset(state, params):
    state[:] = 0


@kernel
def legal(state, params, mask):
    cells = params[0] * params[0]
    running = state[OVER] == 0
    for cell in range(cells):
        mask[cell] = running & (state[BOARD + cell] <= DRAWS)
    mask[cells] = running


@kernel
def apply(state, params, action):
    cells = params[0] * params[0]
    player = state[TO_MOVE]
    board, log = state[BOARD : BOARD + cells], state[BOARD + cells :]
    log[state[PLIES]] = action
    state[PLIES] += 1
    state[TO_MOVE] = 1 - player
    scratch = np.zeros(2 * cells + (params[0] + 1) * (params[0] + 2) + 1, np.int16)  # one, since allocating is slow
    drawn = False
    ended = state[PLIES] == len(log)
    if action == cells:
        ended |= state[PASSED] == 1
        state[PASSED] = 1
    else:
        drawn = board[action] == DRAWS
        state[PASSED] = 0
        state[TAKEN] += put(board, log, params, state[PLIES], player, action, scratch)
    if drawn or ended:
        state[OVER] = 1
        state[RESULT] = 0 if drawn else winner(board, params)
    else:
        close_suicides(board, params, 1 - player, scratch[2 * cells :])
        if state[TAKEN] > 0:
            close_repetitions(board, log[: state[PLIES]], params, 1 - player, scratch)


# ---- stones and groups ---------------------------------------------------------------------------------------------


@kernel
def put(board, log, params, ply, player, cell, scratch):
    """Put a stone and take off what it suffocates; returns how many stones. Keeps the codes of all groups right."""
    found, seen = scratch[: len(board)], scratch[len(board) : 2 * len(board)]
    count = 0
    board[cell] = STONE + player
    for way in range(4):
        near = params[NEIGHBOURS + 4 * cell + way]
        if near >= 0 and board[near] >= STONE and board[near] & 1 != player:
            liberties, size = group(board, params, near, found, seen, way + 1, False)
            for i in range(size * (liberties < 2)):
                board[found[i]] |= ATARI
            for i in range(size * (liberties == 0)):
                board[found[i]] = TAKEN_NOW
                remember(log, ply, found[i])
                count += 1
    settle(board, params, cell, found, seen, 5)
    if count > 0:
        give_room(board, params, player, found, seen)
    return count


@kernel
def give_room(board, params, player, found, seen):
    """Open the points of the stones just taken; the groups of `player` beside them may be in atari no more."""
    for cell in range(len(board)):
        if board[cell] == TAKEN_NOW:
            board[cell] = OPEN
            for way in range(4):
                near = params[NEIGHBOURS + 4 * cell + way]
                if near >= 0 and board[near] == STONE + player + ATARI:
                    settle(board, params, near, found, seen, 6 + 4 * cell + way)


@kernel
def remember(log, ply, cell):
    """Note that move `ply` took the stone on `cell`: the one put there last."""
    for earlier in range(ply - 2, -1, -1):
        if log[earlier] == cell:
            log[earlier] = cell | ply << GONE
            return


@kernel
def group(board, params, start, found, seen, stamp, whole):
    """Find the group of the stone on `start`: its liberties, 2 for more, and how many of its stones are in `found`.

    Stops at two liberties unless the `whole` group is asked for. `stamp` marks what this call has `seen`.
    """
    player = board[start] & 1
    found[0] = start
    seen[start] = stamp
    liberties, done, count = 0, 0, 1
    while done < count:
        for way in range(4):
            near = params[NEIGHBOURS + 4 * found[done] + way]
            if near < 0 or seen[near] == stamp:
                continue
            if board[near] < STONE:
                seen[near] = stamp
                liberties += 1
                if liberties == 2 and not whole:
                    return liberties, count
            elif board[near] & 1 == player:
                seen[near] = stamp
                found[count] = near
                count += 1
        done += 1
    return min(liberties, 2), count


@kernel
def settle(board, params, start, found, seen, stamp):
    """Give all stones of a group the code that it should have now."""
    liberties, count = group(board, params, start, found, seen, stamp, True)
    code = STONE + (board[start] & 1) + ATARI * (liberties == 1)
    for i in range(count):
        board[found[i]] = code


@kernel
def close_suicides(board, params, player, helps):
    """Mark the empty points OPEN or SUICIDE for `player`.

    A stone can stay beside an empty point, a group of its own with another liberty, or a group that it takes. Plain
    loops over a board with a margin, the zeros `helps`, which the compiler makes wide.
    """
    size, stride = params[0], params[0] + 1  # one column between the rows serves as the margin of both
    own, prey = STONE + player, STONE + 1 - player + ATARI
    for row in range(size):
        for col in range(size):
            code = board[row * size + col]
            helps[(row + 1) * stride + col + 1] = (code < STONE) | (code == own) | (code == prey)
    for row in range(size):
        middle = (row + 1) * stride + 1
        for col in range(size):
            here = middle + col
            breathes = helps[here - stride] | helps[here - 1] | helps[here + 1] | helps[here + stride]
            code = board[row * size + col]
            board[row * size + col] = code if code >= STONE else SUICIDE - SUICIDE * breathes


# ---- repetitions ---------------------------------------------------------------------------------------------------


@kernel
def close_repetitions(board, log, params, player, scratch):
    """Mark the open points where a move of `player` would bring an earlier position back."""
    past = differences(log, len(board))
    for t in range(len(log)):
        bit = single(past[t])
        if bit >= 0 and bit & 1 == player and board[bit // 2] < STONE:
            mark(board, params, bit // 2, t == len(log) - 1)
    prey = STONE + 1 - player + ATARI
    for stone in range(len(board)):
        if board[stone] == prey:
            for way in range(4):
                near = params[NEIGHBOURS + 4 * stone + way]
                if near >= 0 and board[near] == OPEN:
                    close_taking(board, past, params, player, near, scratch)


@kernel
def close_taking(board, past, params, player, cell, scratch):
    """Mark the point if a move of `player` there, which takes stones, would bring an earlier position back."""
    found, seen = scratch[: len(board)], scratch[len(board) : 2 * len(board)]
    stamp = 6 + 4 * len(board) + cell  # none of those of `put`
    after = past[-1]
    after[:] = 0
    flip(after, 2 * cell + player)
    for way in range(4):
        near = params[NEIGHBOURS + 4 * cell + way]
        if near >= 0 and board[near] == STONE + 1 - player + ATARI and seen[near] != stamp:
            _, size = group(board, params, near, found, seen, stamp, True)
            for i in range(size):
                flip(after, 2 * found[i] + 1 - player)
    for t in range(len(past) - 1):
        same = True
        for word in range(len(after)):
            same &= past[t, word] == after[word]
        if same:
            mark(board, params, cell, t == len(past) - 2)


@kernel
def differences(log, cells):
    """How the board differs from what it was after each number of moves, as sets of bits, and a row of zeros.

    int64 [T + 1, words]
    """
    past = np.zeros((len(log) + 1, (2 * cells + BITS - 1) // BITS), np.int64)
    for t in range(len(log)):
        cell, gone = log[t] & POINT, log[t] >> GONE
        if cell < cells:
            bit = 2 * cell + t % 2
            word, value = bit // BITS, np.int64(1) << (bit % BITS)
            past[t, word] ^= value
            if gone != 0:
                past[gone - 1, word] ^= value
    for t in range(len(log) - 2, -1, -1):
        for word in range(past.shape[1]):
            past[t, word] ^= past[t + 1, word]
    return past


@kernel
def single(words):
    """The only bit of a set, -1 if there are more or none."""
    bit = -1
    for word in range(len(words)):
        value = words[word]
        if value != 0:
            if bit >= 0 or value & (value - 1) != 0:
                return -1
            bit = BITS * word
            while value != 1:
                value >>= 1
                bit += 1
    return bit


@kernel
def flip(words, bit):
    words[bit // BITS] ^= np.int64(1) << (bit % BITS)


@kernel
def mark(board, params, cell, last):
    """Mark a repetition; `last`: of the position before the opponent's move, which is forbidden in both variants."""
    if params[2] == 0 or last:
        board[cell] = REPEATS
    elif board[cell] != REPEATS:
        board[cell] = DRAWS


# ---- the end and the view ------------------------------------------------------------------------------------------


@kernel
def winner(board, params):
    """+1, 0 or -1 for player 0 by area."""
    found, seen = np.empty(len(board), np.int16), np.zeros(len(board), np.int16)
    lead = -params[1]  # half points
    for cell in range(len(board)):
        if board[cell] >= STONE:
            lead += 2 - 4 * (board[cell] & 1)
        elif seen[cell] == 0:
            borders, count = region(board, params, cell, found, seen)
            if borders == 1:
                lead += 2 * count
            elif borders == 2:
                lead -= 2 * count
    return min(max(lead, -1), 1)


@kernel
def region(board, params, start, found, seen):
    """The players whose stones border the empty region of `start` (1 + 2 if both), and its number of points."""
    found[0] = start
    seen[start] = 1
    borders, done, count = 0, 0, 1
    while done < count:
        for way in range(4):
            near = params[NEIGHBOURS + 4 * found[done] + way]
            if near >= 0 and board[near] >= STONE:
                borders |= 1 + (board[near] & 1)
            elif near >= 0 and seen[near] == 0:
                seen[near] = 1
                found[count] = near
                count += 1
        done += 1
    return borders, count


@kernel
def observe(state, params, planes):
    size = params[0]
    player = state[TO_MOVE]
    for row in range(size):
        for col in range(size):
            code = state[BOARD + row * size + col]
            planes[0, row, col] = (code >= STONE) & (code & 1 == player)
            planes[1, row, col] = (code >= STONE) & (code & 1 != player)
            planes[2, row, col] = np.float32(0.5) * ((code == REPEATS) * 2 + (code == DRAWS))
    planes[3] = state[PASSED]
    planes[4] = player
    planes[5] = state[PLIES] / (2 * size * size)


class Go(Game):
    """Go on size x size points; `komi` in steps of 0.5, `repetition` "forbidden" or "draw"."""

    name = "go"
    rules = Rules(reset, legal, apply, observe)
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
            params=[size, half_points, repetition == "draw", *self._neighbours(size)],
            state_words=BOARD + 3 * cells, num_actions=cells + 1, observation_shape=(6, size, size),
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
    def _neighbours(size):
        """Four per point, -1 off the board."""
        board = np.pad(np.arange(size * size).reshape(size, size), 1, constant_values=-1)
        ways = (board[:-2, 1:-1], board[2:, 1:-1], board[1:-1, :-2], board[1:-1, 2:])
        return np.stack(ways, axis=-1).ravel().tolist()

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
        codes = state[BOARD : BOARD + self.size**2].reshape(self.size, self.size)
        stones = np.where(codes < STONE, 0, 1 + (codes & 1))
        words = state[BOARD + self.size**2 :][: state[PLIES]]
        moves = " ".join(["moves:", *(self.action_text(word & POINT) for word in words)])
        return f"{grid_text.draw(stones, state)}\n{moves}"

    def parse(self, text):
        """The position that `draw` wrote, by playing its moves; spaces may differ."""
        board, mark, moves = text.partition("moves:")
        if not mark:
            self._refuse(text, "expected a last line 'moves: a1 b2 pass', as far as the game has gone")
        stones, status = grid_text.read(self.title, board, self.size, self.size)
        actions = {self.action_text(action): action for action in range(self.num_actions)}
        state = self.reset(1)[0]
        for number, move in enumerate(moves.split(), 1):
            if move not in actions:
                self._refuse(text, f"move {number}, {move!r}, is none: expected a point such as a1, or pass")
            if not self.legal(state[None])[0, actions[move]]:
                self._refuse(text, f"move {number}, {move}, is not legal after those before it")
            self.advance(state[None], np.array([actions[move]]))
        played, _ = grid_text.read(self.title, self.draw(state).partition("moves:")[0], self.size, self.size)
        if (played != stones).any():
            wrong = self.action_text(int(np.flatnonzero(played != stones)[0]))
            self._refuse(text, f"the moves lead to another board: {wrong} differs")
        grid_text.check_status(self.title, text, status, state)
        return state

    def _refuse(self, text, reason):
        grid_text.refuse(self.title, text, reason)
