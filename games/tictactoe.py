"""Tic-tac-toe: three in a row on 3 x 3. The file to copy for a new game.

Rules     players 0 (x) and 1 (o) mark empty cells in turn; three in a row, column or diagonal win; full board: draw
Actions   9: the cell, row by row
Planes    2: own marks, the opponent's marks
Longest   9 moves
Source    the common game; the value of the empty board is a draw
"""

import numpy as np

from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, kernel

EMPTY, MARK = 0, 1  # a cell holds EMPTY or MARK + player


@kernel
def reset(state, params):
    state[:] = 0


@kernel
def legal(state, params, mask):
    for cell in range(9):
        mask[cell] = state[OVER] == 0 and state[HEADER + cell] == EMPTY


@kernel
def wins(board, mark):
    for i in range(3):
        if board[3 * i] == mark and board[3 * i + 1] == mark and board[3 * i + 2] == mark:
            return True
        if board[i] == mark and board[i + 3] == mark and board[i + 6] == mark:
            return True
    if board[4] != mark:
        return False
    return (board[0] == mark and board[8] == mark) or (board[2] == mark and board[6] == mark)


@kernel
def apply(state, params, action):
    player = state[TO_MOVE]
    board = state[HEADER:]
    board[action] = MARK + player
    if wins(board, MARK + player):
        state[OVER] = 1
        state[RESULT] = 1 - 2 * player
    elif (board != EMPTY).all():
        state[OVER] = 1
    state[TO_MOVE] = 1 - player


@kernel
def observe(state, params, planes):
    player = state[TO_MOVE]
    for cell in range(9):
        mark = state[HEADER + cell]
        planes[0, cell // 3, cell % 3] = mark == MARK + player
        planes[1, cell // 3, cell % 3] = mark == MARK + 1 - player


class TicTacToe(Game):
    """Tic-tac-toe; no settings."""

    name = "tictactoe"
    rules = Rules(reset, legal, apply, observe)
    can_draw = True

    def __init__(self):
        board = np.arange(9).reshape(3, 3)
        turns = [np.rot90(side, k).ravel() for side in (board, board.T) for k in range(4)]
        super().__init__(
            settings={}, size=3, params=[], state_words=HEADER + 9, num_actions=9, observation_shape=(2, 3, 3),
            max_length=9, symmetries=Symmetries(np.array(turns), np.array(turns)),
        )  # fmt: skip

    @property
    def openspiel_id(self):
        return "tic_tac_toe"

    def draw(self, state):
        marks = np.array(list(".xo"))[state[HEADER:]].reshape(3, 3)
        return "\n".join(" ".join(row) for row in marks)

    def parse(self, text):
        marks = text.split()
        if len(marks) != 9 or not set(marks) <= set(".xo"):
            raise GameError(f"tictactoe: expected 9 of '.', 'x', 'o' separated by spaces, got {text!r}")
        if marks.count("x") - marks.count("o") not in (0, 1):
            raise GameError(
                f"tictactoe: {marks.count('x')} x and {marks.count('o')} o cannot be: x begins, turns alternate"
            )
        state = self.reset(1)[0]
        state[HEADER:] = [".xo".index(mark) for mark in marks]
        state[TO_MOVE] = marks.count("x") - marks.count("o")
        won = [wins(state[HEADER:], MARK + player) for player in (0, 1)]
        if won[state[TO_MOVE]]:
            raise GameError(f"tictactoe: {text!r} cannot be: a line was complete before the last move")
        state[OVER] = any(won) or "." not in marks
        state[RESULT] = int(won[0]) - int(won[1])
        return state

    def action_text(self, action):
        return "abc"[action % 3] + str(action // 3 + 1)
