"""The other programs play our Hex with our network: `make test-peers`."""

import numpy as np
import pytest

pytest.importorskip("mctx", reason="mctx is not installed here: `make test-peers` runs these tests")
pgx = pytest.importorskip("pgx", reason="pgx is not installed here: `make test-peers` runs these tests")
import jax  # noqa: E402
import mctx_search  # noqa: E402
import pyspiel  # noqa: E402

from experiments.peers import jax_search, openspiel  # noqa: E402
from experiments.peers.positions import moves_to  # noqa: E402
from games import make  # noqa: E402

GAME = make("hex", size=11)
TASK = {"size": 11, "width": 8, "depth": 2, "budget": 6, "seed": 0, "games": 2}


def weights(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"input.weight": (8, 242), "input.bias": (8,), "heads.weight": (122, 8), "heads.bias": (122,)}
    for k in range(2):
        shapes |= {f"blocks.{k}.weight": (8, 8), f"blocks.{k}.bias": (8,), f"blocks.{k}.alpha": ()}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def openspiel_states(states):
    found = []
    for moves in moves_to(GAME, states):
        state = pyspiel.load_game("hex(board_size=11)").new_initial_state()
        for move in moves[moves >= 0]:
            state.apply_action(int(move))
        found.append(state)
    return found


def written(path, states, seed=0):
    """The file that the parent writes, its answers worked out by the numpy network on OpenSpiel's states."""
    network = openspiel.OurNetwork(TASK, weights(seed))
    logits, values = zip(*(network._forward(state) for state in openspiel_states(states)), strict=True)
    arrays = {f"weights/{name}": array for name, array in weights().items()}
    np.savez(path, states=states, logits=np.array(logits), values=np.array(values), **arrays)
    return {**TASK, "arrays": str(path), "weights": list(weights())}


def test_pgx_plays_by_our_rules():
    """The same random games to the end, pgx's swap left out: legal actions, turns, ends and results."""
    games, rng = 24, np.random.default_rng(1)
    states, env = GAME.reset(games), jax_search.environment(11)
    theirs, step = jax_search.place(states, 11), jax.jit(jax.vmap(pgx.make("hex").step))
    ended = np.zeros(games, bool)
    while not ended.all():
        legal = np.asarray(theirs.legal_action_mask)[:, : env.num_actions - 1]
        np.testing.assert_array_equal(legal[~ended], GAME.legal(states)[~ended])
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in legal])
        theirs, running = step(theirs, actions), np.flatnonzero(~ended)
        moved = states[running]
        GAME.advance(moved, actions[running])
        states[running] = moved
        rewards = np.asarray(theirs.rewards)[np.arange(games), np.asarray(theirs._player_order)[:, 0]]
        np.testing.assert_array_equal(np.asarray(theirs.terminated), GAME.over(states))
        np.testing.assert_array_equal(rewards[running], GAME.result(states)[running])
        ended = GAME.over(states)


def test_two_ways_of_writing_our_network_agree_on_the_same_positions(tmp_path):
    """jax.numpy on pgx's states against numpy on OpenSpiel's: positions, frames and layers are carried over alike."""
    states = mctx_search.random_positions(GAME, 40, seed=2)
    assert {0, 1} == set(GAME.to_move(states))
    task = written(tmp_path / "task.npz", states)
    search = jax_search.prepare({**task, "rule": "gumbel"})  # raises where logits or values differ
    actions, policy = search()
    assert GAME.legal(states)[np.arange(len(states)), np.asarray(actions)].all()
    np.testing.assert_allclose(np.asarray(policy).sum(1), 1, rtol=1e-4)


def test_another_network_is_refused(tmp_path):
    states = mctx_search.random_positions(GAME, 4, seed=3)
    with pytest.raises(ValueError, match="the networks differ: logits"):
        jax_search.prepare({**written(tmp_path / "task.npz", states, seed=1), "rule": "puct"})


@pytest.mark.parametrize("rule", ["uct", "alphazero"])
def test_openspiel_spends_the_budget(rule, tmp_path):
    states = mctx_search.random_positions(GAME, 3, seed=4)
    roots = openspiel.prepare({**written(tmp_path / "task.npz", states), "rule": rule})()
    assert [root.explore_count for root in roots] == [TASK["budget"]] * TASK["games"]


def test_another_size_is_refused():
    with pytest.raises(ValueError, match="pgx's Hex is 11x11"):
        jax_search.environment(9)
