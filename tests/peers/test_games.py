"""pgx plays by our rules: random games of Connect Four, Othello, tic-tac-toe and Go side by side, move by move.

Two differences are allowed for: in Othello, where neither can turn a disc, pgx has both pass and ours has ended; in Go,
pgx has who repeats a position lose, and ours forbids it.
tests/games does the same with OpenSpiel. `make test-peers` runs this.
"""

import os

import numpy as np
import pytest

pgx = pytest.importorskip("pgx", reason="pgx is not installed here: `make test-peers` runs these tests")
import jax  # noqa: E402
from pgx.go import Go  # noqa: E402

from games import make  # noqa: E402

GAMES = int(os.environ.get("ISOELO_GAMES", 100))


def play_side_by_side(game, env, seed, look, passes=False):
    """Random games of both: legal actions, turns, ends and results; the most moves of a game.

    `look` judges what pgx allows beyond ours. Where `passes`, finished games may go on there, by passes alone.
    """
    rng = np.random.default_rng(seed)
    states, step = game.reset(GAMES), jax.jit(jax.vmap(env.step))
    theirs = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.PRNGKey(seed), GAMES))
    first, running, moves = np.asarray(theirs.current_player), np.arange(GAMES), 0
    while len(running):
        over, ours = game.over(states), game.legal(states)
        ours[over, -1] = passes
        legal, movers = np.asarray(theirs.legal_action_mask), np.asarray(theirs.current_player)
        going = running[~over[running]]
        np.testing.assert_array_equal((movers != first)[going], game.to_move(states)[going])
        more = np.zeros_like(ours)
        more[running] = (legal & ~ours)[running]
        assert not (ours & ~legal)[running].any()
        look(states, theirs, step, more)
        actions = np.array([rng.choice(np.flatnonzero(mask)) if mask.any() else 0 for mask in ours])
        theirs, moves = step(theirs, actions), moves + 1
        moved = states[going]
        game.advance(moved, actions[going])
        states[going] = moved
        over, ended = game.over(states)[running], np.asarray(theirs.terminated)[running]
        assert (over[ended]).all() and (passes or (over == ended).all())
        last = running[ended]
        np.testing.assert_array_equal(np.asarray(theirs.rewards)[last, first[last]], game.result(states)[last])
        running = running[~ended]
    return moves


def nothing_more(states, theirs, step, more):
    assert not more.any()


@pytest.mark.parametrize(("name", "settings"), [("connect_four", {}), ("othello", {"size": 8}), ("tictactoe", {})])
def test_games_agree(name, settings):
    env = pgx.make({"tictactoe": "tic_tac_toe"}.get(name, name))
    assert play_side_by_side(make(name, **settings), env, 1, nothing_more, passes=name == "othello") > 8


@pytest.mark.parametrize("size", [3, 5, 9])
def test_go_agrees_but_for_repetitions(size):
    """What pgx allows beyond ours loses at once."""
    seen = []

    def repetitions_lose(states, theirs, step, more):
        rows, actions = np.nonzero(more)
        if len(rows):
            chosen = np.zeros(GAMES, int)
            chosen[rows] = actions
            movers, after = np.asarray(theirs.current_player), step(theirs, chosen)
            lost = np.asarray(after.rewards)[np.arange(GAMES), movers] == -1
            assert np.asarray(after.terminated)[rows].all() and lost[rows].all()
            seen.append(len(rows))

    game = make("go", size=size, komi="0.5")
    play_side_by_side(game, Go(size=size, komi=0.5), size, repetitions_lose)
    assert seen or size > 3
