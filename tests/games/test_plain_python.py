"""The rules with the compiler switched off: what the tests say holds of the code as written."""

import inspect
import os
import pathlib
import subprocess
import sys

from games import Game, GameError, registry
from games.conformance import check_game

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
WITHOUT = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}


def smallest(cls):
    """A game of this class with all its sizes, the whole numbers among its settings, as small as it takes them."""
    sizes = [p.name for p in inspect.signature(cls).parameters.values() if type(p.default) is int and p.default > 0]
    for number in range(1, 9):
        try:
            return cls(**dict.fromkeys(sizes, number))
        except GameError:
            continue
    return cls()


def run(*arguments):
    ended = subprocess.run(
        [sys.executable, *arguments], env=WITHOUT, capture_output=True, text=True, cwd=HERE.parents[1]
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_rules_without_the_compiler():
    chosen = [f"{HERE / 'test_hex.py'}", "-k", "drawn or neighbours or edges or sees or refused"]
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen)
    run("-m", "games.conformance", "hex", "size=2", "swap=true")


def test_every_game_keeps_its_promises_without_the_compiler():
    """All games of the collection, in one process of their own: this file run as a program."""
    checked = run(__file__).split()
    assert len(checked) == len(registry.names("games", Game)) and {"hex2", "mnk2x2-2"} <= set(checked)


if __name__ == "__main__":
    for name in registry.names("games", Game):
        game = smallest(registry.find(name, "games", Game, GameError))
        check_game(game)
        print(game.title)
