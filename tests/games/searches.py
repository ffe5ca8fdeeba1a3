"""Searches of the tests, with small tables."""

from games import make
from games.exact import prover_of

SLOTS = 1 << 16


def search(name, **settings):
    return prover_of(make(name, **settings), slots=SLOTS)


def end_at_the_third_look(exact):
    """Has a search end its program when it tells its progress for the third time; returns what it told."""
    told = []

    def tell(looked):
        told.append(looked)
        if len(told) == 3:
            raise SystemExit

    exact.tell = tell
    return told
