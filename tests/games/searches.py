"""Searches of the tests, with small tables."""

from games import make
from games.exact import prover_of

SLOTS = 1 << 16


def search(name, **settings):
    return prover_of(make(name, **settings), slots=SLOTS)
