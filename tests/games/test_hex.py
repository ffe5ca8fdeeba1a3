"""Hex: boards drawn by hand, a slow twin, text, and input that must be refused."""

import hex_twin
import numpy as np
import pytest
from boards import edited

from games import HEADER, OVER, RESULT, TO_MOVE, GameError, make
from games.conformance import parametrize_with_checks
from games.enumeration import Enumeration
from games.exact import solver
from games.hex import winner_without

# ---- drawn boards --------------------------------------------------------------------------------------------------

EMPTY3 = """
   a b c
 1 . . .
  2 . . .
   3 . . .
x to move"""

X_WINS3 = """
   a b c
 1 . x .
  2 x o o
   3 x . .
x has won"""

O_WINS3 = """
   a b c
 1 x . o
  2 . o x
   3 o x .
o has won"""

FIRST_STONE = """
   a b c d
 1 . . . .
  2 . . . .
   3 x . . .
    4 . . . .
o to move or swap"""

SWAPPED = """
   a b c d
 1 . . o .
  2 . . . .
   3 . . . .
    4 . . . .
x to move"""

SWAPPED_THEN_X = """
   a b c d
 1 . x o .
  2 . . . .
   3 . . . .
    4 . . . .
o to move"""

NOT_SWAPPED = """
   a b c d
 1 . x o .
  2 . . . .
   3 . . . .
    4 . . . .
x to move"""


def cells(game, *names):
    actions = {game.action_text(action): action for action in range(game.num_actions)}
    return [actions[name] for name in names]


def played(game, *names):
    return game.play(game.reset(1)[0], *cells(game, *names))


@pytest.mark.parametrize(
    ("settings", "moves", "board"),
    [
        ({"size": 3}, "", EMPTY3),
        ({"size": 3}, "a3 b2 a2 c2 b1", X_WINS3),
        ({"size": 3}, "a1 a3 c2 c1 b3 b2", O_WINS3),
        ({"size": 4, "swap": True}, "a3", FIRST_STONE),
        ({"size": 4, "swap": True}, "a3 swap", SWAPPED),
        ({"size": 4, "swap": True}, "a3 swap b1", SWAPPED_THEN_X),
        ({"size": 4, "swap": True}, "b1 c1", NOT_SWAPPED),
    ],
)
def test_drawn_boards(settings, moves, board):
    game = make("hex", **settings)
    state = played(game, *moves.split())
    assert game.draw(state) == board.strip("\n")
    np.testing.assert_array_equal(game.parse(board), state)


def test_large_boards_keep_their_slant():
    game = make("hex", size=11)
    lines = game.draw(played(game, "a1", "k11")).splitlines()
    assert lines[0] == "   a b c d e f g h i j k"
    assert lines[1] == " 1 x . . . . . . . . . ."
    assert lines[9] == " " * 8 + " 9 . . . . . . . . . . ."
    assert lines[11] == " " * 10 + "11 . . . . . . . . . . o"


def test_the_six_neighbours():
    """b2 touches b1, c1, a2, c2, a3, b3, and neither a1 nor c3."""
    game = make("hex", size=3)
    for name in ("b1", "c1", "a2", "c2", "a3", "b3", "a1", "c3"):
        state = game.reset(1)[0]
        row, col = divmod(cells(game, name)[0], 3)
        for cell in (cells(game, name)[0], cells(game, "b2")[0]):
            state = game.play(state, cell)
            state[TO_MOVE] = 0
        joined = state[HEADER + 4] != 1  # b2 is inside: it has an edge only through its neighbour
        assert joined == (name not in ("a1", "c3") and row in (0, 2)), name
        assert state[HEADER + 3 * row + col] == {0: 3, 1: 1, 2: 5}[row]


def test_edges_spread_through_a_group():
    game = make("hex", size=5)
    state = played(game, "c3", "a5", "c4", "b5", "c2", "e5", "d1")
    x = state[HEADER:].reshape(5, 5)
    assert x[2, 2] == x[3, 2] == x[1, 2] == x[0, 3] == 3  # top, all four
    assert x[4, 0] == x[4, 1] == 4 and x[4, 4] == 6  # left, right
    state = game.play(state, *cells(game, "a1", "c5"))
    assert (state[OVER], state[RESULT], state[TO_MOVE]) == (1, 1, 1)
    assert state[HEADER:].reshape(5, 5)[4, 2] == 3
    assert not game.legal(state[None]).any()


def test_what_the_mover_sees():
    game = make("hex", size=3, swap=True)
    first = game.observe(played(game, "c1")[None])[0]
    np.testing.assert_array_equal(first[0], np.zeros((3, 3)))
    np.testing.assert_array_equal(first[1], [[0, 0, 0], [0, 0, 0], [1, 0, 0]])  # turned for player 1
    np.testing.assert_array_equal(first[2], np.ones((3, 3)))
    second = game.observe(played(game, "c1", "swap")[None])[0]
    np.testing.assert_array_equal(second, [first[0], first[1], np.zeros((3, 3))])
    assert game.views[1].tolist() == [0, 3, 6, 1, 4, 7, 2, 5, 8, 9]


def test_observation_holds_no_knowledge_of_edges():
    game = make("hex", size=5)
    state = played(game, "c3", "a5", "c4", "b5", "c2", "e5", "d1")
    plain = state.copy()
    stones = plain[HEADER:] > 0
    plain[HEADER:][stones] = 1 + (plain[HEADER:][stones] - 1) % 2
    np.testing.assert_array_equal(game.observe(state[None]), game.observe(plain[None]))


def test_titles_settings_and_actions():
    assert make("hex").settings == {"size": 5, "swap": False}
    assert make("hex", size=7).title == "hex7"
    game = make("hex", size=19, swap=True)
    assert (game.title, game.num_actions, game.max_length) == ("hex19-swap", 362, 362)
    assert [game.action_text(a) for a in (0, 18, 19, 360, 361)] == ["a1", "s1", "a2", "s19", "swap"]


# ---- the slow twin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(("size", "count"), [(2, 60), (3, 40), (4, 20), (5, 12), (8, 2), (13, 1)])
def test_random_games_agree_with_the_twin(size, count, swap):
    game = make("hex", size=size, swap=swap)
    rng = np.random.default_rng(size)
    for _ in range(count):
        state, twin = game.reset(1), hex_twin.SlowHex(size, swap)
        while twin.legal():
            assert np.flatnonzero(game.legal(state)[0]).tolist() == twin.legal()
            legal = twin.legal()
            action = legal[-1] if legal[-1] == size**2 and rng.random() < 0.5 else rng.choice(legal)
            twin.play(action)
            game.advance(state, np.array([action]))
            assert state[0, HEADER : HEADER + size**2].tolist() == twin.codes()
            assert state[0, TO_MOVE] == twin.player
            assert game.observe(state)[0, :2].tolist() == twin.views()
        assert game.result(state)[0] == 1 - 2 * twin.winner() and game.over(state)[0]


def test_full_boards_of_any_mixture_have_one_winner_and_it_is_the_twins():
    """Nash's theorem, and the order in which `winner_without` places stones does not matter."""
    rng = np.random.default_rng(0)
    for size in (2, 3, 5, 9):
        for _ in range(50):
            twin = hex_twin.SlowHex(size)
            stones = 1 + (rng.random(size * size) < 0.5).astype(np.int64)
            twin.stones = {divmod(cell, size): int(stones[cell]) - 1 for cell in range(size * size)}
            won = {player for cell, player in twin.stones.items() if twin.sides(cell) == {1, 2}}
            assert won == {winner_without(stones, size, size, -1)}


# ---- rectangles ----------------------------------------------------------------------------------------------------


@parametrize_with_checks([make("hex", rows=3, columns=5), make("hex", rows=4, columns=2)])
def test_rectangles_keep_every_promise(game, check):
    check(game, 0)


@pytest.mark.parametrize(("rows", "columns", "count"), [(2, 3, 30), (5, 3, 20), (4, 7, 8), (9, 2, 8)])
def test_rectangles_agree_with_the_twin(rows, columns, count):
    game = make("hex", rows=rows, columns=columns)
    rng = np.random.default_rng(0)
    for _ in range(count):
        state, twin = game.reset(1), hex_twin.SlowHex(rows, columns=columns)
        while twin.legal():
            assert np.flatnonzero(game.legal(state)[0]).tolist() == twin.legal()
            action = rng.choice(twin.legal())
            twin.play(action)
            game.advance(state, np.array([action]))
            assert state[0, HEADER:].tolist() == twin.codes()
            planes = game.observe(state)[0]
            assert planes[:2].tolist() == twin.views() and (planes[2] == 1 - twin.player).all()
        assert game.result(state)[0] == 1 - 2 * twin.winner() and game.over(state)[0]


@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (3, 2), (3, 4), (4, 3)])
def test_the_shorter_way_wins_even_as_second(rows, columns):
    game = make("hex", rows=rows, columns=columns)
    assert Enumeration(game).values(game.reset(1))[0] == (1 if rows < columns else -1)


def test_a_drawn_rectangle():
    game = make("hex", rows=2, columns=3)
    state = played(game, "b1", "b2", "a2")
    assert game.draw(state) == "   a b c\n 1 . x .\n  2 x o .\nx has won"
    np.testing.assert_array_equal(game.parse(game.draw(state)), state)
    assert (game.title, game.size, game.num_actions, game.max_length) == ("hex2x3", 3, 6, 6)
    assert game.views.tolist() == [[0, 1, 2, 3, 4, 5]] * 2
    upright = make("hex", rows=3, columns=2)
    with pytest.raises(GameError, match="expected 4 lines"):
        game.parse(upright.draw(upright.reset(1)[0]))


def test_equal_sides_are_a_square():
    game, square = make("hex", size=7, rows=4, columns=4), make("hex", size=4)
    assert game.settings == square.settings == {"size": 4, "swap": False}
    assert (game.params == square.params).all() and game.observation_shape == (2, 4, 4)
    assert make("hex", size=4, rows=3).title == "hex3x4"


def test_exact_play_refuses_rectangles():
    with pytest.raises(GameError, match="of square boards, not hex2x3"):
        solver(make("hex", rows=2, columns=3))


# ---- text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"size": 2, "swap": True}, {"size": 5}, {"size": 19, "swap": True}])
def test_text_round_trip(settings):
    game = make("hex", **settings)
    rng = np.random.default_rng(1)
    for _ in range(4):
        state = game.reset(1)[0]
        while not state[OVER]:
            state = game.play(state, rng.choice(np.flatnonzero(game.legal(state[None])[0])))
            if rng.random() < 0.2 or state[OVER]:
                np.testing.assert_array_equal(game.parse(game.draw(state)), state)


@pytest.mark.parametrize(
    ("settings", "text", "words"),
    [
        ({"size": 3}, "", "expected 5 lines"),
        ({"size": 4}, EMPTY3, "expected 6 lines"),
        ({"size": 3}, edited(EMPTY3, ("a b c", "a b d")), "expected the letters a b c"),
        ({"size": 3}, edited(EMPTY3, ("2 . . .", "2 . . z")), "row 2 must be its number and 3 of"),
        ({"size": 3}, edited(EMPTY3, ("2 . . .", "2 . .")), "row 2 must be"),
        ({"size": 3}, edited(EMPTY3, ("2 . . .", "4 . . .")), "row 2 must be"),
        ({"size": 3}, edited(EMPTY3, ("x to move", "z to move")), "the last line must be one of 'x to move'"),
        ({"size": 3}, edited(EMPTY3, ("x to", "o to")), "0 x and 0 o cannot be with o to move"),
        ({"size": 3}, edited(EMPTY3, ("1 . . .", "1 x x .")), "2 x and 0 o cannot be"),
        ({"size": 3}, edited(EMPTY3, ("1 . . .", "1 . o .")), "0 x and 1 o cannot be with x to move"),
        ({"size": 3}, edited(EMPTY3, ("x to move", "x has won")), "0 x and 0 o cannot be with o to move"),
        ({"size": 3}, edited(X_WINS3, ("x has won", "o to move")), "the last line must be 'x has won'"),
        ({"size": 3}, edited(EMPTY3, ("1 . . .", "1 x . ."), ("x to move", "x has won")), "must be 'o to move'"),
        ({"size": 3}, edited(X_WINS3, ("3 x . .", "3 x o ."), ("x has won", "x to move")), "must be 'o has won'"),
        ({"size": 3}, edited(X_WINS3, ("3 x . .", "3 x o ."), ("x has won", "o has won")), "x has connected"),
        ({"size": 4, "swap": True}, edited(FIRST_STONE, (" or swap", "")), "must be 'o to move or swap'"),
        ({"size": 4, "swap": True}, edited(SWAPPED_THEN_X, ("o to move", "o to move or swap")), "must be 'o to move'"),
        ({"size": 4, "swap": True}, edited(SWAPPED, ("o .\n", ". .\n"), ("x to", "o to")), "0 x and 0 o"),
        ({"size": 4}, SWAPPED, "0 x and 1 o cannot be"),
        ({"size": 4}, FIRST_STONE, "must be 'o to move'"),
    ],
)
def test_text_that_is_no_position_is_refused(settings, text, words):
    with pytest.raises(GameError) as caught:
        make("hex", **settings).parse(text)
    assert words in str(caught.value).splitlines()[0]


WON_TWICE = """
   a b c d
 1 x o x o
  2 x o x o
   3 x o x o
    4 x o x .
x has won"""


def test_a_board_won_before_the_last_move_is_refused():
    with pytest.raises(GameError, match="x had connected before the last move"):
        make("hex", size=4).parse(WON_TWICE)


# ---- settings and moves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 1}, "size=1 cannot be: expected an integer from 2 to 19"),
        ({"size": 20}, "size=20"),
        ({"size": 5.0}, "size=5.0"),
        ({"size": "5"}, "size='5'"),
        ({"size": True}, "size=True"),
        ({"swap": 1}, "swap=1 cannot be: expected true or false"),
        ({"swap": "yes"}, "swap='yes'"),
        ({"board_size": 5}, "no setting 'board_size': it takes size, swap, rows, columns"),
        ({"rows": 20}, "rows=20 cannot be: expected an integer from 2 to 19"),
        ({"columns": 1}, "columns=1"),
        ({"size": 1, "rows": 3, "columns": 4}, "size=1 cannot be"),
        ({"rows": 3, "swap": True}, "swap=True cannot be on 3 x 5"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(GameError) as caught:
        make("hex", **settings)
    assert words in str(caught.value)


def test_illegal_moves_are_refused():
    game = make("hex", size=3, swap=True)
    with pytest.raises(GameError, match="action 9 is not legal in hex3-swap"):
        played(game, "swap")
    with pytest.raises(GameError, match="action 9 is not legal"):
        played(game, "a1", "b1", "swap")
    with pytest.raises(GameError, match="action 0 is not legal"):
        played(game, "a1", "a1")
    with pytest.raises(GameError, match="the game is over"):
        played(make("hex", size=3), "a3", "b2", "a2", "c2", "b1", "c1")
