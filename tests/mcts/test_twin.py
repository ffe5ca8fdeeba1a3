"""Every rule's search and its slow twin agree, in visits, policy, choice, value and cost, on more than 1,000 positions.

PROVE_TWINS=20 in the environment makes it twenty times as many.
"""

import os

import numpy as np
import pytest
from evaluators import EXACT, HashEvaluator, random_positions
from rule_twins import twin_of
from toys import Turns

from games import make
from mcts import Gumbel, Puct, Regularised, search
from mcts.streams import seed_streams

TIMES = int(os.environ.get("PROVE_TWINS", "1"))
GAMES = {
    "tictactoe": make("tictactoe"),
    "hex3-swap": make("hex", size=3, swap=True),
    "hex4": make("hex", size=4),
    "connect_four": make("connect_four", rows=4, columns=4, connect=3),
    "breakthrough": make("breakthrough", rows=5, columns=3),
    "turns": Turns(),
}
SMALL = ("tictactoe", "hex3-swap", "turns")

PUCT = [
    Puct(),
    Puct(c=0.3, fpu_reduction=0.0),
    Puct(c=4.0, fpu_reduction=1.0),
    Puct(c=1.25, solve=True),
    Puct(c=0.0, fpu_reduction=0.0),
    Puct(by_visits=True),
    Puct(lcb=1.5, solve=True),
]
PUCT_LOG = [Puct(c=0.5, c_log=0.45, c_base=3.0), Puct(c_log=1.0, c_base=19652.0, solve=True)]
FORCED = [
    Puct(forced_playouts=2.0, noise=0.25),
    Puct(c=0.4, forced_playouts=6.0, noise=0.5, c_log=0.45, c_base=9.0),
    Puct(forced_playouts=2.0, noise=0.25, solve=True),
]
GUMBEL = [
    Gumbel(),
    Gumbel(considered=4, noise=1.0),
    Gumbel(considered=2, c_visit=5.0, c_scale=0.3, noise=1.0, solve=True),
    Gumbel(c_visit=10.0, c_scale=0.1, rescale=True),
    Gumbel(considered=1, c_visit=0.0, rescale=True, solve=True),
]
REGULARISED = [
    Regularised(),
    Regularised(c=0.3, fpu_reduction=0.0),
    Regularised(c=8.0, fpu_reduction=1.0, solve=True),
]
SYMMETRIES = [Puct(root_symmetries=True), Gumbel(root_symmetries=True, noise=1.0), Regularised(root_symmetries=True)]

compared = {"positions": 0, "doubtful": 0}


def agree(game, states, budgets, settings, grain, seed, leaves=1):
    """Compare every row; where the twin doubts its own choices, a different answer is counted and no failure."""
    streams = seed_streams(seed, np.arange(len(states)))
    drawn = streams.copy()
    found = search(game, states, HashEvaluator(game.num_actions, seed, grain), budgets, settings, streams, leaves)
    policy, chosen, visits, value = found.policy(), found.choose(), found.root_visits, found.root_value
    slow = HashEvaluator(game.num_actions, seed, grain)
    noisy = isinstance(settings, Puct) and settings.noise > 0
    for b, state in enumerate(states):
        prior = found.root_prior[b] if noisy else None
        twin = twin_of(game, state, slow, settings, drawn[b : b + 1], prior).run(budgets[b], leaves)
        compared["positions"] += 1
        where = f"{game.title} row {b}, {settings}\n{game.draw(state)}"
        answers = [*visits[b], chosen[b], value[b], found.evaluations[b], found.simulations[b]]
        expected = [*twin.visits, twin.choose(), twin.root.mean(), twin.evaluations, twin.simulations]
        if twin.doubtful and answers != expected:
            compared["doubtful"] += 1
            continue
        np.testing.assert_array_equal(answers, expected, where)
        np.testing.assert_allclose(policy[b], twin.policy(), atol=1e-5, err_msg=where)
        if not noisy:
            assert (streams[b] == drawn[b]).all(), where  # as many numbers were drawn
        if settings.solve:
            node = found.tree.nodes[b, 0]
            assert (node.lower, node.upper) == twin.root.bounds, where


def sweep(rules, grain, count, most=48, games=GAMES, leaves=1):
    for k, (name, rule) in enumerate((name, rule) for name in games for rule in rules):
        states = random_positions(GAMES[name], count * TIMES, seed=k)
        budgets = np.random.default_rng(k).integers(1, most, len(states))  # a budget of its own for each row
        agree(GAMES[name], states, budgets, rule, grain, k, leaves)


def test_puct_is_its_twin_to_the_last_bit():
    sweep(PUCT, grain=997, count=10)


def test_puct_with_a_growing_constant_is_its_twin():
    sweep(PUCT_LOG, grain=EXACT, count=6)


def test_forced_playouts_and_pruned_targets_are_those_of_the_twin():
    sweep(FORCED, grain=EXACT, count=8)


def test_gumbel_is_its_twin():
    sweep(GUMBEL, grain=EXACT, count=10)


def test_the_regularised_policy_is_its_twin():
    sweep(REGULARISED, grain=EXACT, count=10)


def test_roots_under_every_symmetry_are_those_of_the_twin():
    sweep(SYMMETRIES, grain=EXACT, count=4, most=30, games=("tictactoe", "hex4", "connect_four"))


@pytest.mark.parametrize("leaves", [2, 5])
def test_several_leaves_together_are_those_of_the_twin(leaves):
    rules = [PUCT[0], PUCT[3], FORCED[2], GUMBEL[1], GUMBEL[2], REGULARISED[0], REGULARISED[2], SYMMETRIES[0]]
    sweep(rules, grain=EXACT, count=3, games=("tictactoe", "hex4", "connect_four"), leaves=leaves)


@pytest.mark.parametrize("grain", [1, 2, 3])
def test_searches_are_their_twins_where_priors_and_values_tie(grain):
    rules = [Puct(c=1.0, fpu_reduction=0.25), PUCT[-1], Puct(c=1.0, solve=True), Regularised(c=1.0), Gumbel()]
    sweep(rules, grain, count=3, most=40, games=SMALL)


@pytest.mark.parametrize("rule", [Puct(), Puct(solve=True), Gumbel(solve=True), Regularised(solve=True)], ids=str)
def test_searches_are_their_twins_with_a_large_budget_near_the_end_of_games(rule):
    game = GAMES["tictactoe"]
    states = np.repeat(game.parse("x o x . o . . . .")[None], 3, 0)
    agree(game, states, np.array([1, 50, 300]), rule, grain=EXACT, seed=5)


def test_small_selection_for_the_run_without_the_compiler():
    rules = [Puct(), FORCED[2], GUMBEL[1], GUMBEL[3], REGULARISED[2], SYMMETRIES[0]]
    for k, rule in enumerate(rules):
        for name in ("tictactoe", "turns"):
            if not (rule.root_symmetries and name == "turns"):
                agree(GAMES[name], random_positions(GAMES[name], 2, seed=k), np.array([9, 24]), rule, EXACT, seed=k)


def test_at_least_a_thousand_positions_were_compared_and_hardly_any_was_doubtful():
    """Last in the file: counts what the tests above compared."""
    if compared["positions"] < 500:
        pytest.skip("only some of the comparisons ran")
    assert compared["positions"] >= 1000
    assert compared["doubtful"] <= compared["positions"] / 200
