"""Speed of the rules: random games of ours beside the same games of OpenSpiel driven from Python, on one core.

    python -m experiments.play_speed                                       the games of FAMILIAR
    python -m experiments.play_speed hex,size=7 mnk,rows=9,columns=9,k=5   any games with their settings
    python -m experiments.play_speed 'my_package.my_game:MyGame,size=4@other_game(size=4)'

Behind the @ stands OpenSpiel's game where ours does not name it (`Game.openspiel_id`). Ours are `--games` random games
in lockstep through Game.legal and Game.advance, with a compiled choice among the legal actions; a game that ends begins
again. OpenSpiel's is the plain loop of legal_actions, choice and apply_action, one game after the other. A repetition
runs one and then the other for `--seconds` processor seconds each; ratios are taken within a repetition. Prints a
table of medians with quartiles and writes play_speed.json to `--out`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyspiel

from experiments.measure import pinned
from games import Game, GameError, make
from games.core import OVER, inlined_kernel, kernel, lean_kernel, parse_settings
from games.files import write_text
from games.openspiel import load_game
from mcts.streams import seed_streams, uniform

FAMILIAR = (
    "tictactoe",
    "connect_four",
    "mnk,rows=9,columns=9,k=5",
    "mnk,rows=15,columns=15,k=5",
    "breakthrough@breakthrough(rows=6,columns=6)",
    "breakthrough,rows=8,columns=8@breakthrough(rows=8,columns=8)",
    "hex,size=5",
    "hex,size=11",
    "othello,size=8",
    "y,size=5",
    "y,size=9",
    "pentago",
    "go,size=5,repetition=draw",
    "go,size=9,repetition=draw",
)


LISTED = 64  # up to so many actions a list of the legal ones is quicker than blind draws


class Pair(NamedTuple):
    """A game and its counterpart."""

    game: Game
    reference: pyspiel.Game
    openspiel: str  # what `reference` was loaded from


class Pace(NamedTuple):
    """What one stretch of play achieved."""

    moves: int
    games: int  # that ended
    seconds: float  # of the processor

    def per_second(self) -> tuple[float, float]:
        """Moves and games."""
        return self.moves / self.seconds, self.games / self.seconds


def pair(text: str) -> Pair:
    """The game that `text` names, and its counterpart. Raises GameError if there is none."""
    ours, _, theirs = text.partition("@")
    name, *settings = ours.split(",")
    game = make(name, **parse_settings(settings))
    openspiel = theirs or game.openspiel_id
    if openspiel is None:
        raise GameError(f"{game.title} names no game of OpenSpiel with its actions: add one, {ours}@NAME(...)")
    try:
        reference = load_game(openspiel)
    except pyspiel.SpielError as error:
        raise GameError(f"OpenSpiel has no game {openspiel!r}: {str(error).splitlines()[0]}") from None
    moves = int(game.legal(game.reset(1)).sum()), len(reference.new_initial_state().legal_actions())
    if moves[0] != moves[1]:
        raise GameError(f"{game.title} begins with {moves[0]} moves, {openspiel} with {moves[1]}: not the same game")
    return Pair(game, reference, openspiel)


# ---- play ----------------------------------------------------------------------------------------------------------


class Ours:
    """Random games in lockstep, going on from stretch to stretch."""

    def __init__(self, game: Game, count: int, seed: int):
        self.game = game
        self.start = game.reset(1)[0]
        self.states = game.reset(count)
        self.streams = seed_streams(seed, np.arange(count))
        self.actions = np.zeros(count, np.int64)

    def play(self, seconds: float) -> Pace:
        moves, games, begun = 0, 0, time.process_time()
        while (spent := time.process_time() - begun) < seconds:
            choose(self.game.legal(self.states), self.streams, self.actions)
            self.game.advance(self.states, self.actions)
            games += restart(self.states, self.start)
            moves += len(self.states)
        return Pace(moves, games, spent)


def choose(masks: np.ndarray, streams: np.ndarray, actions: np.ndarray) -> None:
    """One of the legal actions of each row [B, A], all equally likely."""
    legal = np.zeros(masks.shape[1] + 1, np.int64)
    (choose_listed if masks.shape[1] <= LISTED else choose_blindly)(masks, streams, actions, legal)


@lean_kernel
def choose_listed(masks, streams, actions, legal):
    for b in range(len(masks)):
        actions[b] = listed(masks[b], streams, b, legal)


@lean_kernel
def choose_blindly(masks, streams, actions, legal):
    """The first legal one of many blind draws, or if none is, one from the list."""
    for b in range(len(masks)):
        chosen, found, left = 0, False, 3 * masks.shape[1]
        while not found and left > 0:
            for _ in range(4):  # at a time, without branches, since nobody can predict them
                draw = int(uniform(streams, b) * masks.shape[1])
                chosen = chosen if found else draw
                found |= masks[b, draw]
            left -= 1
        actions[b] = chosen if found else listed(masks[b], streams, b, legal)


@inlined_kernel
def listed(mask, streams, b, legal):
    """One of the legal actions, which are written to `legal` [A + 1]."""
    count = 0
    for action in range(len(mask)):  # illegal ones are written over
        legal[count] = action
        count += mask[action]
    return legal[int(uniform(streams, b) * count)]


@kernel
def restart(states, start):
    """Begin ended games again; returns their number."""
    ended = 0
    for b in range(len(states)):
        if states[b, OVER] != 0:
            states[b] = start
            ended += 1
    return ended


def play_openspiel(reference: pyspiel.Game, rng: random.Random, seconds: float) -> Pace:
    """Whole games, at least one, until the time is up."""
    moves, games, draw = 0, 0, rng.random
    begun = time.process_time()
    while (spent := time.process_time() - begun) < seconds or games == 0:
        state = reference.new_initial_state()
        while not state.is_terminal():
            legal = state.legal_actions()
            state.apply_action(legal[int(draw() * len(legal))])
            moves += 1
        games += 1
    return Pace(moves, games, spent)


# ---- measuring -----------------------------------------------------------------------------------------------------


def measure(chosen: Pair, options: argparse.Namespace) -> dict:
    """One row of play_speed.json. Ours plays a moment before the first repetition, which compiles it and brings its
    games out of phase."""
    game, reference, openspiel = chosen
    games = options.games or min(4096, 2**20 // game.reset(1).nbytes)  # more would not stay in a core's cache
    ours, rng = Ours(game, games, options.seed), random.Random(options.seed)
    ours.play(2 * options.seconds)
    paces = [
        (ours.play(options.seconds).per_second(), play_openspiel(reference, rng, options.seconds).per_second())
        for _ in range(options.repetitions)
    ]
    mine, theirs = np.swapaxes(paces, 0, 1)  # [repetitions, moves and games]
    columns = {
        "moves_per_s": mine[:, 0], "openspiel_moves_per_s": theirs[:, 0], "moves_ratio": mine[:, 0] / theirs[:, 0],
        "games_per_s": mine[:, 1], "openspiel_games_per_s": theirs[:, 1], "games_ratio": mine[:, 1] / theirs[:, 1],
    }  # fmt: skip
    row = {
        "game": game.name, "title": game.title, "settings": game.settings, "size": game.size, "openspiel": openspiel,
        "games_in_lockstep": games, "repetitions": options.repetitions, "seconds": options.seconds,
        "seed": options.seed,
    }  # fmt: skip
    return row | {key: value for name, samples in columns.items() for key, value in quartiles(name, samples).items()}


def quartiles(name: str, samples: np.ndarray) -> dict:
    """The median under `name`, the lower and upper quartile beside it; four digits."""
    low, median, high = (float(f"{value:.4g}") for value in np.quantile(samples, [0.25, 0.5, 0.75]))
    return {name: median, f"{name}_spread": [low, high]}


COLUMNS = {
    "game": "{title}", "moves/s": "{moves_per_s:,.0f}", "OpenSpiel": "{openspiel_moves_per_s:,.0f}",
    "ratio": "{moves_ratio:.1f} ({moves_ratio_spread[0]:.1f}-{moves_ratio_spread[1]:.1f})",
    "games/s": "{games_per_s:,.0f}", "OpenSpiel's": "{openspiel_games_per_s:,.0f}",
    "their ratio": "{games_ratio:.1f} ({games_ratio_spread[0]:.1f}-{games_ratio_spread[1]:.1f})",
}  # fmt: skip


def table(rows: list[dict]) -> str:
    cells = [list(COLUMNS)] + [[text.format(**row) for text in COLUMNS.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)) for line in cells)


# ---- command -------------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 once play_speed.json is written, 2 if a game or number cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.play_speed", description="Speed of the rules beside OpenSpiel's, in random games."
    )
    parser.add_argument("pairs", nargs="*", default=FAMILIAR, metavar="GAME[,key=value...][@OPENSPIEL]",
                        help=f"such as hex,size=7; default: {' '.join(FAMILIAR)}")  # fmt: skip
    parser.add_argument("--games", type=positive(int),
                        help="of ours in lockstep (default: 4096, or as many as take a MiB of memory)")  # fmt: skip
    parser.add_argument("--repetitions", type=positive(int), default=15, help="the median counts (default 15)")
    parser.add_argument("--seconds", type=positive(float), default=0.2, help="per stretch of play (default 0.2)")
    parser.add_argument("--seed", type=int, default=0, help="of the random games (default 0)")
    parser.add_argument("--out", type=Path, default=Path("outputs/play_speed"), help="folder for play_speed.json")
    options = parser.parse_args(arguments)
    try:
        chosen = [pair(text) for text in options.pairs]
    except (GameError, ImportError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with pinned(1) as cores:
        rows = [measure(one, options) | {"cores": cores} for one in chosen]
    path = options.out / "play_speed.json"
    write_text(path, json.dumps(rows, indent=1) + "\n")
    print(f"{table(rows)}\nwritten: {path}")
    return 0


def positive(kind: type):
    """A number above 0, for argparse."""

    def read(text: str):
        if not (value := kind(text)) > 0:
            raise argparse.ArgumentTypeError(f"{text} cannot be: expected more than 0")
        return value

    return read


if __name__ == "__main__":
    sys.exit(main())
