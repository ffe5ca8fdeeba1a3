"""Random games of Othello, Y, Pentago and Go against OpenSpiel's rules.

The suite plays some hundred games of each size. Ten thousand of each, some minutes:

    ISOELO_GAMES=10000 python -m pytest tests/games/test_openspiel_b.py -q
"""

import numpy as np
import pyspiel
import pytest
from test_openspiel import games, play_side_by_side

from games import make

# ---- Othello -------------------------------------------------------------------------------------------------------


def test_othello():
    game = make("othello", size=8)
    reference = pyspiel.load_game(game.openspiel_id)
    assert reference.num_distinct_actions() == game.num_actions and reference.max_game_length() >= game.max_length
    ended = {}

    def same_board(state, other):
        ours = [line.split()[1:] for line in game.draw(state).splitlines()[1:-1]]
        theirs = [line.split()[1:-1] for line in str(other).replace("-", ".").splitlines()[2:10]]
        assert ours == theirs
        if other.is_terminal():
            ended[id(other)] = (64 in other.history(), any("." in row for row in ours))

    lengths = play_side_by_side(game, reference, games(150), 0, same_board=same_board)
    passed, holes = np.sum(list(ended.values()), axis=0)
    assert passed > len(ended) / 4 and holes > 0 and lengths.max() > 60  # some end before the board is full


# ---- Y -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "count"), [(2, 50), (3, 200), (4, 200), (5, 150), (7, 60), (9, 30), (11, 20)])
def test_y(size, count):
    game = make("y", size=size)
    reference = pyspiel.load_game(game.openspiel_id)
    assert reference.num_distinct_actions() == game.num_actions and reference.max_game_length() == game.max_length

    def same_board(state, other):
        ours = [line.split()[1:] for line in game.draw(state).splitlines()[1:-1]]
        theirs = str(other).translate(str.maketrans("O@[]", "xo  ")).splitlines()[1:]  # [ ] mark the last move
        assert ours == [line.split()[1:] for line in theirs[:size]]

    lengths = play_side_by_side(game, reference, games(count), size, same_board=same_board if size < 6 else None)
    assert size < 4 or 2 * size - 1 <= lengths.max() <= game.max_length
    assert size > 5 or lengths.max() == game.max_length  # the bound is reached


# ---- Pentago -------------------------------------------------------------------------------------------------------


def test_pentago():
    game = make("pentago")
    reference = pyspiel.load_game(game.openspiel_id)
    assert reference.num_distinct_actions() == game.num_actions and reference.max_game_length() == game.max_length
    ends = {}

    def same_board(state, other):
        ours = [line.split()[1:] for line in game.draw(state).splitlines()[1:-1]]
        theirs = [line[4:16].translate(str.maketrans("O@", "xo")).split() for line in str(other).splitlines()[2:8]]
        assert ours == theirs
        if other.is_terminal():
            ends[id(other)] = (other.returns()[0], len(other.history()))

    play_side_by_side(game, reference, games(100), 0, same_board=same_board)
    results, lengths = np.array(list(ends.values())).T
    assert {-1, 1} <= set(results) and lengths.max() == 36
    lost_by_own_turn = (results == np.where(lengths % 2, -1, 1)) & (lengths < 36)
    assert lost_by_own_turn.any() and (results == 0).any()
    assert len(results) < 10000 or ((results == 0) & (lengths < 36)).any()  # five of both at once


# ---- Go ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "komi", "count"), [(2, "0.5", 80), (3, "0", 150), (5, "7.5", 80), (7, "9.5", 15), (9, "6", 6)]
)
def test_go_where_repetitions_draw(size, komi, count):
    game = make("go", size=size, komi=komi, repetition="draw")
    reference = pyspiel.load_game(game.openspiel_id)
    assert reference.num_distinct_actions() == game.num_actions and reference.max_game_length() == game.max_length

    def same_board(state, other):
        ours = [line[3:].replace(" ", "") for line in game.draw(state).splitlines()[1:-2]]
        theirs = [line.split()[1] for line in str(other).splitlines()[2 : 2 + size]]
        assert ours == [line.translate(str.maketrans("XO+", "xo.")) for line in theirs[::-1]]

    lengths = play_side_by_side(game, reference, games(count), size, same_board=same_board if size < 6 else None)
    assert size > 5 or lengths.max() == game.max_length  # the limit is reached


@pytest.mark.parametrize(("size", "count"), [(2, 60), (3, 60), (4, 30), (5, 20), (9, 3)])
def test_go_where_repetitions_are_forbidden(size, count):
    """The legal moves are OpenSpiel's but for those that it answers with a draw; nothing else differs."""
    game = make("go", size=size, komi="0.5")
    reference = pyspiel.load_game(f"go(board_size={size},komi=0.5)")
    rng = np.random.default_rng(size)
    forbidden, every = 0, size < 4
    for number in range(games(count)):
        state, other = game.reset(1), reference.new_initial_state()
        while not other.is_terminal():
            legal = np.flatnonzero(game.legal(state)[0]).tolist()
            closed = set(other.legal_actions()) - set(legal)
            assert set(legal) <= set(other.legal_actions()) and game.to_move(state)[0] == other.current_player()
            forbidden += len(closed)
            for action in other.legal_actions() if every else closed:
                assert _draws(other.child(action)) == (action in closed)
            action = int(rng.choice(legal[:-1] if len(legal) > 1 and number % 2 else legal))
            other.apply_action(action)
            game.advance(state, np.array([action]))
        assert game.over(state)[0] and other.returns()[0] == game.result(state)[0] != 0
    assert forbidden > 0 or size > 4


def _draws(state):
    return state.is_terminal() and state.returns()[0] == 0  # with half a point of komi, by repetition only
