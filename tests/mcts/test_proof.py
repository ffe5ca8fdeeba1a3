"""Proof inside the tree against exact play, planted values and forced wins by hand, and no action left out for ever."""

import functools
import math

import numpy as np
import pytest
from evaluators import HashEvaluator, indifferent, random_positions
from toys import Bits, Turns, planted
from trees import children

from games import make
from games.exact import solver
from mcts import Gumbel, Puct, Regularised, Search, search
from mcts.gumbel import considered_visits
from mcts.streams import seed_streams

GAMES = [make("tictactoe"), make("hex", size=3, swap=True), make("hex", size=4), Turns()]
SOLVING = [
    Puct(solve=True),
    Gumbel(solve=True, noise=1.0),
    Gumbel(solve=True, considered=3, c_visit=1.0, c_scale=0.1),
    Regularised(solve=True),
    Regularised(solve=True, c=30.0),
]
exact_play = functools.cache(lambda game: solver(game))


def solved(game, rule, count, seed, most=200, leaves=1):
    """A search of random positions with random budgets, priors and values, and its streams."""
    states = random_positions(game, count, seed)
    budgets = np.random.default_rng(seed).integers(1, most, count)
    streams = seed_streams(seed, np.arange(count))
    return search(game, states, HashEvaluator(game.num_actions, seed), budgets, rule, streams, leaves), streams


# ---- bounds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.title)
@pytest.mark.parametrize("leaves", [1, 4])
def test_bounds_hold_at_every_node_and_what_is_settled_is_exact(game, leaves):
    exact, settled_roots, open_roots = exact_play(game), 0, 0
    for k, rule in enumerate(SOLVING):
        found, _ = solved(game, rule, 60, seed=k, leaves=leaves)
        for b in range(60):
            count = found.tree.num_nodes[b]
            nodes, values = found.tree.nodes[b, :count], exact.values(found.tree.states[:count, b])
            assert ((nodes["lower"] <= values) & (values <= nodes["upper"])).all()
            sure = nodes["settled"]
            assert (sure == (nodes["lower"] == nodes["upper"])).all()
            assert (nodes["raw_value"][sure] == values[sure]).all()
            assert (nodes["value_sum"][sure] == values[sure] * nodes["visits"][sure]).all()
        roots, values = found.tree.nodes[:, 0], exact.values(found.tree.states[0])
        np.testing.assert_array_equal(found.root_value[roots["settled"]], values[roots["settled"]])
        chosen = np.take_along_axis(exact.action_values(found.tree.states[0]), found.choose()[:, None], axis=1)[:, 0]
        assert (chosen[roots["settled"]] == values[roots["settled"]]).all()
        settled_roots += roots["settled"].sum()
        open_roots += (~roots["settled"]).sum()
    assert settled_roots > 50 and open_roots > 20


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.title)
def test_a_win_in_the_tree_is_never_missed_and_no_proven_loss_is_played(game):
    seen = np.zeros(3, int)
    for k, rule in enumerate(SOLVING):
        found, streams = solved(game, rule, 80, seed=20 + k, most=60)
        actions, policy = np.arange(game.num_actions), found.policy()
        drawn = [found.explore(streams) for _ in range(3)]
        for b in range(80):
            below = {int(found.tree.nodes[b, c].action): c for c in children(found.tree, b, 0)}
            bounds = {a: _seen_from_root(found.tree, b, c) for a, c in below.items()}
            wins = [a for a, (lower, _) in bounds.items() if lower == 1]
            losses = [a for a, (_, upper) in bounds.items() if upper == -1]
            played = [found.choose()[b], *(numbers[b] for numbers in drawn)]
            if wins:
                assert set(played) <= set(wins), (rule, game.draw(found.tree.states[0, b]))
                assert policy[b][~np.isin(actions, wins)].sum() == 0
            elif losses and len(losses) < game.legal(found.tree.states[:1, b]).sum():
                assert not set(played) & set(losses)
                assert policy[b, losses].sum() == 0
            seen += np.array([bool(wins), bool(losses), len(below) > len(wins)])
    assert (seen > 20).all()


def _seen_from_root(tree, b, child):
    root, node = tree.nodes[b, 0], tree.nodes[b, child]
    return (node.lower, node.upper) if node.to_move == root.to_move else (-node.upper, -node.lower)


@pytest.mark.parametrize("rule", [Puct(solve=True), Regularised(solve=True)], ids=str)
def test_a_lost_root_is_settled_once_every_action_is_refuted_and_not_before(rule):
    game = GAMES[1]
    exact = exact_play(game)
    states = random_positions(game, 200, seed=8)
    states = states[exact.values(states) == -1]
    assert len(states) > 20
    found, evaluate = Search(game, states, rule, 120), HashEvaluator(game.num_actions)
    legal, streams = game.legal(states), seed_streams(0, np.arange(len(states)))
    for budget in range(1, 121, 3):
        found.run(evaluate, budget, streams)
        for b in range(len(states)):
            refuted = sum(_seen_from_root(found.tree, b, c)[1] == -1 for c in children(found.tree, b, 0))
            assert found.tree.nodes[b, 0].settled == (refuted == legal[b].sum())
    assert found.tree.nodes["settled"][:, 0].sum() > 10


def test_a_full_board_but_one_is_a_proven_draw():
    game = GAMES[0]
    found = search(game, game.parse("x o x x o o o x .")[None], HashEvaluator(9), 100, Puct(solve=True))
    assert (found.simulations[0], found.evaluations[0], found.root_value[0]) == (2, 1, 0)


# ---- forced wins by hand -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length, simulations, evaluations, value", [(1, 3, 1, 1), (2, 5, 3, -1)])
def test_short_proofs_cost_what_they_cost_by_hand(length, simulations, evaluations, value):
    # Length 1: "0" loses at once, "1" wins at once. Length 2, second player's choice: "0" and "1" are looked at, then
    # "00" and "10", by which the second player wins both.
    game = Bits(length)
    for budget in (simulations - 1, simulations, 50):
        found = search(game, game.reset(1), indifferent(2), budget, Puct(solve=True))
        assert found.simulations[0] == min(budget, simulations)
        assert bool(found.tree.nodes[0, 0].settled) == (budget >= simulations)
    assert found.evaluations[0] == evaluations
    assert found.root_value[0] == value


@pytest.mark.parametrize("rule", [Puct(solve=True), Gumbel(solve=True), Regularised(solve=True)], ids=str)
def test_a_forced_win_at_depth_d_costs_no_more_than_the_positions_there_are(rule):
    for length in range(1, 9):
        game, value = Bits(length), 1 if length % 2 else -1  # who moves last wins
        found = search(game, game.reset(8), indifferent(2), 2000, rule, seed_streams(0, np.arange(8)))
        assert (found.root_value == value).all() and found.tree.nodes["settled"][:, 0].all()
        # A proof looks at one move of the winner and at both of the loser; the whole game has 2^length - 1 positions.
        levels = np.arange(length)
        winners_turn = levels % 2 == (length - 1) % 2
        fewest = sum(2 ** np.sum(~winners_turn[:level]) for level in levels)
        assert ((fewest <= found.evaluations) & (found.evaluations <= 2**length - 1)).all()


# ---- planted values ------------------------------------------------------------------------------------------------


def test_sequential_halving_by_hand():
    # 4 actions, 8 simulations: two phases of 4; one round of four, then two rounds of two.
    assert considered_visits(4, 8).tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    # 3 actions, 6 simulations: two phases of 3; one round of three, one of two, and what is left to the better of them.
    assert considered_visits(3, 6).tolist() == [0, 0, 0, 1, 1, 2]
    assert considered_visits(8, 24).tolist() == [0] * 8 + [1] * 4 + [2] * 4 + [3, 3, 4, 4, 5, 5, 6, 6]
    assert considered_visits(1, 3).tolist() == [0, 1, 2]
    assert considered_visits(16, 5).tolist() == [0] * 5


@pytest.mark.parametrize("budget, visits", [(2, [1, 0]), (3, [1, 1]), (4, [2, 1]), (5, [2, 2]), (6, [3, 2])])
def test_gumbel_halves_as_worked_out_by_hand(budget, visits):
    # "0" is worth +1 to who plays it, "1" is worth -1; the turn goes to and fro but for the last, which "0" gets.
    game = Bits()
    found = search(game, game.reset(1), planted({"0": -1, "1": 1}), budget, Gumbel())
    assert found.root_visits[0].tolist() == visits
    assert found.choose()[0] == 0


def test_the_improved_policy_by_hand():
    # c_visit = c_scale = 1, one visit each: sigma = 2 q with q in [0, 1]. Both tried: 2 and 0. Only "0" tried: the
    # other has v_mix = (V + 1 * 1) / (1 + 1) = 1/2, which is 3/4 in [0, 1]: 2 and 3/2.
    game, rule = Bits(), Gumbel(c_visit=1.0, c_scale=1.0)
    for budget, difference in ((3, 2.0), (2, 0.5)):
        found = search(game, game.reset(1), planted({"0": -1, "1": 1}), budget, rule)
        assert found.policy()[0, 0] == pytest.approx(1 / (1 + math.exp(-difference)), abs=1e-6)
    # Rescaled, the largest and smallest are 1 and 0 however near they are: sigma is 2 and 0 again.
    found = search(game, game.reset(1), planted({"0": -0.1, "1": 0.1}), 3, Gumbel(c_visit=1.0, rescale=True))
    assert found.policy()[0, 0] == pytest.approx(1 / (1 + math.exp(-2)), abs=1e-6)


def test_the_regularised_policy_by_hand():
    # c = 1, one simulation below the root, two actions: lambda = 1 / 3. What was tried has Q = 1, the other the root's
    # mean, 1/2. With x = alpha - 1: 1/6 (1/x + 1/(x + 1/2)) = 1, so 6 x^2 + x - 1/2 = 0.
    game, rule = Bits(), Regularised(c=1.0, fpu_reduction=0.0)
    found = search(game, game.reset(1), planted({"0": -1, "1": -1}), 2, rule, seed_streams(0))
    tried = int(found.root_visits[0].argmax())
    x = (math.sqrt(13) - 1) / 12
    assert found.policy()[0, tried] == pytest.approx(1 / 6 / x, abs=1e-6)
    assert found.choose()[0] == tried


def test_forced_playouts_and_pruning_by_hand():
    # k = 2 and priors 1/2: an action that was tried is forced while n^2 < sum n. "0", which loses, is tried first; it
    # gets its second visit at sum n = 2, its third at 5, its fourth would come at 10; "1" has the other seven. Pruning
    # may take up to sqrt(10) away from it.
    game = Bits()
    for forced, visits, target in ((2.0, [3, 7], [0, 1]), (0.0, [1, 9], [0.1, 0.9])):
        rule = Puct(c=0.1, fpu_reduction=0.0, forced_playouts=forced, noise=1e-9)
        found = search(game, game.reset(1), first_bit_decides, 11, rule, seed_streams(0))
        assert found.root_visits[0].tolist() == visits
        assert found.policy()[0].tolist() == np.array(target, np.float32).tolist()


def first_bit_decides(planes):
    """Equal priors; player 1 has won once the first bit is 0, player 0 once it is 1."""
    depth, code = planes[:, 0, 0, 0], planes[:, 0, 0, 1]
    first = np.floor(code / 2 ** np.maximum(depth - 1, 0))
    value = np.where(depth == 0, 0, (2 * first - 1) * (1 - 2 * (depth % 2)))
    return np.zeros((len(planes), 2), np.float32), value.astype(np.float32)


# ---- no action is left out for ever --------------------------------------------------------------------------------


def skewed(game):
    """Priors that fall from the first action to the last by e in all; every position is worth 0."""
    logits = np.linspace(0, -1, game.num_actions, dtype=np.float32)
    return lambda planes: (np.repeat(logits[None], len(planes), 0), np.zeros(len(planes), np.float32))


@pytest.mark.parametrize("rule", [Puct(), Puct(c=1.0, fpu_reduction=0.5), Regularised(), Regularised(c=1.0)], ids=str)
def test_every_action_is_tried_as_the_budget_grows(rule):
    game = make("hex", size=4)
    found = search(game, game.reset(1), skewed(game), 6000, rule, seed_streams(3))
    assert (found.root_visits[0] > 0).all()
    second = max(children(found.tree, 0, 0), key=lambda child: found.tree.nodes[0, child].visits)
    assert found.tree.nodes[0, second].candidate == -1  # nothing untried one move on either


def test_gumbel_tries_what_it_considers_at_the_root_and_everything_below():
    """Sequential halving is told how many actions to consider; below the root no such bound holds."""
    game = make("hex", size=4)
    found = search(game, game.reset(1), skewed(game), 3000, Gumbel(considered=4))
    assert (found.root_visits[0] > 0).tolist() == [True] * 4 + [False] * 12
    second = max(children(found.tree, 0, 0), key=lambda child: found.tree.nodes[0, child].visits)
    assert found.tree.nodes[0, second].candidate == -1
