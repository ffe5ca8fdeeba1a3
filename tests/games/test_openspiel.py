"""Thousands of random games against OpenSpiel's rules: the same moves, turns, boards, results and lengths.

Here Hex and tic-tac-toe. The counts are those of the suite. Ten thousand games of each, in the files beside too:

    ISOELO_GAMES=10000 python -m pytest tests/games/test_openspiel.py -q -n0
"""

import os

import numpy as np
import pyspiel
import pytest

from games import make

GAMES = int(os.environ.get("ISOELO_GAMES", 0))


def games(count):
    """How many games to play: `count`, or what ISOELO_GAMES says."""
    return GAMES or count


def play_side_by_side(game, reference, count, seed, eager=None, same_board=None):
    """Play `count` random games of both and compare them at every ply; returns the number of plies of each game.

    The action `eager` is taken in every other game that allows it; `same_board(state, other)` may assert more.
    """
    rng = np.random.default_rng(seed)
    states, references = game.reset(count), [reference.new_initial_state() for _ in range(count)]
    while True:
        masks, movers, over, results = game.legal(states), game.to_move(states), game.over(states), game.result(states)
        actions = np.full(count, -1)
        for b, other in enumerate(references):
            assert other.is_terminal() == over[b]
            legal = np.flatnonzero(masks[b])
            assert other.legal_actions() == legal.tolist()
            if same_board is not None:
                same_board(states[b], other)
            if over[b]:
                assert other.returns() == [results[b], -results[b]]
                continue
            assert results[b] == 0 and other.current_player() == movers[b]
            actions[b] = eager if eager in legal and b % 2 else rng.choice(legal)
            other.apply_action(int(actions[b]))
        running = actions >= 0
        if not running.any():
            return np.array([len(other.history()) for other in references])
        moved = states[running]
        game.advance(moved, actions[running])
        states[running] = moved


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(
    ("size", "count"),
    [(2, 400), (3, 400), (4, 400), (5, 300), (6, 200), (7, 100), (8, 80), (9, 60), (10, 50), (11, 40)],
)
def test_hex(size, count, swap):
    game = make("hex", size=size, swap=swap)
    reference = pyspiel.load_game(f"hex(board_size={size},swap={swap})")
    assert reference.num_distinct_actions() == game.num_actions
    lengths = play_side_by_side(game, reference, games(count), size, eager=size**2 if swap else None)
    assert 2 * size - 1 <= lengths.max() <= game.max_length
    if size <= 5:  # the bound is reached
        assert lengths.max() == game.max_length


@pytest.mark.parametrize(("size", "swap"), [(2, True), (3, False), (5, True), (7, False)])
def test_hex_boards(size, swap):
    game = make("hex", size=size, swap=swap)

    def same_board(state, other):
        ours = [line.split()[1:] for line in game.draw(state).splitlines()[1:-1]]
        theirs = [line.split() for line in other.to_string().replace("X", "x").replace("O", "o").splitlines()]
        assert ours == theirs

    reference = pyspiel.load_game(f"hex(board_size={size},swap={swap})")
    play_side_by_side(game, reference, 40, 1, eager=size**2 if swap else None, same_board=same_board)


def test_tictactoe():
    game = make("tictactoe")

    def same_board(state, other):
        assert game.draw(state).replace(" ", "") == str(other)

    play_side_by_side(game, pyspiel.load_game("tic_tac_toe"), games(2000), 0, same_board=same_board)
