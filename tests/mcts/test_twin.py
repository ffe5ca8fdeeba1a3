"""The search and its slow twin agree in visits, values, evaluations and simulations on hundreds of positions."""

import numpy as np
import pytest
from evaluators import HashEvaluator, random_positions
from search_twin import TwinSearch

from games import make
from mcts import Puct, search

GAMES = [
    ("tictactoe", {}),
    ("hex", {"size": 2, "swap": True}),
    ("hex", {"size": 3}),
    ("hex", {"size": 3, "swap": True}),
    ("hex", {"size": 4}),
    ("hex", {"size": 4, "swap": True}),
    ("hex", {"size": 5}),
    ("hex", {"size": 5, "swap": True}),
]
SETTINGS = [Puct(), Puct(c=0.3, fpu_reduction=0.0), Puct(c=4.0, fpu_reduction=1.0), Puct(c=1.25, fpu_reduction=0.2)]


def agree(game, states, budgets, settings, grain, seed):
    tree = search(game, states, HashEvaluator(game.num_actions, seed, grain), budgets, settings)
    slow = HashEvaluator(game.num_actions, seed, grain)
    for b, state in enumerate(states):
        twin = TwinSearch(game, state, slow, settings).run(int(np.broadcast_to(budgets, len(states))[b]))
        where = f"{game.title} row {b}\n{game.draw(state)}"
        np.testing.assert_array_equal(tree.root_visits[b], twin.visits, where)
        assert tree.root_value[b] == twin.root.mean(), where
        assert (tree.evaluations[b], tree.simulations[b]) == (twin.evaluations, twin.simulations), where


@pytest.mark.parametrize("name, size", GAMES, ids=str)
@pytest.mark.parametrize("k", range(len(SETTINGS)))
def test_search_is_its_twin_on_random_positions(name, size, k):
    game = make(name, **size)
    states = random_positions(game, 12, seed=k)
    budgets = np.random.default_rng(k).integers(1, 60, len(states))  # a budget of its own for each row
    agree(game, states, budgets, SETTINGS[k], grain=997, seed=k)


@pytest.mark.parametrize("name, size", GAMES, ids=str)
def test_search_is_its_twin_where_priors_and_values_tie(name, size):
    game = make(name, **size)
    states = random_positions(game, 8, seed=99)
    for grain in (1, 2, 3):
        agree(game, states, 40, Puct(c=1.0, fpu_reduction=0.25), grain, seed=grain)
        agree(
            game, states, 20, Puct(c=0.0, fpu_reduction=0.0), grain, seed=grain
        )  # an untried action ties with tried ones


def test_search_is_its_twin_with_a_large_budget_near_the_end_of_games():
    game = make("tictactoe")
    states = game.parse("x o x . o . . . .")[None]
    agree(game, np.repeat(states, 3, 0), np.array([1, 50, 500]), Puct(), grain=997, seed=5)


def test_small_selection_for_the_run_without_the_compiler():
    for name, size in (GAMES[0], GAMES[3]):
        game = make(name, **size)
        agree(game, random_positions(game, 4, seed=1), np.array([1, 7, 20, 30]), Puct(), grain=997, seed=3)
