"""The course of a game: its beginning, moves, end and result."""

import numpy as np

from games import core
from games.core import OVER, RESULT, TO_MOVE, Game
from games.promises.sampling import PromiseBroken, after, random_games, refuse_first, rows_differ, step


def check_reset(game: Game, seed: int) -> None:
    """Reset always writes the same, whole, running position."""
    states = game.reset(3)
    garbage: np.ndarray = np.random.default_rng(seed).integers(-9, 9, states.shape).astype(game.state_dtype)
    core._batch(game.rules).reset(garbage, game.params)
    if states.shape != (3, game.state_words) or states.dtype != game.state_dtype:
        raise PromiseBroken(f"reset gives {states.dtype} {states.shape}, not {np.dtype(game.state_dtype)} [3, S]")
    if not (states == game.reset(3)).all() or not (states == states[0]).all():
        raise PromiseBroken("reset gives different positions: the initial position must not depend on chance")
    if not (garbage == states).all():
        word = int(np.flatnonzero((garbage != states).any(axis=0))[0])
        raise PromiseBroken(f"reset leaves word {word} of the state unwritten: start with state[:] = 0")
    if states[0, OVER] or states[0, RESULT]:
        raise PromiseBroken("the initial position is over or has a result: reset must clear the header words")


def check_same_again(game: Game, seed: int) -> None:
    """The same move in the same position has the same outcome, and `step` agrees with its parts."""
    states, actions = random_games(game, seed).moves()
    stepped, masks, planes = step(game, states, actions)
    parts = after(game, states, actions)
    again = after(game, states, actions)
    refuse_first(game, states, (again != parts).any(axis=1), "apply is not repeatable: no chance inside a kernel")
    refuse_first(game, states, (stepped != parts).any(axis=1), "step and advance play different moves")
    for name, found, one, two in (
        ("legal", masks, game.legal(parts), game.legal(parts.copy())),
        ("observe", planes, game.observe(parts), game.observe(parts.copy())),
    ):
        refuse_first(game, parts, rows_differ(one, two), f"{name} is not repeatable: it must depend on the state alone")
        refuse_first(
            game, parts, rows_differ(found, one), f"{name} gives something else inside step: keep nothing aside"
        )


def check_header(game: Game, seed: int) -> None:
    """The player to move is 0 or 1, and the end is marked by 0 or 1."""
    states = random_games(game, seed).positions()
    bad = ~np.isin(states[:, TO_MOVE], (0, 1))
    refuse_first(game, states, bad, "state[TO_MOVE] is neither 0 nor 1: apply must set it to the next player")
    refuse_first(game, states, ~np.isin(states[:, OVER], (0, 1)), "state[OVER] is neither 0 nor 1")


def check_legal(game: Game, seed: int) -> None:
    """While the game runs there is a legal action; once it is over there is none."""
    states = random_games(game, seed).positions()
    some = game.legal(states).any(axis=1)
    over = game.over(states)
    refuse_first(
        game, states, ~over & ~some,
        "no action is legal and yet the game is not over: set state[OVER] when the board is full, or add a pass",
    )  # fmt: skip
    refuse_first(game, states, over & some, "actions are legal after the end: legal must look at state[OVER]")


def check_length(game: Game, seed: int) -> None:
    """No game is longer than max_length."""
    longest = int((random_games(game, seed).actions >= 0).sum(axis=0).max())
    if longest > game.max_length:
        raise PromiseBroken(
            f"a game went on after max_length = {game.max_length} moves: declare the true bound (passes and swaps "
            "count), or end the game"
        )


def check_result(game: Game, seed: int) -> None:
    """The result is +1 or -1 for player 0, or 0 where the game can be drawn; 0 while the game runs."""
    states = random_games(game, seed).positions()
    over, result = game.over(states), game.result(states)
    refuse_first(game, states, ~np.isin(result, (-1, 0, 1)), "the result is not -1, 0 or +1")
    refuse_first(game, states, ~over & (result != 0), "there is a result and the game is not over: set state[OVER]")
    if not game.can_draw:
        drawn = over & (result == 0)
        refuse_first(game, states, drawn, "a game ended in a draw: set can_draw = True, or state[RESULT]")
