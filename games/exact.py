"""Exact play: values of positions and the stubborn perfect player.

    exact = solver(make("hex", size=5))
    exact.values(states)          int8 [B]     value with perfect play, for the player to move
    exact.action_values(states)   int8 [B, A]  value of each action for the mover, ILLEGAL elsewhere
    exact.perfect_moves(states)   bool [B, A]  the moves the perfect player chooses from, all equally likely

How a solver attaches to a game: beside the game's module stands one called the same with `_solver` added
(`games/hex.py`, `games/hex_solver.py`; `mine.py`, `mine_solver.py`) that defines `solver(game) -> Exact`. A game
without one is enumerated if it is small enough. Nothing else is to be edited.

    python -m games.exact hex size=5              value, winning openings, positions searched, time
    python -m games.exact tictactoe - < board.txt the same for a position as `draw` writes it
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import shlex
import sys
import time
from contextlib import suppress

import numpy as np

from games.conformance import refuse_unsound
from games.core import OVER, Game, GameError, make, parse_settings
from games.enumeration import Enumeration
from games.forms import form_of
from games.searching import Search
from games.solving import ILLEGAL, Exact, final_values
from games.terminal import end_with, read_text

__all__ = ["ILLEGAL", "Exact", "final_values", "main", "prover_of", "report", "solver"]


def solver(game: Game) -> Exact:
    """Exact play of `game`, by its own solver or by enumeration.

    Raises GameError for a game that is too large, saying what can be solved.
    """
    if module := _beside(game):
        return module.solver(game)
    return Enumeration(game)


def prover_of(game: Game, **memory) -> Exact:
    """A solver for as long as it takes: the `prover` beside the game, without the limits of its `solver`.

    Where there is none, the game's own solver; for a game without one, alpha-beta over its rules, which keeps apart
    all states that differ. `memory` is `slots` of 16 bytes, for provers and searches; a `solver` has its own.
    """
    if module := _beside(game):
        return module.prover(game, **memory) if hasattr(module, "prover") else module.solver(game)
    return Search(game, form_of(game, look_alike=False), **memory)


def _beside(game: Game):
    """The module of the game's own solver, or None."""
    name = type(game).__module__ + "_solver"
    if type(game).__module__ != "__main__" and importlib.util.find_spec(name):
        return importlib.import_module(name)
    return None


# ---- command line --------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Print the value of the position on standard input, or of the empty board, and what each move leads to."""
    parser = argparse.ArgumentParser(
        prog="python -m games.exact",
        description="Solve a position: its value for the player to move, what each move is worth, and the perfect "
        "player's choice. The position is the initial one, or with - what standard input holds, as the game draws it.",
        epilog="examples: python -m games.exact hex size=5;  python -m games.exact tictactoe - < board.txt",
    )
    parser.add_argument("game", help="a game, such as hex or tictactoe, or package.module:Class")
    parser.add_argument("setting", nargs="*", help="its settings, such as size=5 swap=true; - to read a position")
    options = parser.parse_args(arguments)
    try:
        game = make(options.game, **parse_settings(text for text in options.setting if text != "-"))
        refuse_unsound(game)
        state = game.parse(read_text("-")) if "-" in options.setting else game.reset(1)[0]
        print(_report_or_remedy(game, state, [options.game, *options.setting]))
    except GameError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _report_or_remedy(game: Game, state: np.ndarray, words: list[str]) -> str:
    """`report`; where there is no solver, the error says whether `games.solve` searches the game all the same."""
    try:
        return report(game, state)
    except GameError as error:
        with suppress(GameError):
            prover_of(game, slots=32)
            command = shlex.join(["python", "-m", "games.solve", *words])
            error = GameError(f"{error}; `{command}` searches it for as long as it takes")
        raise error from None


def report(game: Game, state: np.ndarray, exact: Exact | None = None) -> str:
    """What is known about one position [S], as text; by the game's solver unless another is given."""
    begun = time.perf_counter()
    exact = exact or solver(game)
    value = int(exact.values(state[None])[0])
    first = exact.searched
    proven = time.perf_counter()
    lines = [game.draw(state), "", f"{game.title}: the player to move {WORDS[value]}"]
    if not state[OVER]:
        actions, perfect = exact.action_values(state[None])[0], exact.perfect_moves(state[None])[0]
        lines += ["", *_map(game, state, actions), *_lists(game, actions, perfect)]
    done = time.perf_counter()
    lines += ["", f"value: {first} positions, {proven - begun:.2f} s with start; all moves: "
              f"{exact.searched} positions, {done - begun:.2f} s"]  # fmt: skip
    return "\n".join(lines)


WORDS = {1: "wins", 0: "draws", -1: "loses"}


def _map(game: Game, state: np.ndarray, actions: np.ndarray) -> list[str]:
    """The board with + = - where a move wins, draws, loses, if actions are cells row by row; else nothing."""
    height, width = game.observation_shape[1:]
    if game.num_actions not in (height * width, height * width + 1):
        return []
    slant = 1 if game.name == "hex" else 0
    marks = np.array(list("-=+ "))[np.where(actions == ILLEGAL, 3, actions + 1)][: height * width]
    marks = np.where(marks == " ", "#", marks).reshape(height, width)
    head = "moves that win +, draw =, lose -; # may not be played"
    return [head, *(" " * (slant * row) + " ".join(marks[row]) for row in range(height)), ""]


def _lists(game: Game, actions: np.ndarray, perfect: np.ndarray) -> list[str]:
    names = {value: [game.action_text(int(a)) for a in np.flatnonzero(actions == value)] for value in WORDS}
    lines = [f"{WORDS[value]}: {' '.join(found)}" for value, found in names.items() if found]
    return [*lines, "perfect player: " + " ".join(game.action_text(int(a)) for a in np.flatnonzero(perfect))]


if __name__ == "__main__":
    end_with(main)
