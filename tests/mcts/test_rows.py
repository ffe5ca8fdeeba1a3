"""Whatever the rule and its options, a row's answer never depends on its batch, nor on when the network answers."""

import numpy as np
import pytest
from evaluators import HashEvaluator, Submitted, random_positions
from toys import Turns

from games import make
from mcts import Gumbel, Puct, Regularised, Search
from mcts.streams import seed_streams

HEX, TURNS = make("hex", size=3), Turns()
ROWS = 30
RULES = [
    Puct(),
    Puct(noise=0.25, forced_playouts=2.0, c_log=0.45),
    Puct(solve=True, root_symmetries=True, noise=0.25),
    Gumbel(),
    Gumbel(noise=1.0, solve=True, root_symmetries=True, considered=5),
    Gumbel(rescale=True, noise=1.0),
    Regularised(),
    Regularised(solve=True, noise=0.25, root_symmetries=True),
]
KEEPING = [rule for rule in RULES if rule.anytime]


def answers(game, rule, rows, evaluate, leaves=1, moves=1):
    """Everything a search says of the rows, after `moves` moves with the tree kept: [len(rows), everything]."""
    states, streams = random_positions(game, ROWS, seed=6)[rows], seed_streams(7, rows)
    budgets = np.random.default_rng(1).integers(1, 50, ROWS)[rows]
    found, told = Search(game, states, rule, 50), []
    for move in range(moves):
        if move:
            states = states.copy()
            game.advance(states, found.choose())
            over = game.over(states)
            states[over] = game.reset(int(over.sum()))
            found.follow(found.choose(), states)
        found.run(evaluate, budgets, streams, leaves)
        told += [found.root_visits, found.root_value, found.root_prior, found.evaluations, found.simulations]
        told += [found.policy(), found.choose(), found.explore(streams), streams.astype(np.float64)]
    return np.column_stack([np.asarray(part, np.float64) for part in told])


def assert_rows_stand_alone(game, rule, **more):
    evaluate = HashEvaluator(game.num_actions)
    everything = answers(game, rule, np.arange(ROWS), evaluate, **more)
    order = np.random.default_rng(2).permutation(ROWS)
    for rows in (order, np.arange(11), np.arange(11, ROWS), [0], [17], [*range(ROWS), *[4] * 19], np.arange(0)):
        some = answers(game, rule, np.array(rows, int), evaluate, **more)
        np.testing.assert_array_equal(some, everything[np.array(rows, int)])


@pytest.mark.parametrize("game", [HEX, TURNS], ids=lambda game: game.title)
@pytest.mark.parametrize("leaves", [1, 4])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_permuting_splitting_and_padding_change_no_row(game, rule, leaves):
    assert_rows_stand_alone(game, rule, leaves=leaves)


@pytest.mark.parametrize("leaves", [1, 3])
@pytest.mark.parametrize("rule", KEEPING, ids=str)
def test_rows_stand_alone_when_trees_are_kept(rule, leaves):
    assert_rows_stand_alone(HEX, rule, leaves=leaves, moves=4)


@pytest.mark.parametrize("leaves", [1, 4])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_two_halves_under_way_give_the_same_bits(rule, leaves):
    """`Submitted` also checks that the planes it was lent stay as they are until its answer is collected."""
    device = Submitted(HEX.num_actions)
    moves = 3 if rule.anytime else 1
    try:
        for rows in (np.arange(ROWS), np.array([5]), np.arange(7), np.arange(0)):
            device.batches.clear()
            apart = answers(HEX, rule, rows, device, leaves, moves)
            at_once = answers(HEX, rule, rows, HashEvaluator(HEX.num_actions), leaves, moves)
            np.testing.assert_array_equal(apart, at_once)
    finally:
        device.close()
    assert device.most == 2 and device.under_way == 0


def test_an_evaluator_is_found_out_that_sees_its_planes_change():
    """The check of `Submitted` itself."""
    device = Submitted(9)
    planes = HEX.observe(HEX.reset(4))
    collect = device.submit(planes)
    planes[:] += 1
    with pytest.raises(AssertionError, match="planes changed"):
        collect()
    device.close()
