"""What a search promises: exact counts on small examples, full batches, forced wins, independent rows, refusals."""

import sys
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from evaluators import HashEvaluator, indifferent, random_positions
from toys import Bits, planted
from trees import tree_of_one_move

from agents.agent import make_strategy
from agents.network import NetworkEvaluator, make_network
from games import make
from mcts import Gumbel, Puct, Regularised, RuleError, Search, search
from mcts.puct import Numbers, select
from mcts.streams import seed_streams
from mcts.tree import bytes_per_tree

# ---- by hand -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget, visits, value", [(1, [0, 0], 0), (2, [1, 0], 1 / 2), (3, [2, 0], 1.5 / 3),
                                                   (4, [2, 1], 0.5 / 4)])  # fmt: skip
def test_planted_values_give_the_visits_worked_out_by_hand(budget, visits, value):
    # c = 1, r = 0, priors 1/2. Each line: the scores at the root, then what is evaluated, seen by the root's player.
    #   2   both untried, 0 first                                          "0" is worth +1
    #   3   0: 1 + sqrt(2) / 2 / 2 = 1.35    1: 1/2 + sqrt(2) / 2 = 1.21   "00" is worth +1/2
    #   4   0: 3/4 + sqrt(3) / 2 / 3 = 1.04  1: 1/2 + sqrt(3) / 2 = 1.37   "1" is worth -1
    game = Bits()
    evaluate = planted({"0": -1, "00": 0.5, "1": 1})
    tree = search(game, game.reset(1), evaluate, budget, Puct(c=1, fpu_reduction=0))
    assert tree.root_visits[0].tolist() == visits
    assert tree.root_value[0] == np.float32(value)
    assert tree.evaluations[0] == budget


@pytest.mark.parametrize("few, lcb, chosen", [(9, 0.2, 2), (8, 0.2, 1), (8, 2.0, 0)])
def test_the_move_is_the_one_with_the_highest_lower_bound(few, lcb, chosen):
    # Q = 0.1, 0.2, 0.9 after 90, 10 and 9 or 8 visits. Bounds with 0.2: 0.08, 0.14, 0.83; 8 are less than a tenth of
    # 90. With 2.0: -0.11, -0.43.
    game = make("tictactoe")
    found = search(game, game.reset(1), indifferent(9), 4, Puct(lcb=lcb))
    nodes = found.tree.nodes[0]
    assert nodes["action"][1:4].tolist() == [0, 1, 2]
    nodes["visits"][1:4] = visits = np.array([90, 10, few])
    nodes["value_sum"][1:4] = [-0.1, -0.2, -0.9] * visits  # seen by the opponent
    assert found.choose() == [chosen]
    assert Puct(lcb=lcb, by_visits=True).choose(found.tree, found.numbers) == [0]


def test_first_play_urgency_holds_an_untried_action_back():
    # The third simulation again: 1 scores 1/2 - r sqrt(1/2) + sqrt(2)/2, against 0 with 0 + sqrt(2)/4 after "0" was
    # worth -1: it is tried at r = 0 and not at r = 2.
    game = Bits()
    for reduction, visits in ((0, [1, 1]), (2, [2, 0])):
        tree = search(game, game.reset(1), planted({"0": 1}), 3, Puct(c=1, fpu_reduction=reduction))
        assert tree.root_visits[0].tolist() == visits


def test_worked_example_of_the_rule():
    """mcts/puct.py: x scores 0.9, y, untried, scores 1.3; with r such that y falls below 0.9, x is chosen."""
    tree, root, x = tree_of_one_move()
    tree.nodes["value_sum"][0, [root, x]] = 4 * 0.5, -2 * 0.5  # x is seen by its own mover, the opponent
    assert tree.nodes["candidate"][0, root] == 1

    def chosen(reduction):
        numbers = Numbers(*(np.float32(value) for value in (1, 0, 500, reduction, 0)))
        return select(numbers, tree, 0, root)

    assert chosen(0) == -1
    assert chosen(0.5) == -1  # 1.3 - 0.5 sqrt(0.6) = 0.913
    assert chosen(0.52) == x  # 1.3 - 0.52 sqrt(0.6) = 0.897


def test_root_prior_is_the_softmax_of_the_legal_logits_as_the_mover_sees_them():
    for game in (make("tictactoe"), make("hex", size=4), make("hex", size=4, swap=True)):
        states = random_positions(game, 40, seed=2)
        evaluate = HashEvaluator(game.num_actions)
        prior = search(game, states, evaluate, 1, Puct()).root_prior
        logits, _ = evaluate(game.observe(states))
        legal, movers = game.legal(states), game.to_move(states)
        expected = np.zeros(prior.shape)
        for b in range(len(states)):
            for j, action in enumerate(game.views[movers[b]]):
                expected[b, action] = legal[b, action] * np.exp(float(logits[b, j]))
        np.testing.assert_allclose(prior, expected / expected.sum(1, keepdims=True), rtol=3e-6)
        assert (prior[~legal] == 0).all() and (prior[legal] > 0).all()


@pytest.mark.parametrize("rule", [Puct(), Puct(solve=True), Gumbel(), Regularised()])
@pytest.mark.parametrize("nan", [np.float32(np.nan), -np.float32(np.nan)])
def test_a_network_that_diverged_is_survived(rule, nan):
    """Its answers mean nothing, but the search ends, and chooses legal moves; the learner says what is wrong."""
    game = make("hex", size=3)
    states = random_positions(game, 20, seed=5)

    def diverged(planes):
        return np.full((len(planes), 9), nan), np.full(len(planes), nan)

    found = search(game, states, diverged, 30, rule, seed_streams(0, np.arange(20)))
    visits = found.root_visits
    assert (visits[~game.legal(states)] == 0).all() and (found.tree.num_nodes <= 30).all()
    assert game.legal(states)[np.arange(20), found.choose()].all()


def test_extreme_logits_stay_a_distribution():
    game = make("hex", size=3)
    logits = np.zeros((1, 9), np.float32)
    logits[0, 4], logits[0, 5] = 3e4, -3e4
    tree = search(game, game.reset(1), lambda planes: (logits, np.zeros(1, np.float32)), 1, Puct())
    assert tree.root_prior[0, 4] == 1 and tree.root_prior[0].sum() == 1


# ---- what it finds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("board, best", [
    ("x x . o o . . . .", 2),  # x completes a line; so could o
    ("x x . o o . x . .", 5),  # the same for o, who also has to stop two lines otherwise
    ("x . . . x . . o o", 6),  # three moves: stops o's line and makes two threats
])  # fmt: skip
def test_a_drawn_forced_win_is_found(board, best):
    game = make("tictactoe")
    tree = search(game, game.parse(board)[None], indifferent(9), 500, Puct())
    assert tree.root_visits[0].argmax() == best
    assert tree.root_value[0] > 0.7


def win_within(game, state, moves):
    """Whether the mover can force a win in at most `moves` moves of both sides together."""
    mover = game.to_move(state[None])[0]
    for action in np.flatnonzero(game.legal(state[None])[0]):
        child = game.play(state, action)[None]
        if game.over(child)[0]:
            if game.result(child)[0] == 1 - 2 * mover:
                return True
        elif moves >= 3 and not _escapes(game, child[0], moves - 1):
            return True
    return False


def _escapes(game, state, moves):
    for action in np.flatnonzero(game.legal(state[None])[0]):
        child = game.play(state, action)
        if game.over(child[None])[0] or not win_within(game, child, moves - 1):
            return True
    return False


@pytest.mark.parametrize("name, size", [("tictactoe", {}), ("hex", {"size": 3})])
@pytest.mark.parametrize("moves", [1, 3])
def test_forced_wins_are_found_at_depth_one_and_three(name, size, moves):
    game = make(name, **size)
    states = random_positions(game, 300, seed=11)
    wanted = [s for s in states if win_within(game, s, moves) and not (moves == 3 and win_within(game, s, 1))]
    assert len(wanted) > 5
    tree = search(game, np.array(wanted), indifferent(9), 1500, Puct())
    for state, visits in zip(wanted, tree.root_visits, strict=True):
        child = game.play(state, int(visits.argmax()))
        won = game.over(child[None])[0] and game.result(child[None])[0] == 1 - 2 * game.to_move(state[None])[0]
        assert won or not _escapes(game, child, 9), game.draw(state)
    assert (tree.root_value > 0.5).all()


# ---- evaluations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, size", [("tictactoe", {}), ("hex", {"size": 3}), ("hex", {"size": 3, "swap": True})])
def test_finished_positions_cost_no_evaluation_and_leave_no_holes(name, size):
    game = make(name, **size)
    states = random_positions(game, 60, seed=4)
    budgets = np.random.default_rng(0).integers(1, 120, 60)
    seen, evaluate = [], HashEvaluator(game.num_actions)

    def watch(planes):
        seen.append(planes.copy())
        return evaluate(planes)

    tree = search(game, states, watch, budgets, Puct())
    assert (tree.simulations == budgets).all()
    assert (tree.evaluations < budgets).any()
    # One call per evaluation of the hungriest row, and each row in every call until it has all it needs.
    assert len(seen) == tree.evaluations.max()
    assert [len(planes) for planes in seen] == [(tree.evaluations > k).sum() for k in range(len(seen))]
    unfinished = {planes.tobytes() for planes in game.observe(_all_unfinished(game))}
    assert all(row.tobytes() in unfinished for planes in seen for row in planes)


def _all_unfinished(game):
    states = {game.reset(1)[0].tobytes(): game.reset(1)[0]}
    new = list(states.values())
    while new:
        following = []
        for state in new:
            for action in np.flatnonzero(game.legal(state[None])[0]):
                child = state[None].copy()
                game.advance(child, np.array([action]))
                if not game.over(child)[0] and child.tobytes() not in states:
                    states[child.tobytes()] = child[0]
                    following.append(child[0])
        new = following
    return np.array(list(states.values()))


def test_a_solved_root_spends_its_budget_without_the_network():
    game = make("tictactoe")
    state = game.parse("x o x x o o o x .")[None]
    evaluate = HashEvaluator(9)
    tree = search(game, state, evaluate, 100, Puct())
    assert (tree.simulations[0], tree.evaluations[0], len(evaluate.batches)) == (100, 1, 1)
    assert tree.root_visits[0].tolist() == [0] * 8 + [99]
    assert tree.root_value[0] == (evaluate(game.observe(state))[1][0] + 0 * 99) / np.float32(100)


def test_budgets_of_their_own_cost_what_they_say():
    game = make("hex", size=5)
    budgets = np.array([1, 2, 3, 64])
    tree = search(game, game.reset(4), HashEvaluator(25), budgets, Puct())
    assert tree.simulations.tolist() == budgets.tolist()
    assert tree.root_visits.sum(1).tolist() == (budgets - 1).tolist()


# ---- rows ----------------------------------------------------------------------------------------------------------


def _answers(tree):
    return np.column_stack([tree.root_visits, tree.root_value, tree.root_prior, tree.evaluations])


@pytest.mark.parametrize("noise", [0.0, 0.25])
def test_rows_do_not_depend_on_their_batch(noise):
    game = make("hex", size=4)
    states, evaluate = random_positions(game, 40, seed=6), HashEvaluator(16)
    budgets = np.random.default_rng(1).integers(1, 50, 40)

    def run(rows):
        streams = seed_streams(7, rows)
        answers = _answers(search(game, states[rows], evaluate, budgets[rows], Puct(noise=noise), streams))
        return np.column_stack([answers, streams])

    everything = run(np.arange(40))
    order = np.random.default_rng(2).permutation(40)
    np.testing.assert_array_equal(run(order), everything[order])
    np.testing.assert_array_equal(np.vstack([run(np.arange(13)), run(np.arange(13, 40))]), everything)
    for b in (0, 7, 39):
        np.testing.assert_array_equal(run(np.array([b])), everything[[b]])
    padded = np.concatenate([np.arange(40), np.zeros(25, int)])
    np.testing.assert_array_equal(run(padded)[:40], everything)


@pytest.mark.parametrize("width, depth", [(1, 1), (8, 2), (64, 2), (256, 4)])
def test_rows_do_not_depend_on_their_batch_with_a_network(width, depth):
    game = make("hex", size=5)
    network = make_network("fc", game, seed=3, width=width, depth=depth)
    for block in network.blocks:
        block.alpha.data.fill_(0.5)
    evaluate = NetworkEvaluator(network)
    states = random_positions(game, 150, seed=8)
    everything = _answers(search(game, states, evaluate, 24, Puct()))
    for rows in ([0], [3, 4], np.arange(7), np.arange(8), np.arange(20, 53), np.arange(149, 0, -1)):
        np.testing.assert_array_equal(_answers(search(game, states[rows], evaluate, 24, Puct())), everything[rows])


# ---- noise ---------------------------------------------------------------------------------------------------------


def test_noise_is_mixed_into_the_root_only_when_asked():
    game = make("hex", size=3)
    streams = seed_streams(0, np.arange(5))
    before = streams.copy()
    plain = search(game, game.reset(5), HashEvaluator(9), 1, Puct(), streams)
    np.testing.assert_array_equal(streams, before)
    assert (plain.root_prior == plain.root_prior[0]).all()
    noisy = search(game, game.reset(5), HashEvaluator(9), 1, Puct(noise=0.25), streams)
    assert (streams != before).all()
    assert len(np.unique(noisy.root_prior, axis=0)) == 5
    again = search(game, game.reset(5), HashEvaluator(9), 1, Puct(noise=0.25), before)
    np.testing.assert_array_equal(noisy.root_prior, again.root_prior)


@pytest.mark.parametrize("concentration", [1.0, 10.0, 300.0])
def test_noise_has_the_moments_of_a_dirichlet_distribution(concentration):
    game, count, share = make("hex", size=3), 20_000, 0.25
    states = np.repeat(game.play(game.reset(1)[0], 0, 4)[None], count, 0)
    settings = Puct(noise=share, noise_concentration=concentration)
    tree = search(game, states, indifferent(9), 1, settings, seed_streams(1, np.arange(count)))
    legal = game.legal(states[:1])[0]
    assert (tree.root_prior[:, ~legal] == 0).all()
    noise = (tree.root_prior[:, legal].astype(float) - (1 - share) / 7) / share
    np.testing.assert_allclose(noise.sum(1), 1, atol=1e-5)
    variance = (1 / 7) * (6 / 7) / (concentration + 1)  # each share is Beta(conc / 7, 6 conc / 7)
    np.testing.assert_allclose(noise.mean(0), 1 / 7, atol=5 * np.sqrt(variance / count))
    np.testing.assert_allclose(noise.var(0), variance, rtol=0.08)
    correlation = np.corrcoef(noise.T)[np.triu_indices(7, 1)]
    np.testing.assert_allclose(correlation, -1 / 6, atol=0.04)


def test_the_smallest_concentration_allowed_still_gives_a_distribution():
    game = make("hex", size=5)
    settings = Puct(noise=0.25, noise_concentration=0.1)
    tree = search(game, game.reset(300), HashEvaluator(25), 1, settings, seed_streams(1, np.arange(300)))
    np.testing.assert_allclose(tree.root_prior.sum(1), 1, rtol=1e-5)


# ---- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [Puct, Regularised])
def test_noise_that_may_be_no_number_is_refused(rule):
    with pytest.raises(RuleError, match=r"noise_concentration=0\.01 cannot be: expected at least 0.1"):
        rule(noise=0.25, noise_concentration=0.01)


def test_what_cannot_be_searched_is_refused():
    game = make("tictactoe")
    states = game.reset(2)
    with pytest.raises(ValueError, match="budget 0"):
        search(game, states, indifferent(9), 0, Puct())
    with pytest.raises(ValueError, match="budget -3"):
        search(game, states, indifferent(9), np.array([4, -3]), Puct())
    with pytest.raises(ValueError, match="random streams"):
        search(game, states, indifferent(9), 4, Puct(noise=0.25))
    states[1] = game.parse("x x x o o . . . .")
    with pytest.raises(ValueError, match="row 1 is a finished game"):
        search(game, states, indifferent(9), 4, Puct())


def test_no_rows_are_no_work():
    game = make("tictactoe")
    tree = search(game, game.reset(0), HashEvaluator(9), 5, Puct())
    assert tree.root_visits.shape == (0, 9) and tree.root_value.shape == (0,)


@pytest.mark.parametrize("rule", [Puct(), Gumbel(), Regularised()], ids=str)
def test_a_budget_of_one_is_the_raw_network_to_the_last_bit(rule):
    for game in (make("tictactoe"), make("hex", size=3, swap=True)):
        states, evaluate = random_positions(game, 50, seed=3), HashEvaluator(game.num_actions)
        found = search(game, states, evaluate, 1, rule)
        values = evaluate(game.observe(states))[1]
        np.testing.assert_array_equal(found.policy(), found.root_prior)
        np.testing.assert_array_equal(found.root_value, values)
        prior = found.root_prior
        assert (np.take_along_axis(prior, found.choose()[:, None], axis=1)[:, 0] == prior.max(1)).all()
        assert (found.evaluations == 1).all() and (found.root_visits == 0).all()


def only_free(monkeypatch, count):
    """Let `count` bytes of memory be free."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=count))


@pytest.fixture
def half_a_gigabyte(monkeypatch):
    """A machine with little memory left, on which trees are not really allocated."""
    only_free(monkeypatch, 2**29)
    module = sys.modules["mcts.search"]  # the name mcts.search is the function's
    monkeypatch.setattr(module, "allocate", lambda states, nodes, actions: (len(states), nodes, actions))


@pytest.mark.parametrize("rows", [1, 3, 700, 12_345])
def test_the_largest_budget_that_fits_is_named_and_right(half_a_gigabyte, rows):
    game = make("hex", size=5)
    states = game.reset(rows)
    with pytest.raises(ValueError, match="the largest budget that fits is") as refused:
        Search(game, states, Puct(), 10**12)
    assert "\n" not in str(refused.value) and "hex5" in str(refused.value)
    largest = int(str(refused.value).split()[-1])
    assert Search(game, states, Puct(), largest).tree == (rows, largest, 25)
    with pytest.raises(ValueError, match=f"budget {largest + 1} cannot be.*fits is {largest}$"):
        Search(game, states, Puct(), largest + 1)
    needed = [rows * bytes_per_tree(nodes, 25, states[0].nbytes) for nodes in (largest, largest + 1)]
    assert needed[0] <= 2**29 < needed[1]


def test_what_is_named_is_right_when_next_to_nothing_is_free(monkeypatch):
    game = make("hex", size=5)
    only_free(monkeypatch, 1000)
    with pytest.raises(ValueError, match="fits is") as refused:
        Search(game, game.reset(1), Puct(), 10**9)
    largest = int(str(refused.value).split()[-1])
    assert Search(game, game.reset(1), Puct(), largest).tree.nodes.shape == (1, largest)
    with pytest.raises(ValueError, match=f"fits is {largest}$"):
        Search(game, game.reset(1), Puct(), largest + 1)


@pytest.mark.parametrize("budget", [10**7, 2**31 - 1])
def test_a_users_strategy_refuses_in_the_same_line(half_a_gigabyte, budget):
    game = make("tictactoe")
    for name in ("puct", "gumbel", "regularised"):
        strategy = make_strategy(name, game, HashEvaluator(9))
        with pytest.raises(ValueError, match=f"^budget {budget} cannot be: .*largest budget that fits is [1-9][0-9]*$"):
            strategy.decide(game.reset(4), np.full(4, budget), seed_streams(0, np.arange(4)))


@pytest.mark.parametrize("budget", [0, -5])
def test_a_users_strategy_refuses_budgets_below_one(budget):
    game = make("tictactoe")
    for name in ("puct", "gumbel", "regularised"):
        strategy = make_strategy(name, game, HashEvaluator(9))
        with pytest.raises(ValueError, match=rf"^budget {budget} cannot be: a search needs at least 1 evaluation"):
            strategy.decide(game.reset(2), np.array([4, budget]), seed_streams(0, np.arange(2)))


def test_going_on_is_refused_beyond_the_room_and_for_no_leaves():
    game = make("tictactoe")
    begun = Search(game, game.reset(2), Puct(), 10)
    for budget in (11, 10**12):
        with pytest.raises(ValueError, match=f"budget {budget} cannot be: this search has room for 10"):
            begun.run(indifferent(9), budget)
    with pytest.raises(ValueError, match="leaves=0"):
        begun.run(indifferent(9), 5, leaves=0)
    for rule in (Gumbel(noise=1.0), Regularised()):
        with pytest.raises(ValueError, match="random streams"):
            search(game, game.reset(2), indifferent(9), 5, rule)
