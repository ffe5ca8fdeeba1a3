"""GNU Go plays by our rules: random games side by side, legal moves at every ply, positional superko included.

Where GNU Go is installed (`apt-get install gnugo`); 3.8 was. Its limits: it does not end games, so ends are ours.
"""

import contextlib
import os
import shutil
import subprocess

import numpy as np
import pytest

from games import TO_MOVE, make

PROGRAM = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
GAMES = int(os.environ.get("ISOELO_GAMES", 20))
COLUMNS = "ABCDEFGHJ"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="GNU Go is not installed here")


class GnuGo:
    """A board of GNU Go, spoken to by the Go Text Protocol (G. Farnebäck 2002)."""

    def __init__(self, size):
        rules = ["--positional-superko", "--forbid-suicide"]
        self.size = size
        self.process = subprocess.Popen([PROGRAM, "--mode", "gtp", *rules], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)  # fmt: skip
        self.ask(f"boardsize {size}")

    def close(self):
        self.process.kill()
        self.process.communicate()

    def ask(self, command):
        """The words of the answer, which an empty line ends."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != "\n":
            assert line, f"GNU Go has ended at {command!r}"
            lines.append(line)
        assert lines and lines[0].startswith("="), (command, lines)
        return " ".join(lines)[1:].split()

    def name(self, action):
        row, col = divmod(int(action), self.size)
        return "PASS" if row == self.size else f"{COLUMNS[col]}{self.size - row}"


@pytest.mark.parametrize("size", [2, 3, 4, 5, 9])
def test_random_games(size):
    with contextlib.closing(GnuGo(size)) as other:
        closed = play_beside(other, make("go", size=size), np.random.default_rng(size))
    assert closed > 0 or size > 4


def play_beside(other, game, rng):
    """Random games on both boards; how many moves were forbidden."""
    size, closed = game.size, 0
    for _ in range(GAMES):
        other.ask("clear_board")
        state = game.reset(1)
        while not game.over(state)[0]:
            color, legal = ("black", "white")[state[0, TO_MOVE]], np.flatnonzero(game.legal(state)[0])
            assert {other.name(action) for action in legal} == {*other.ask(f"all_legal {color}"), "PASS"}
            closed += int((game.observe(state)[0, 2] > 0).sum())
            action = rng.choice(legal[:-1] if len(legal) > 1 and rng.random() < 0.9 else legal)
            other.ask(f"play {color} {other.name(action)}")
            game.advance(state, np.array([action]))
            rows = [line.split()[1:] for line in game.draw(state[0]).splitlines()[1 : size + 1]]
            for name, mark in (("black", "x"), ("white", "o")):
                stones = {
                    other.name(action) for action in range(size**2) if rows[action // size][action % size] == mark
                }
                assert stones == set(other.ask(f"list_stones {name}"))
    return closed
