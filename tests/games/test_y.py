"""Y: boards drawn by hand, a slow twin, values of small boards, text, and input that must be refused."""

import os

import numpy as np
import pytest
from boards import edited, play_beside
from y_twin import SlowY

from games import HEADER, OVER, RESULT, TO_MOVE, GameError, make
from games.conformance import check_game
from games.enumeration import Enumeration
from games.y import winner_without

# ---- drawn boards --------------------------------------------------------------------------------------------------

EMPTY3 = """
   a b c
 1 . . .
  2 . .
   3 .
x to move"""

# A corner and the opposite side are enough: the corner lies on two sides.
X_WINS3 = """
   a b c
 1 x x x
  2 o o
   3 .
x has won"""

O_WINS4 = """
   a b c d
 1 x . o x
  2 . o x
   3 o x
    4 o
o has won"""

TWO_SIDES4 = """
   a b c d
 1 . . x .
  2 o x .
   3 . .
    4 o
x to move"""


def cells(game, *names):
    actions = {game.action_text(action): action for action in range(game.num_actions)}
    return [actions[name] for name in names]


def played(game, names):
    return game.play(game.reset(1)[0], *cells(game, *names.split()))


@pytest.mark.parametrize(
    ("size", "moves", "board"),
    [
        (3, "", EMPTY3),
        (3, "a1 a2 b1 b2 c1", X_WINS3),
        (4, "a1 c1 d1 b2 c2 a3 b3 a4", O_WINS4),
        (4, "c1 a2 b2 a4", TWO_SIDES4),
    ],
)
def test_drawn_boards(size, moves, board):
    game = make("y", size=size)
    state = played(game, moves)
    assert game.draw(state) == board.strip("\n")
    np.testing.assert_array_equal(game.parse(board), state)


@pytest.mark.parametrize(
    ("moves", "sides"),
    [("a1", 3), ("a5", 5), ("e1", 6), ("c1", 2), ("a3", 1), ("c3", 4), ("d2", 4), ("b2", 0), ("c2", 0)],
)
def test_the_sides_of_each_edge_and_corner(moves, sides):
    state = played(make("y", size=5), moves)
    assert state[HEADER:].max() == 1 + 2 * sides


def test_the_six_neighbours():
    """b2 touches b1, c1, a2, c2, a3, b3, and neither a1 nor d1: it takes over their sides."""
    game = make("y", size=5)
    for name in ("b1", "c1", "a2", "c2", "a3", "b3", "a1", "d1", "c3", "a4"):
        touches = name not in ("a1", "d1", "c3", "a4")
        with_edge = game.play(played(game, "e1"), *cells(game, name, "a5", "b2"))  # o has name and b2
        own = with_edge[HEADER + cells(game, name)[0]]
        assert (with_edge[HEADER + 6] == own) == touches or own == 2, name


def test_the_end():
    game = make("y", size=3)
    state = played(game, "a1 a2 b1 b2 c1")
    assert (state[OVER], state[RESULT], state[TO_MOVE]) == (1, 1, 1)
    assert not game.legal(state[None]).any()
    with pytest.raises(GameError, match="the game is over"):
        game.play(state, 6)
    with pytest.raises(GameError, match="action 8 is not legal in y3"):
        game.play(game.reset(1)[0], 8)  # off the board


def test_what_the_mover_sees():
    game = make("y", size=3)
    planes = game.observe(played(game, "c1 a3 b2")[None])[0]
    assert np.argwhere(planes[0]).tolist() == [[2, 0]]  # o
    assert np.argwhere(planes[1]).tolist() == [[0, 2], [1, 1]]  # x; zero off the board


# ---- the slow twin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "count"), [(2, 20), (3, 40), (4, 20), (5, 8), (8, 1)])
def test_random_games_agree_with_the_twin(size, count):
    game = make("y", size=size)
    rng = np.random.default_rng(size)
    for _ in range(int(os.environ.get("ISOELO_TWIN_GAMES", count))):
        twin = SlowY(size)

        def same_codes(state, twin=twin):
            assert state[0, HEADER:].tolist() == twin.codes()

        play_beside(game, twin, rng, same_codes)
        assert twin.winner() is not None


def test_full_boards_of_any_mixture_have_one_winner_and_it_is_the_twins():
    rng = np.random.default_rng(0)
    for size in (2, 3, 5, 7):
        twin, params = SlowY(size), make("y", size=size).params
        for _ in range(10):
            stones = np.zeros(size * size, np.int64)
            twin.stones = {cell: int(rng.random() < 0.5) for cell in twin.cells}
            for (row, col), player in twin.stones.items():
                stones[row * size + col] = 1 + player
            won = {player for cell, player in twin.stones.items() if twin.sides(cell) == 7}
            assert won == {winner_without(stones, params, -1)}


def test_the_first_player_wins_small_boards():
    """As the argument says. On side 3 the middle of a side wins and a corner loses."""
    for size in (2, 3, 4):
        game = make("y", size=size)
        exact = Enumeration(game)
        assert exact.values(game.reset(1)) == [1]
        if size == 3:
            assert np.flatnonzero(exact.action_values(game.reset(1))[0] == 1).tolist() == cells(game, "b1", "a2", "b2")


# ---- promises, settings, text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 5, 11])
def test_promises(size):
    check_game(make("y", size=size))


def test_settings_titles_and_actions():
    assert make("y").settings == {"size": 7}
    game = make("y", size=5)
    assert (game.title, game.num_actions, game.max_length, game.can_draw) == ("y5", 25, 15, False)
    assert [game.action_text(a) for a in (0, 4, 8, 20)] == ["a1", "e1", "d2", "a5"]
    assert len(game.symmetries.actions) == 6


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 1}, "size=1 cannot be: expected an integer from 2 to 19"),
        ({"size": 20}, "size=20"),
        ({"size": "5"}, "size='5'"),
        ({"swap": True}, "no setting 'swap': it takes size"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(GameError) as caught:
        make("y", **settings)
    assert words in str(caught.value)


WON_TWICE = """
   a b c d e f
 1 x x x x x x
  2 x x x x x
   3 o o o o
    4 o o o
     5 o o
      6 o
x has won"""


@pytest.mark.parametrize(
    ("size", "text", "words"),
    [
        (3, "", "expected 5 lines"),
        (4, EMPTY3, "expected 6 lines"),
        (3, edited(EMPTY3, ("a b c", "a b d")), "expected the letters a b c"),
        (3, edited(EMPTY3, ("2 . .", "2 . . .")), "row 2 must be its number and 2 of"),
        (3, edited(EMPTY3, ("2 . .", "2 . z")), "row 2 must be"),
        (3, edited(EMPTY3, ("x to move", "z to move")), "the last line must be one of 'x to move'"),
        (3, edited(EMPTY3, ("x to", "o to")), "0 x and 0 o cannot be with o to move"),
        (3, edited(X_WINS3, ("2 o o", "2 o .")), "3 x and 1 o cannot be"),
        (3, edited(X_WINS3, ("x has won", "o to move")), "the last line must be 'x has won'"),
        (3, edited(X_WINS3, ("3 .", "3 o"), ("x has", "o has")), "x has connected, so x must have moved last"),
        (6, WON_TWICE, "x had connected before the last move"),
    ],
)
def test_text_that_is_no_position_is_refused(size, text, words):
    with pytest.raises(GameError) as caught:
        make("y", size=size).parse(text)
    assert words in str(caught.value).splitlines()[0]
