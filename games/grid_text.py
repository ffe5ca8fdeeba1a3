"""Rectangular boards as text, shared by the games that are drawn so; the rules themselves stay in each game's file.

   a b c
 1 . x .        letters name the columns, numbers the rows from the top;
 2 . o .        x is player 0, o player 1; the last line says who is to move, or how the game ended
x to move
"""

import numpy as np

from games.core import OVER, RESULT, TO_MOVE, GameError

MARKS = ".xo"  # empty, player 0, player 1
LARGEST = 26  # sides; the letters end


def letters(columns: int) -> list[str]:
    return [chr(ord("a") + col) for col in range(columns)]


def cell_text(cell: int, columns: int) -> str:
    """A cell, counted row by row, as people write it: b3."""
    return f"{chr(ord('a') + cell % columns)}{cell // columns + 1}"


def status(state: np.ndarray) -> str:
    """Who is to move, or how the game ended."""
    if not state[OVER]:
        return f"{'xo'[state[TO_MOVE]]} to move"
    return {1: "x has won", -1: "o has won", 0: "drawn"}[int(state[RESULT])]


def draw(stones: np.ndarray, state: np.ndarray) -> str:
    """`stones` [rows, columns] of 0 empty, 1 + player, and the status of `state`."""
    lines = ["   " + " ".join(letters(stones.shape[1]))]
    lines += [f"{row + 1:2d} " + " ".join(MARKS[stone] for stone in stones[row]) for row in range(len(stones))]
    return "\n".join([*lines, status(state)])


def read(title: str, text: str, rows: int, columns: int) -> tuple[np.ndarray, str]:
    """Stones [rows, columns] and the last line of a drawn board; spaces may differ.

    Raises GameError where the text is no such board.
    """
    lines = [line.split() for line in text.strip().splitlines() if line.strip()]
    if len(lines) != rows + 2:
        refuse(title, text, f"expected {rows + 2} lines (letters, {rows} rows, who is to move)")
    if lines[0] != letters(columns):
        refuse(title, text, f"expected the letters {' '.join(letters(columns))} above the board")
    stones = np.zeros((rows, columns), np.int64)
    for row, (label, *marks) in enumerate(lines[1:-1]):
        if label != str(row + 1) or len(marks) != columns or not set(marks) <= set(MARKS):
            refuse(title, text, f"row {row + 1} must be its number and {columns} of '.', 'x', 'o', with spaces")
        stones[row] = [MARKS.index(mark) for mark in marks]
    return stones, " ".join(lines[-1])


def check_status(title: str, text: str, written: str, state: np.ndarray) -> None:
    """Raise GameError unless the last line of `text` is that of `state`."""
    if written != status(state):
        refuse(title, text, f"the last line must be {status(state)!r} on this board")


def refuse(title: str, text: str, reason: str):
    raise GameError(f"{title}: no such position: {reason}; got\n{text}")
