"""Going on with a search, keeping what is below a move, and several leaves of a tree under way together."""

import numpy as np
import pytest
from evaluators import EXACT, HashEvaluator, indifferent, random_positions
from toys import Turns
from trees import check, children, tree_of_one_move, unfold

from games import make
from mcts import Gumbel, Puct, Regularised, Search, search
from mcts.streams import seed_streams
from mcts.tree import edge_value, mean_value

GAMES = [make("tictactoe"), make("hex", size=3, swap=True), Turns()]
ANYTIME = [
    Puct(),
    Puct(solve=True, c_log=0.45, c_base=9.0),
    Puct(forced_playouts=2.0, noise=0.25),
    Regularised(solve=True, noise=0.25),
]
LEAVES = [Puct(), Puct(solve=True), Gumbel(noise=1.0), Gumbel(solve=True), Regularised(), Regularised(solve=True)]


def begun(game, rule, count=20, seed=0, nodes=80):
    """A search with room, its evaluator and its streams, at random positions."""
    states = random_positions(game, count, seed)
    evaluate = HashEvaluator(game.num_actions, seed, EXACT)
    return Search(game, states, rule, nodes), evaluate, seed_streams(seed, np.arange(count))


def trees(found):
    return [unfold(found.tree, b) for b in range(len(found.tree.nodes))]


# ---- anytime -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.title)
@pytest.mark.parametrize("rule", ANYTIME, ids=str)
def test_stopping_on_the_way_changes_nothing_and_shows_the_smaller_budget(game, rule):
    apart, evaluate, streams = begun(game, rule)
    for budget in (1, 2, 7, 30, 30, 61):
        apart.run(evaluate, budget, streams)
        whole, _, drawn = begun(game, rule)
        whole.run(evaluate, budget, drawn)
        assert trees(apart) == trees(whole)
        np.testing.assert_array_equal(apart.root_visits, whole.root_visits)
        np.testing.assert_array_equal(apart.policy(), whole.policy())
        np.testing.assert_array_equal(streams, drawn)
        np.testing.assert_array_equal(apart.evaluations, whole.evaluations)


def test_symmetric_roots_can_be_gone_on_with():
    game, rule = GAMES[0], Puct(root_symmetries=True)
    apart, evaluate, streams = begun(game, rule)
    whole, *_ = begun(game, rule)
    for budget in (10, 40):
        apart.run(evaluate, budget, streams)
    whole.run(evaluate, 40, streams)
    assert trees(apart) == trees(whole)
    assert (whole.evaluations <= 40).all()


def test_symmetric_roots_are_billed_what_was_evaluated():
    for game in GAMES[:2]:
        for budget in (1, len(game.symmetries.actions), len(game.symmetries.actions) + 1, 40):
            found, evaluate, streams = begun(game, Puct(root_symmetries=True))
            found.run(evaluate, budget, streams)
            assert sum(evaluate.batches) == found.evaluations.sum()
            assert (found.evaluations <= budget).all()


def test_a_kept_root_is_not_averaged_again_and_has_its_whole_budget():
    game, rule = GAMES[1], Puct(root_symmetries=True)
    found, evaluate, streams = begun(game, rule, count=24)
    found.run(evaluate, 40, streams)
    actions, states, _ = moved(game, found, seed=0)
    found.follow(actions, states)
    kept = found.simulations > 0
    assert kept.any() and (~kept).any()
    evaluate.batches.clear()
    found.run(evaluate, 40, streams)
    assert (found.simulations[kept] == 40).all()
    assert (found.simulations[~kept] == 40 - (len(game.symmetries.actions) - 1)).all()
    assert sum(evaluate.batches) == found.evaluations.sum()
    assert (found.evaluations <= 40).all()
    quiet = search(game, states[kept], evaluate, 40, Puct())
    np.testing.assert_array_equal(found.root_prior[kept], quiet.root_prior)


def test_gumbel_does_not_go_on():
    found, evaluate, streams = begun(GAMES[0], Gumbel())
    found.run(evaluate, 20, streams)
    with pytest.raises(ValueError, match="Gumbel cannot go on"):
        found.run(evaluate, 30, streams)
    with pytest.raises(ValueError, match="Gumbel cannot be kept"):
        found.follow(found.choose(), found.tree.states[0])


# ---- keeping the tree ----------------------------------------------------------------------------------------------


def moved(game, found, seed):
    """Actions of a random kind at each root (the search's, a tried one, any legal one) and the positions behind."""
    rng = np.random.default_rng(seed)
    states, actions = found.tree.states[0].copy(), found.choose()
    for b in range(len(states)):
        tried = np.flatnonzero(found.root_visits[b])
        if b % 3 == 1 and len(tried):
            actions[b] = rng.choice(tried)
        elif b % 3 == 2:
            actions[b] = rng.choice(np.flatnonzero(game.legal(states[b][None])[0]))
    game.advance(states, actions)
    over = game.over(states)
    states[over] = game.reset(int(over.sum()))
    return actions, states, over


def kept_below(found, actions, states, over):
    """What should be kept of each tree, in plain Python: the unfolded subtree, or None."""
    kept = []
    for b, action in enumerate(actions):
        below = [child for child in children(found.tree, b, 0) if found.tree.nodes[b, child].action == action]
        kept.append(unfold(found.tree, b, below[0]) if below and not over[b] else None)
    return kept


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.title)
@pytest.mark.parametrize("rule", ANYTIME, ids=str)
def test_what_is_kept_is_the_subtree_and_nothing_else(game, rule):
    found, evaluate, streams = begun(game, rule, count=24)
    budgets = np.random.default_rng(5).integers(1, 60, 24)
    known = 0
    for move in range(5):
        found.run(evaluate, budgets, streams)
        actions, states, over = moved(game, found, seed=move)
        expected = kept_below(found, actions, states, over)
        found.follow(actions, states)
        np.testing.assert_array_equal(found.tree.states[0], states)
        assert (found.evaluations == 0).all()
        for b, subtree in enumerate(expected):
            assert found.simulations[b] == (subtree[0]["visits"] if subtree else 0)
            assert found.tree.num_nodes[b] > 0 or subtree is None
            if subtree is not None:
                known += 1
                assert unfold(found.tree, b) == subtree
                check(game, found.tree, b, rule.solve)
    assert known > 40


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.title)
@pytest.mark.parametrize("rule", [Puct(), Puct(solve=True, c=0.7), Puct(c_log=0.45, c_base=9.0)], ids=str)
def test_going_on_below_a_move_is_the_search_from_there(game, rule):
    """PUCT decides below a node by what is below it, so a kept tree grows into the tree of a fresh search."""
    found, evaluate, streams = begun(game, rule, count=24)
    found.run(evaluate, 60, streams)
    for move in range(3):
        actions, states, _ = moved(game, found, seed=move)
        found.follow(actions, states)
        before = found.simulations.copy()
        found.run(evaluate, 60, streams)
        fresh = search(game, states, evaluate, 60, rule)
        assert trees(found) == trees(fresh)
        np.testing.assert_array_equal(found.policy(), fresh.policy())
        np.testing.assert_array_equal(found.choose(), fresh.choose())
        nothing = before == 0
        assert nothing.any() and (~nothing).any()
        np.testing.assert_array_equal(found.evaluations[nothing], fresh.evaluations[nothing])
        assert found.evaluations.sum() < fresh.evaluations.sum()


def test_noise_is_mixed_in_anew_at_a_kept_root():
    game, rule = GAMES[1], Puct(noise=0.25)
    found, evaluate, streams = begun(game, rule, count=24)
    found.run(evaluate, 60, streams)
    actions, states, _ = moved(game, found, seed=0)
    found.follow(actions, states)
    quiet = search(game, states, evaluate, 1, Puct()).root_prior
    found.run(evaluate, 60, streams)
    legal = game.legal(states)
    assert (found.root_prior[legal] != quiet[legal]).mean() > 0.9
    np.testing.assert_allclose(found.root_prior.sum(1), 1, rtol=1e-5)
    for b in range(24):
        check(game, found.tree, b)
        for child in children(found.tree, b, 0):
            assert found.tree.nodes[b, child].edge_prior == found.root_prior[b, found.tree.nodes[b, child].action]


def test_a_tree_is_not_kept_for_another_position():
    """A game may be given up and another begun, whatever was found below the action named."""
    game = GAMES[1]
    found, evaluate, streams = begun(game, Puct(), count=24)
    found.run(evaluate, 60, streams)
    elsewhere = game.reset(24)
    found.follow(found.choose(), elsewhere)
    assert (found.simulations == 0).all()
    found.run(evaluate, 30, streams)
    assert trees(found) == trees(search(game, elsewhere, evaluate, 30, Puct()))


def test_following_before_any_search_leaves_the_trees_empty():
    game = GAMES[0]
    found = Search(game, game.reset(3), Puct(), 20)
    found.tree.nodes.view(np.uint8)[:] = 0  # whatever stood in that memory
    found.tree.nodes["first_child"][:] = 0
    states = np.array([game.play(state, 4) for state in game.reset(3)])
    found.follow(np.array([4, 4, 4]), states)
    assert (found.simulations == 0).all()
    found.run(HashEvaluator(9), 20)
    assert trees(found) == trees(search(game, states, HashEvaluator(9), 20, Puct()))


def test_equal_searches_are_stored_alike_whatever_stood_in_memory():
    game, stored = GAMES[0], []
    for left in (0, 255):
        found = Search(game, game.reset(8), Puct(), 200)
        for array in (found.tree.nodes, found.tree.prior, found.tree.states[1:]):
            array.view(np.uint8)[:] = left
        found.run(HashEvaluator(9), 150)
        stored.append({name: array.tobytes() for name, array in found.arrays().items()})
    assert found.tree.nodes["settled"].any()  # finished games have no priors
    assert stored[0] == stored[1]


# ---- several leaves together ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.title)
@pytest.mark.parametrize("rule", LEAVES, ids=str)
@pytest.mark.parametrize("leaves", [2, 7])
def test_supposed_losses_are_all_taken_back_and_the_budget_is_kept(game, rule, leaves):
    states = random_positions(game, 16, seed=leaves)
    budgets = np.random.default_rng(leaves).integers(1, 90, 16)
    evaluate = HashEvaluator(game.num_actions, 0, EXACT)
    found = search(game, states, evaluate, budgets, rule, seed_streams(1, np.arange(16)), leaves)
    for b in range(16):
        check(game, found.tree, b, rule.solve)
    nodes = found.tree.nodes[:, 0]
    np.testing.assert_array_equal(found.simulations[~nodes["settled"]], budgets[~nodes["settled"]])
    assert (found.simulations <= budgets).all() and (found.evaluations <= budgets).all()
    assert (np.abs(found.root_value) <= 1).all()
    assert sum(evaluate.batches) == found.evaluations.sum()
    np.testing.assert_allclose(found.policy().sum(1), 1, rtol=1e-5)


def test_a_path_under_way_is_half_lost_for_who_chose_it_and_leaves_the_nodes_own_mean_alone():
    """Three simulations of the root came back with 1.5 in all, one of its move x with 0.5; one more is on its way."""
    tree, root, x = tree_of_one_move()
    tree.nodes["under_way"][0, [root, x]] = 1, 1
    tree.nodes["value_sum"][0, [root, x]] = 1.5, -0.5  # x is seen by its own mover, the opponent
    node, edge = tree.nodes[0, root], tree.nodes[0, x]
    assert mean_value(node) == 0.5
    assert edge_value(node, edge) == (0.5 + (0.5 - 1) / 2) / 2
    assert mean_value(edge) == -0.5
    edge.visits, edge.value_sum = 1, 0.0  # its first simulation is the one on its way
    assert edge_value(node, edge) == np.float32((0.5 - 0.2 - 1) / 2)


@pytest.mark.parametrize("rule", LEAVES, ids=str)
def test_several_leaves_share_the_batches(rule):
    game = make("hex", size=3)
    evaluate = HashEvaluator(9)
    search(game, game.reset(3), evaluate, 65, rule, seed_streams(0, np.arange(3)), 8)
    assert max(evaluate.batches) > 8 and len(evaluate.batches) < 45
    alone = HashEvaluator(9)
    search(game, game.reset(3), alone, 65, rule, seed_streams(0, np.arange(3)), 1)
    assert max(alone.batches) == 3


@pytest.mark.parametrize("rule", LEAVES, ids=str)
def test_a_forced_win_is_still_found_with_several_leaves(rule):
    game = make("tictactoe")
    for board, best in (("x x . o o . . . .", 2), ("x x . o o . x . .", 5), ("x . . . x . . o o", 6)):
        states = np.repeat(game.parse(board)[None], 2, 0)
        found = search(game, states, indifferent(9), 500, rule, seed_streams(0, np.arange(2)), 8)
        assert found.choose().tolist() == [best, best]
        if rule.solve:
            assert (found.root_value == 1).all()


def test_fewer_positions_than_leaves_come_to_an_end():
    game = make("tictactoe")
    states = np.array([game.parse("x o x x o o o x ."), game.parse("x o x . o . . x .")])
    for rule in LEAVES:
        found = search(game, states, HashEvaluator(9), 60, rule, seed_streams(0, np.arange(2)), 50)
        assert found.evaluations[0] == 1 and found.evaluations[1] < 60
        for b in range(2):
            check(game, found.tree, b, rule.solve)


@pytest.mark.parametrize("rule", [Puct(), Puct(solve=True), Regularised()], ids=str)
def test_a_kept_tree_goes_on_with_several_leaves(rule):
    game = GAMES[2]
    found, evaluate, streams = begun(game, rule, count=24)
    for move in range(4):
        found.run(evaluate, 70, streams, leaves=5)
        for b in range(24):
            check(game, found.tree, b, rule.solve)
        actions, states, _ = moved(game, found, seed=move)
        found.follow(actions, states)
