"""What exact play by search costs, and how perfect players fare: the tables of docs/exact.md.

    python -m tests.games.solve_speed value 4096 connect_four,rows=5,columns=6 y,size=5      megabytes, games
    python -m tests.games.solve_speed games 1000 connect_four,rows=4,columns=5 othello,size=4    count, games

`value` solves the first position with an empty table: value, positions looked at, CPU seconds without compiling.
`games` plays perfect against random after two random moves, cold, then asks again about all positions that the
perfect player met: milliseconds for each of them, and how many games fell short of the value they began with. Last it
plays other games with nothing but what the first would have stored.
Nothing stored elsewhere is read or written.
"""

import os
import sys
import tempfile
import time

import numpy as np

from games import make
from games.core import OVER, TO_MOVE, parse_settings
from games.exact import prover_of
from games.solve import slots_in


def fresh(spec, megabytes):
    """A search with nothing known, compiled and with its memory at hand."""
    name, *settings = spec.split(",")
    exact = prover_of(make(name, **parse_settings(settings)), slots=slots_in(megabytes))
    exact.perfect_moves(exact.game.reset(1)[:0])
    none = np.zeros(0, np.int64)
    positions = exact._form.pack(exact.game.reset(1))[:0]
    exact._run(exact._work, exact._form.params, exact._form.words, positions, none, none, 0)
    return exact


def value(megabytes, specs):
    for spec in specs:
        exact = fresh(spec, megabytes)
        begun = time.process_time()
        found = exact.values(exact.game.reset(1))[0]
        print(f"{exact.game.title}: {found:+d}, {exact.searched:,} positions, {time.process_time() - begun:.2f} s",
              flush=True)  # fmt: skip


def games(count, specs):
    for spec in specs:
        exact = fresh(spec, 256)
        due, got, met, spent = play(exact, count, np.random.default_rng(0))
        begun = time.process_time()
        exact.perfect_moves(met)
        warm = time.process_time() - begun
        exact.save()
        stored = fresh(spec, 256)
        *_, others, later = play(stored, count, np.random.default_rng(1))
        print(f"{exact.game.title}: {count} games, {(due == 1).sum()} won at the start, {(got == 1).sum()} won, "
              f"{(got < due).sum()} short of their value; {spent:.1f} s, {1e3 * spent / len(met):.2f} ms a move, again "
              f"{1e3 * warm / len(met):.3f} ms, other games from the stored table {1e3 * later / len(others):.2f} ms",
              flush=True)  # fmt: skip


def play(exact, count, rng):
    """What the perfect player had and got in each game, the positions he met [N, S], and CPU seconds."""
    game = exact.game
    states, perfect = game.reset(count), rng.integers(0, 2, count)
    for _ in range(2):
        game.advance(states, choose(game.legal(states), rng))
    begun, asked = time.process_time(), []
    values = exact.values(states).astype(int)
    due = np.where(perfect == states[:, TO_MOVE], values, -values)
    while not states[:, OVER].all():
        live = np.flatnonzero(states[:, OVER] == 0)
        moved = states[live]
        turn = moved[:, TO_MOVE] == perfect[live]
        mask = game.legal(moved)
        mask[turn] = exact.perfect_moves(moved[turn])
        asked.append(moved[turn])
        game.advance(moved, choose(mask, rng))
        states[live] = moved
    return due, game.result(states) * (1 - 2 * perfect), np.concatenate(asked), time.process_time() - begun


def choose(mask, rng):
    return np.argmax(np.where(mask, rng.random(mask.shape), -1), axis=1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ISOELO_CACHE"] = folder
        {"value": value, "games": games}[sys.argv[1]](int(sys.argv[2]), sys.argv[3:])
