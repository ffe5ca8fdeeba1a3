"""Strategies: the raw network, search, random and perfect play behind one interface."""

import numpy as np
import pytest

from agents.agent import Agent, AgentError, default_settings, make_strategy
from agents.network import NetworkEvaluator, make_network
from agents.strategies.puct import PuctSearch
from games import make
from mcts import Puct, search
from mcts.streams import seed_streams


def positions(game, count, seed=0):
    rng = np.random.default_rng(seed)
    states = game.reset(count)
    for b in range(count):
        for _ in range(rng.integers(game.max_length)):
            following = game.play(states[b], rng.choice(np.flatnonzero(game.legal(states[b][None])[0])))
            if game.over(following[None])[0]:
                break
            states[b] = following
    return states


@pytest.fixture(scope="module")
def hex4():
    return make("hex", size=4, swap=True)


@pytest.fixture(scope="module")
def evaluate(hex4):
    return NetworkEvaluator(make_network("fc", hex4, seed=1, width=32, depth=2))


def streams(count, seed=0):
    return seed_streams(seed, np.arange(count))


def test_a_budget_of_one_is_the_raw_network(hex4, evaluate):
    states = positions(hex4, 60)
    decision = Agent(make_strategy("puct", hex4, evaluate), 1).act(states, streams(60))
    logits, value = evaluate(hex4.observe(states))
    seen = np.take_along_axis(logits, np.argsort(hex4.views[hex4.to_move(states)], axis=1), axis=1)
    masked = np.where(hex4.legal(states), seen, -np.inf)
    np.testing.assert_array_equal(decision.actions, masked.argmax(1))
    np.testing.assert_array_equal(decision.value, value)
    assert (decision.evaluations == 1).all()
    np.testing.assert_allclose(decision.policy.sum(1), 1, rtol=1e-5)


def test_by_visits_the_most_visited_move_is_played_and_evaluations_are_counted(hex4, evaluate):
    states, budgets = positions(hex4, 30), np.arange(1, 31)
    tree = search(hex4, states, evaluate, budgets, Puct(c=1.1, fpu_reduction=0.3))
    decision = make_strategy("puct", hex4, evaluate, c=1.1, fpu_reduction=0.3, by_visits=True, solve=False)
    decision = decision.decide(states, budgets, streams(30))
    np.testing.assert_array_equal(decision.evaluations, tree.evaluations)
    chosen = np.take_along_axis(tree.root_visits, decision.actions[:, None], axis=1)[:, 0]
    np.testing.assert_array_equal(chosen, tree.root_visits.max(1))
    np.testing.assert_array_equal(decision.value, tree.root_value)
    assert decision.value.dtype == np.float32 and decision.policy.dtype == np.float32
    searched = budgets > 1
    np.testing.assert_allclose(decision.policy[searched], (tree.root_visits / (budgets - 1)[:, None].clip(1))[searched])


def test_equal_visits_go_to_the_higher_prior():
    game = make("tictactoe")
    logits = np.zeros(9, np.float32)
    logits[[3, 6]] = 1.0, 0.999

    def evaluate(planes):
        return np.repeat(logits[None], len(planes), 0), np.zeros(len(planes), np.float32)

    tree = search(game, game.reset(1), evaluate, 3, Puct())
    assert tree.root_visits[0, [3, 6]].tolist() == [1, 1]
    assert PuctSearch(game, evaluate).decide(game.reset(1), np.array([3]), streams(1)).actions == [3]


def test_without_sampling_the_streams_are_untouched_and_actions_repeat(hex4, evaluate):
    states, random = positions(hex4, 20), streams(20)
    agent = Agent(make_strategy("puct", hex4, evaluate), 16)
    first = agent.act(states, random)
    np.testing.assert_array_equal(random, streams(20))
    np.testing.assert_array_equal(agent.act(states, streams(20, seed=9)).actions, first.actions)


def test_with_sampling_moves_are_drawn_from_the_visits(hex4, evaluate):
    count = 4000
    states = np.repeat(hex4.reset(1), count, 0)
    decision = make_strategy("puct", hex4, evaluate, sample=True).decide(states, np.full(count, 20), streams(count))
    shares = np.bincount(decision.actions, minlength=17) / count
    np.testing.assert_allclose(shares, decision.policy[0], atol=4 * 0.5 / np.sqrt(count))


def test_decisions_do_not_depend_on_the_batch(hex4, evaluate):
    states, budgets = positions(hex4, 25), np.random.default_rng(0).integers(1, 40, 25)
    for strategy in (make_strategy("puct", hex4, evaluate, sample=True), make_strategy("random", hex4)):
        together = strategy.decide(states, budgets, streams(25))
        for b in (0, 3, 24):
            alone = strategy.decide(states[[b]], budgets[[b]], streams(25)[[b]])
            for one, all_of_them in zip(alone, together, strict=True):
                np.testing.assert_array_equal(one[0], all_of_them[b])


def test_random_play_is_uniform_over_the_legal_moves(hex4):
    count = 6000
    state = hex4.play(hex4.reset(1)[0], 0, 16, 3)  # a swap, so that the mover is player 0's successor
    decision = make_strategy("random", hex4).decide(np.repeat(state[None], count, 0), np.ones(count), streams(count))
    legal = hex4.legal(state[None])[0]
    counts = np.bincount(decision.actions, minlength=17)
    assert (counts[~legal] == 0).all()
    np.testing.assert_allclose(counts[legal] / count, 1 / legal.sum(), atol=0.02)
    np.testing.assert_allclose(decision.policy[0], legal / legal.sum(), rtol=1e-6)
    assert np.isnan(decision.value).all() and (decision.evaluations == 0).all()


def test_no_positions_are_no_decisions(hex4, evaluate):
    for strategy in (make_strategy("puct", hex4, evaluate), make_strategy("random", hex4)):
        decision = strategy.decide(hex4.reset(0), np.zeros(0, np.int32), streams(0))
        assert [len(part) for part in decision] == [0, 0, 0, 0]


def test_perfect_play_keeps_the_value_and_costs_nothing():
    pytest.importorskip("games.exact")
    game = make("tictactoe")
    perfect = make_strategy("perfect", game)
    board = game.parse("x x . o o . . . .")  # c1 wins at once
    decision = perfect.decide(np.repeat(board[None], 50, 0), np.ones(50), streams(50))
    assert set(decision.actions) == {2}
    assert (decision.value == 1).all() and (decision.evaluations == 0).all()
    decision = perfect.decide(game.reset(400), np.ones(400), streams(400))
    assert set(decision.actions) == set(range(9))  # all nine openings keep the draw
    assert (decision.value == 0).all()


def test_perfect_play_is_refused_where_there_is_no_solver():
    pytest.importorskip("games.exact")
    with pytest.raises(ValueError, match="from size 2 to 6, not 9"):
        make_strategy("perfect", make("hex", size=9))


def test_impossible_strategies_are_refused(hex4, evaluate):
    with pytest.raises(AgentError, match="'puct' needs a network: give it a snapshot"):
        make_strategy("puct", hex4)
    with pytest.raises(
        AgentError,
        match="no setting 'depth': it takes solve, root_symmetries, c, c_log, c_base, fpu_reduction, lcb, by_visits, "
        "sample, leaves",
    ):
        make_strategy("puct", hex4, evaluate, depth=3)
    with pytest.raises(AgentError, match="no setting 'c': it takes none"):
        make_strategy("random", hex4, c=1.0)


def test_default_settings_are_those_of_the_constructor():
    expected = {"c": 1.5, "c_log": 0.0, "c_base": 500.0, "fpu_reduction": 0.2, "solve": True, "sample": False}
    expected |= {"root_symmetries": False, "leaves": 1, "lcb": 0.2, "by_visits": False}
    assert default_settings(PuctSearch) == expected


@pytest.mark.parametrize("sample", [False, True])
@pytest.mark.parametrize("solve", [False, True])
def test_rows_with_the_same_position_share_a_search_and_change_nothing(hex4, evaluate, solve, sample):
    rows = np.random.default_rng(0).integers(0, 8, 60)
    states, budgets = positions(hex4, 8)[rows], np.random.default_rng(1).choice([1, 2, 7, 30], 60)
    answers, spent = [], []
    for sharing in (True, False):
        strategy = make_strategy("puct", hex4, evaluate, solve=solve, sample=sample)
        strategy.sharing = sharing
        answers.append(strategy.decide(states, budgets, streams(60)))
        spent.append(strategy.spent)
    for one, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, other)
    assert spent[1] == answers[1].evaluations.sum()
    most = {row: answers[1].evaluations[rows == row].max() for row in set(rows.tolist())}
    assert spent[0] == sum(most.values()) < spent[1]


def test_several_leaves_are_those_of_the_search(hex4, evaluate):
    states, budgets = positions(hex4, 30), np.random.default_rng(0).integers(1, 40, 30)
    decision = make_strategy("puct", hex4, evaluate, leaves=8).decide(states, budgets, streams(30))
    found = search(hex4, states, evaluate, budgets, Puct(solve=True), leaves=8)
    np.testing.assert_array_equal(decision.actions, found.choose())
    np.testing.assert_array_equal(decision.policy, found.policy())
    alone = search(hex4, states, evaluate, budgets, Puct(solve=True))
    assert (decision.policy != alone.policy()).any()


def test_rules_that_draw_or_average_share_nothing(hex4, evaluate):
    states = np.repeat(hex4.reset(1), 5, 0)
    cases = ("regularised", {}), ("gumbel", {}), ("puct", {"root_symmetries": True}), ("puct", {"leaves": 4})
    for name, settings in cases:
        strategy = make_strategy(name, hex4, evaluate, **settings)
        decision = strategy.decide(states, np.full(5, 9), streams(5))
        assert strategy.spent == decision.evaluations.sum()
