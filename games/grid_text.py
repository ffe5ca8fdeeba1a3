"""Boards of rows as text, shared by the games that are drawn so; the rules themselves stay in each game's file.

   a b c
 1 . x .        letters name the columns, numbers the rows from the top;
 2 . o .        x is player 0, o player 1; the last line says who is to move, or how the game ended
x to move

Boards of hexagons are slanted: each row begins half a cell further right.
"""

from collections.abc import Callable, Sequence

import numpy as np

from games.core import OVER, RESULT, TO_MOVE, GameError

MARKS = ".xo"  # empty, player 0, player 1; a game with more kinds of cells hands over marks of its own
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


def draw(stones: np.ndarray, state: np.ndarray, marks: str = MARKS) -> str:
    """`stones` [rows, columns] of 0 empty, 1 + player (any index into `marks`), and the status of `state`."""
    return "\n".join([*board(stones, marks=marks), status(state)])


def board(rows: Sequence[np.ndarray] | np.ndarray, slanted: bool = False, marks: str = MARKS) -> list[str]:
    """The letters and `rows` of 0 empty, 1 + player, as lines; no row is longer than the first."""
    lines = ["   " + " ".join(letters(len(rows[0])))]
    for number, row in enumerate(rows):
        lines.append(" " * number * slanted + f"{number + 1:2d} " + " ".join(marks[stone] for stone in row))
    return lines


def read(title: str, text: str, rows: int, columns: int, marks: str = MARKS) -> tuple[np.ndarray, str]:
    """Stones [rows, columns] and the last line of a drawn board; spaces may differ.

    Raises GameError where the text is no such board.
    """
    found, last = read_rows(title, text, [columns] * rows, marks)
    return np.array(found, np.int64), last


def read_rows(title: str, text: str, widths: Sequence[int], marks: str = MARKS) -> tuple[list[list[int]], str]:
    """The same for rows of `widths` cells, the first the longest; slanted or not."""
    lines, rows, columns = [line.split() for line in text.strip().splitlines() if line.strip()], len(widths), widths[0]
    if len(lines) != rows + 2:
        refuse(title, text, f"expected {rows + 2} lines (letters, {rows} rows, who is to move)")
    if lines[0] != letters(columns):
        refuse(title, text, f"expected the letters {' '.join(letters(columns))} above the board")
    for row, (label, *cells) in enumerate(lines[1:-1]):
        if label != str(row + 1) or len(cells) != widths[row] or not set(cells) <= set(marks):
            kinds = ", ".join(f"'{mark}'" for mark in marks)
            refuse(title, text, f"row {row + 1} must be its number and {widths[row]} of {kinds}, with spaces")
    return [[marks.index(cell) for cell in cells] for _, *cells in lines[1:-1]], " ".join(lines[-1])


def count(title: str, text: str, stones: np.ndarray) -> tuple[int, int]:
    """How many stones of x and of o; GameError where turns from x on do not lead to so many."""
    x, o = int((stones == 1).sum()), int((stones == 2).sum())
    if x - o not in (0, 1):
        refuse(title, text, f"{x} x and {o} o cannot be: x begins, turns alternate")
    return x, o


def check_status(title: str, text: str, written: str, state: np.ndarray) -> None:
    """Raise GameError unless the last line of `text` is that of `state`."""
    if written != status(state):
        refuse(title, text, f"the last line must be {status(state)!r} on this board")


def check_connection(
    title: str, text: str, state: np.ndarray, stones: np.ndarray, winner_without: Callable[[int], int]
) -> None:
    """Raise GameError unless who has connected moved last, with the stone that did it.

    `stones` [cells] are 0 empty, 1 + player; `winner_without(cell)` is who has won if that cell is empty, -1 nobody.
    """
    if not state[OVER]:
        return
    winner = 1 - state[TO_MOVE]
    if state[RESULT] != 1 - 2 * winner:
        refuse(title, text, f"{'xo'[1 - winner]} has connected, so {'xo'[1 - winner]} must have moved last")
    if all(winner_without(int(cell)) == winner for cell in np.flatnonzero(stones == winner + 1)):
        refuse(title, text, f"{'xo'[winner]} had connected before the last move")


def refuse(title: str, text: str, reason: str):
    raise GameError(f"{title}: no such position: {reason}; got\n{text}")
