"""Solve a game from its first position, or any position of it, for as long as it takes.

    python -m games.solve connect_four rows=5 columns=6       value, what each move is worth, positions, time
    python -m games.solve hex size=7 --value                  the value alone
    python -m games.solve mnk rows=4 columns=5 k=4 - < board.txt

The line of progress, on standard error, tells positions and time. Ctrl-C stops the search and keeps what it has
proven: results lie in the folder of ISOELO_CACHE (see games.exact_store), and the next call goes on from them. Games
that `games.exact` finds too large for a perfect player are searched all the same.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from tqdm import tqdm

from games.conformance import refuse_unsound
from games.core import Game, GameError, make, parse_settings
from games.exact import WORDS, prover_of, report
from games.terminal import end_with, read_text

PLACE_BYTES = 16  # of the table, per place
MOST_MEMORY = 1 << 20  # megabytes


def main(arguments: list[str] | None = None) -> int:
    """Print the solution; exit status 2 for what cannot be, 130 after Ctrl-C."""
    options = parse(arguments)
    try:
        game = make(options.game, **parse_settings(text for text in options.setting if text != "-"))
        refuse_unsound(game)
        state = game.parse(read_text("-")) if "-" in options.setting else game.reset(1)[0]
        exact = prover_of(game, slots=slots_in(options.memory))
    except GameError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"error: --memory {options.memory} cannot be had on this machine: choose less", file=sys.stderr)
        return 2
    with tqdm(unit=" positions", unit_scale=True, disable=options.quiet, file=sys.stderr) as bar:
        exact.tell = lambda looked: bar.update(looked - bar.n)
        try:
            print(value_line(game, state, exact) if options.value else report(game, state, exact))
            status = 0
        except KeyboardInterrupt:
            print(f"stopped after {exact.searched:,} positions; the same command goes on", file=sys.stderr)
            status = 130
    exact.save()
    return status


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m games.solve",
        description="Solve a game: its value for the player to move, what each move is worth, and the perfect player's "
        "choice. The position is the initial one, or with - what standard input holds, as the game draws it.",
        epilog="examples: python -m games.solve connect_four rows=5 columns=6;  python -m games.solve hex size=7",
    )
    parser.add_argument("game", help="a game, such as othello or connect_four, or package.module:Class")
    parser.add_argument("setting", nargs="*", help="its settings, such as size=4; - to read a position")
    parser.add_argument("--value", action="store_true", help="the value alone, without what each move is worth")
    parser.add_argument("--memory", type=int, default=1024, metavar="MB", help="of the table (default 1024)")
    parser.add_argument("--quiet", action="store_true", help="no line of progress")
    return parser.parse_intermixed_args(arguments)


def slots_in(megabytes: int) -> int:
    """The largest power of two of places that fit. Raises GameError for less than 1 MB, and for more than 1 TB."""
    if not 1 <= megabytes <= MOST_MEMORY:
        raise GameError(f"--memory {megabytes} cannot be: expected 1 to {MOST_MEMORY} megabytes")
    return 1 << int(np.log2(megabytes * 2**20 / PLACE_BYTES))


def value_line(game: Game, state: np.ndarray, exact) -> str:
    begun = time.perf_counter()
    value = int(exact.values(state[None])[0])
    return (f"{game.title}: the player to move {WORDS[value]}; {exact.searched:,} positions, "
            f"{time.perf_counter() - begun:.2f} s")  # fmt: skip


if __name__ == "__main__":
    end_with(main)
