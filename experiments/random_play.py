"""Speed of the rules: random games of ours beside the same games of OpenSpiel driven from Python, on one core.

Ours are many random games in lockstep through Game.legal and Game.advance, with a compiled choice among the legal
actions (through Game.pick where the rules are no kernels); a game that ends begins again. OpenSpiel's is the plain
loop of legal_actions, choice and apply_action, one game after the other. A repetition runs one and then the other for
SECONDS of the processor each; ratios are taken within a repetition. The command is `python -m experiments.bench`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyspiel

from experiments.measure import quartiles
from games import Game, GameError, make
from games.core import OVER, inlined_kernel, kernel, lean_kernel, parse_settings
from games.openspiel_games import load
from mcts.streams import seed_streams, uniform, uniforms

FAMILIAR = (
    "tictactoe",
    "connect_four",
    "mnk,rows=9,columns=9,k=5",
    "mnk,rows=15,columns=15,k=5",
    "breakthrough",
    "breakthrough,rows=8,columns=8",
    "hex,size=5",
    "hex,size=11",
    "othello,size=8",
    "y,size=5",
    "y,size=9",
    "pentago",
    "go,size=5,repetition=draw",
    "go,size=9,repetition=draw",
)
SECONDS = 0.2  # of one stretch of play
LOCKSTEP = 4096  # of our games at most; more than a MiB of them would not stay in a core's cache
IN_PYTHON = 128  # of games that are no kernels: OpenSpiel's positions take kilobytes each, beside their states
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


def pair(game: Game) -> Pair | None:
    """A game beside the one of OpenSpiel that it names; None where it names none, or OpenSpiel has none such."""
    try:
        return Pair(game, load(game.openspiel_id), game.openspiel_id) if game.openspiel_id else None
    except GameError:
        return None


def familiar() -> list[Game]:
    """The games of FAMILIAR."""
    return [make(name, **parse_settings(settings)) for name, *settings in (text.split(",") for text in FAMILIAR)]


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
            if self.game.compiled:
                choose(self.game.legal(self.states), self.streams, self.actions)
            else:
                self.actions = self.game.pick(self.states, uniforms(self.streams))
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


def measure(chosen: Pair, repetitions: int, seed: int, progress: Callable[[], object]) -> dict:
    """What bench.json says of a game's random play.

    Ours plays a moment before the first repetition, which compiles it and brings its games out of phase.
    """
    game, reference, openspiel = chosen
    count = min(LOCKSTEP if game.compiled else IN_PYTHON, 2**20 // game.reset(1).nbytes)
    ours, rng = Ours(game, count, seed), random.Random(seed)
    ours.play(2 * SECONDS)
    paces = []
    for _ in range(repetitions):
        paces.append((ours.play(SECONDS).per_second(), play_openspiel(reference, rng, SECONDS).per_second()))
        progress()
    mine, theirs = np.swapaxes(paces, 0, 1)  # [repetitions, moves and games]
    return {
        "openspiel": openspiel, "random_games": count,
        **quartiles("random_moves_per_s", mine[:, 0]), **quartiles("random_games_per_s", mine[:, 1]),
        **quartiles("openspiel_moves_per_s", theirs[:, 0]), **quartiles("openspiel_games_per_s", theirs[:, 1]),
        **quartiles("random_moves_ratio", mine[:, 0] / theirs[:, 0]),
        **quartiles("random_games_ratio", mine[:, 1] / theirs[:, 1]),
    }  # fmt: skip


COLUMNS = {
    "random play": "{title}", "moves/s": "{random_moves_per_s:,.0f}", "OpenSpiel": "{openspiel_moves_per_s:,.0f}",
    "ratio": "{random_moves_ratio:.3g} ({random_moves_ratio_spread[0]:.3g}-{random_moves_ratio_spread[1]:.3g})",
    "games/s": "{random_games_per_s:,.0f}", "OpenSpiel's": "{openspiel_games_per_s:,.0f}",
    "their ratio": "{random_games_ratio:.3g} ({random_games_ratio_spread[0]:.3g}-{random_games_ratio_spread[1]:.3g})",
}  # fmt: skip


def table(found: dict[str, dict]) -> str:
    """The figures of `measure` by title, for the terminal."""
    cells = [list(COLUMNS)]
    cells += [[text.format(title=title, **row) for text in COLUMNS.values()] for title, row in found.items()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)) for line in cells)
