"""Breakthrough: pieces step forward, straight or diagonally, and capture diagonally; who reaches the far row wins.

       a b c d
     1 x x x x       Player 0 (x) moves down, player 1 (o) up: a1 may go to a2, or b2; were an o on b2, a1 might
     2 . . . .       capture it; were it on a2, a1 could not go there.
     3 . . . .
     4 o o o o
    x to move

Rules     a move takes a piece one row forward, to an empty cell straight ahead or a cell diagonally ahead that is empty
          or the opponent's, whose piece there is taken off. Who reaches the last row, or takes the last piece, wins.
          The foremost piece always has a diagonal, so there is a move until the end
Setup     `home` full rows of pieces on each side; home=0: two on boards of six rows or more, else one, as in OpenSpiel
Actions   3 * rows * columns: direction * rows * columns + row * columns + col, from (row, col) to column
          col - 1 + direction of the next row. OpenSpiel also numbers who moves and whether a piece is taken
Planes    2: own pieces, the opponent's, rows from the mover's side: player 1 sees the board upside down
Symmetry  mirror of left and right
Longest   every piece steps forward until just before the last row, then one does: 1 + 2 columns (sum of
          rows - 2 - r over home rows r); 85 on 6 x 6, 177 on 8 x 8
Source    D. Troyka 2000. On 5 x 5 with two rows of pieces the second player wins (a player's program, in the forum of
          littlegolem.net 2006); 6 x 5 was solved by A. Saffidine, N. Jouandeau, T. Cazenave 2011
"""

import numpy as np

from games import grid_text
from games.core import (
    HEADER,
    OVER,
    RESULT,
    TO_MOVE,
    ActionLayout,
    Game,
    GameError,
    Rules,
    Symmetries,
    int_setting,
    kernel,
    lean_kernel,
)

# A cell holds 0 when empty, else PIECE + player. Two words after the cells: the pieces that each player has left.
PIECE = 1


@kernel
def reset(state, params):
    rows, columns, home = params[0], params[1], params[2]
    cells = rows * columns
    state[:] = 0
    for cell in range(home * columns):
        state[HEADER + cell] = PIECE
        state[HEADER + cells - 1 - cell] = PIECE + 1
    state[HEADER + cells : HEADER + cells + 2] = home * columns


@kernel
def legal(state, params, mask):
    rows, columns = params[0], params[1]
    cells, count = rows * columns, (rows - 1) * columns  # count: all but the row that nobody leaves
    running, own = state[OVER] == 0, PIECE + state[TO_MOVE]
    first, last, step = (0, count, columns) if state[TO_MOVE] == 0 else (columns, 0, -columns)
    here = state[HEADER + first : HEADER + first + count]
    for direction in range(3):
        # The loops are wide, so they look beyond the edge too, at cells of other rows; what they find is struck out.
        begin = HEADER + first + step + direction - 1
        there = state[begin : begin + count]
        moves = mask[direction * cells + first : direction * cells + first + count]
        if direction == 1:
            for cell in range(count):
                moves[cell] = running & (here[cell] == own) & (there[cell] == 0)
        else:
            for cell in range(count):
                moves[cell] = running & (here[cell] == own) & (there[cell] != own)
        mask[direction * cells + last : direction * cells + last + columns] = False
    for row in range(rows):
        mask[row * columns] = False
        mask[2 * cells + row * columns + columns - 1] = False


@lean_kernel
def apply(state, params, action):
    rows, columns = params[0], params[1]
    cells = rows * columns
    player = state[TO_MOVE]
    direction, cell = action // cells, action % cells
    target = cell + (columns if player == 0 else -columns) + direction - 1
    if state[HEADER + target] != 0:
        state[HEADER + cells + 1 - player] -= 1
    state[HEADER + target] = PIECE + player
    state[HEADER + cell] = 0
    state[TO_MOVE] = 1 - player
    last = rows - 1 if player == 0 else 0
    if target // columns == last or state[HEADER + cells + 1 - player] == 0:
        state[OVER] = 1
        state[RESULT] = 1 - 2 * player


@kernel
def observe(state, params, planes):
    rows, columns = params[0], params[1]
    player = state[TO_MOVE]
    own, other = PIECE + player, PIECE + 1 - player
    for row in range(rows):
        seen = row if player == 0 else rows - 1 - row
        line = state[HEADER + row * columns : HEADER + (row + 1) * columns]
        mine, theirs = planes[0, seen], planes[1, seen]
        for col in range(columns):
            mine[col] = line[col] == own
            theirs[col] = line[col] == other


class Breakthrough(Game):
    """Breakthrough on rows x columns, 2 to 26 each, with `home` rows of pieces on each side."""

    name = "breakthrough"
    rules = Rules(reset, legal, apply, observe)

    def __init__(self, rows: int = 6, columns: int = 6, home: int = 0):
        rows = int_setting("breakthrough", "rows", rows, 2, grid_text.LARGEST)
        columns = int_setting("breakthrough", "columns", columns, 2, grid_text.LARGEST)
        home = int_setting("breakthrough", "home", home, 0, grid_text.LARGEST // 2)
        self.rows, self.columns = rows, columns
        self.home = home or (2 if rows >= 6 else 1)
        if 2 * home > rows:
            raise GameError(f"breakthrough: home={home} cannot be on {rows} rows: expected at most {rows // 2}")
        board = np.arange(rows * columns).reshape(rows, columns)
        mirror = board[:, ::-1].ravel()
        super().__init__(
            settings={"rows": rows, "columns": columns, "home": home}, size=rows * columns,
            params=[rows, columns, self.home], state_words=HEADER + rows * columns + 2, num_actions=3 * rows * columns,
            observation_shape=(2, rows, columns), max_length=1 + 2 * self._steps(),
            symmetries=Symmetries(np.stack([_moves(board.ravel(), (0, 1, 2)), _moves(mirror, (2, 1, 0))]),
                                  np.stack([board.ravel(), mirror])),
            views=np.stack([_moves(board.ravel(), (0, 1, 2)), _moves(board[::-1].ravel(), (0, 1, 2))]),
            layout=ActionLayout(3, 0, 0, np.arange(3 * rows * columns)),
        )  # fmt: skip

    def _steps(self):
        """The most moves of one player that do not end the game: each piece to the row before the last."""
        return self.columns * sum(self.rows - 2 - row for row in range(self.home))

    @property
    def title(self):
        return f"breakthrough{self.rows}x{self.columns}" + f"-{self.home}" * bool(self.settings["home"])

    @property
    def openspiel_id(self):
        usual = self.home == (2 if self.rows >= 6 else 1)
        return f"breakthrough(rows={self.rows},columns={self.columns})" if usual else None

    @property
    def openspiel_actions(self):
        """((row * columns + col) * 6 + direction) * 2 + capture; player 1 has the directions 3 to 5."""
        direction, cell = np.divmod(np.arange(self.num_actions), self.size)
        return (2 * (6 * cell + direction))[:, None] + [0, 1, 6, 7]

    def action_text(self, action):
        """The cell it leaves and the column it goes to, which is ahead for either player: b2a; a2- leaves the board."""
        direction, cell = divmod(action, self.size)
        col = cell % self.columns + direction - 1
        return grid_text.cell_text(cell, self.columns) + (chr(ord("a") + col) if 0 <= col < self.columns else "-")

    # ---- text ------------------------------------------------------------------------------------------------------

    def draw(self, state):
        return grid_text.draw(state[HEADER:-2].reshape(self.rows, self.columns), state)

    def parse(self, text):
        """The position that `draw` wrote; spaces may differ. Refused is what the pieces and their steps rule out."""
        stones, status = grid_text.read(self.title, text, self.rows, self.columns)
        ends = {"x to move": (0, 0, 0), "o to move": (1, 0, 0), "x has won": (1, 1, 1), "o has won": (0, 1, -1)}
        if status not in ends:
            grid_text.refuse(self.title, text, f"the last line must be one of {', '.join(map(repr, ends))}")
        state = self.reset(1)[0]
        state[HEADER:-2] = stones.ravel()
        state[-2:] = [(stones == PIECE + player).sum() for player in (0, 1)]
        state[TO_MOVE], state[OVER], state[RESULT] = ends[status]
        self._check_end(text, state, stones)
        self._check_moves(text, stones, int(state[TO_MOVE]))
        return state

    def _check_end(self, text, state, stones):
        arrived = [int((stones[row] == PIECE + player).sum()) for player, row in ((0, -1), (1, 0))]
        won = [bool(arrived[player] or not state[HEADER + self.size + 1 - player]) for player in (0, 1)]
        if all(won) or max(arrived) > 1:
            grid_text.refuse(self.title, text, "the game would have ended before")
        if [state[RESULT] == 1, state[RESULT] == -1] != won:
            ending = f"{'xo'[won.index(True)]} has won" if any(won) else "nobody has won"
            grid_text.refuse(self.title, text, f"the last line must say that {ending} on this board")

    def _check_moves(self, text, stones, mover):
        """The moves that each player has made, between two bounds, must suit the mover and the captures.

        Moves = rows gone by all pieces, those taken off included: they stood between their first row and the last but
        one when they were taken.
        """
        starts = np.repeat(np.arange(self.home), self.columns)
        least, most, lost = [], [], []
        for player in (0, 1):
            gone = np.nonzero(stones == PIECE + player)[0]
            depth = gone if player == 0 else self.rows - 1 - gone
            lost.append(len(starts) - len(gone))
            if lost[player] < 0:
                grid_text.refuse(self.title, text, f"{len(gone)} {'xo'[player]} cannot be: there are {len(starts)}")
            base = int(depth.sum() - starts.sum())
            least.append(base + int(starts[: lost[player]].sum()))
            most.append(base + lost[player] * (self.rows - 2))
        fewest = max(least[0], least[1] + mover, lost[1], lost[0] + mover)  # moves of player 0
        if fewest > min(most[0], most[1] + mover):
            grid_text.refuse(self.title, text, f"the pieces' steps do not suit {'xo'[mover]} moving next: x begins, "
                                               "turns alternate")  # fmt: skip


def _moves(cells, directions):
    """The permutation of actions that goes with a permutation of cells and one of the three directions."""
    return (np.array(directions)[:, None] * len(cells) + cells).ravel()
