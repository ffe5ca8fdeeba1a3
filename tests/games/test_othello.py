"""Othello: boards drawn by hand, a slow twin, known counts and values, text, and input that must be refused."""

import os

import numpy as np
import pytest
from boards import edited
from othello_twin import SlowOthello

from games import OVER, RESULT, TO_MOVE, GameError, make
from games.conformance import check_game
from games.enumeration import expand

# ---- drawn boards --------------------------------------------------------------------------------------------------

FIRST = """
   a b c d e f
 1 . . . . . .
 2 . . . . . .
 3 . . o x . .
 4 . . x o . .
 5 . . . . . .
 6 . . . . . .
x to move"""

STUCK = """
   a b c d
 1 o x x x
 2 . x x .
 3 x x x .
 4 . . . x
x has won"""

MUST_PASS = """
   a b c d
 1 o x x x
 2 . x x .
 3 x x o .
 4 . . . .
o to move"""

DRAWN = """
   a b c d
 1 o o o x
 2 . o o .
 3 o x x x
 4 o x x x
drawn"""

WIPED_OUT = """
   a b c d e f g h
 1 . . . . . . . .
 2 . . . . . . . .
 3 . . . . x . . .
 4 . . . x x x . .
 5 . . x x x x x .
 6 . . . x x x . .
 7 . . . . x . . .
 8 . . . . . . . .
x has won"""


def actions(game, names):
    numbers = {game.action_text(action): action for action in range(game.num_actions)}
    return [numbers[name] for name in names.split()]


def played(game, names):
    return game.play(game.reset(1)[0], *actions(game, names))


@pytest.mark.parametrize(
    ("size", "moves", "board", "result"),
    [
        (6, "", FIRST, None),
        (4, "b1 c1 d1 a1 a3", MUST_PASS, None),
        (4, "b1 c1 d4 a1 d1 c4 d3 a4 b4 a3", DRAWN, 0),
        (4, "b1 c1 d1 a1 a3 pass d4", STUCK, 1),  # both have discs and empty cells, and nobody can turn anything
        (8, "e6 f4 e3 f6 g5 d6 e7 f5 c5", WIPED_OUT, 1),
    ],
)
def test_drawn_boards(size, moves, board, result):
    game = make("othello", size=size)
    state = played(game, moves)
    assert game.draw(state) == board.strip("\n")
    np.testing.assert_array_equal(game.parse(board), state)
    assert (state[OVER], state[RESULT]) == ((0, 0) if result is None else (1, result))
    assert game.legal(state[None]).any() == (result is None)


def test_a_pass_is_forced_and_only_where_there_is_no_move():
    game = make("othello", size=4)
    state = played(game, "b1 c1 d1 a1 a3")
    assert np.flatnonzero(game.legal(state[None])[0]).tolist() == [16]
    after = game.play(state, 16)
    assert after[TO_MOVE] == 0 and (after[3:5] == state[3:5]).all()
    with pytest.raises(GameError, match="action 16 is not legal in othello4"):
        played(game, "pass")
    with pytest.raises(GameError, match="action 16 is not legal in othello4"):
        game.play(after, 16)


def test_the_first_moves_and_what_the_mover_sees():
    game = make("othello", size=6)
    state = game.reset(1)
    assert np.flatnonzero(game.legal(state)[0]).tolist() == sorted(actions(game, "c2 b3 e4 d5"))
    after = played(game, "c2")
    planes = game.observe(after[None])[0]
    assert np.argwhere(planes[0]).tolist() == [[3, 3]]  # o, d4
    assert np.argwhere(planes[1]).tolist() == [[1, 2], [2, 2], [2, 3], [3, 2]]  # x


# ---- the slow twin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "count"), [(4, 120), (6, 20), (8, 5)])
def test_random_games_agree_with_the_twin(size, count):
    game = make("othello", size=size)
    rng = np.random.default_rng(size)
    passes = 0
    for _ in range(int(os.environ.get("ISOELO_GAMES", count))):
        state, twin = game.reset(1), SlowOthello(size)
        while legal := twin.legal():
            assert np.flatnonzero(game.legal(state)[0]).tolist() == legal
            assert state[0, TO_MOVE] == twin.player and not game.over(state)[0]
            assert game.observe(state)[0].tolist() == twin.views()
            action = rng.choice(legal)
            passes += action == size**2
            twin.play(action)
            game.advance(state, np.array([action]))
        assert game.over(state)[0] and game.result(state)[0] == twin.result()
    assert passes > 0


# ---- known counts and values ---------------------------------------------------------------------------------------


def leaves(game, depth):
    """Games of `depth` moves, passes counted; shorter games are left out."""
    states = game.reset(1)
    for _ in range(depth - 1):
        rows, moves = np.nonzero(game.legal(states))
        states = states[rows]
        game.advance(states, moves)
    return int(game.legal(states).sum())


@pytest.mark.parametrize(
    ("depth", "count"),
    [(1, 4), (2, 12), (3, 56), (4, 244), (5, 1396), (6, 8200), (7, 55092), (8, 390216), (9, 3005288)],
)
def test_the_counts_of_aart_bik(depth, count):
    """Perft of 8 x 8 Reversi, http://www.aartbik.com/MISC/reversi.html; passes begin at depth 9."""
    assert leaves(make("othello", size=8), depth) == count


@pytest.mark.skipif(not os.environ.get("ISOELO_PUBLISHED"), reason="ISOELO_PUBLISHED=1 runs this, half a minute")
def test_the_counts_of_aart_bik_once_games_end():
    """His leaves at depths 10 and 11 include games that have ended before: 228 after 9 moves, 584 after 10."""
    game = make("othello", size=8)
    states = game.reset(1)
    for _ in range(9):
        rows, moves = np.nonzero(game.legal(states))
        states = states[rows]
        game.advance(states, moves)
    ended = game.over(states).sum()
    assert (ended, game.legal(states).sum() + ended) == (228, 24571284)
    count = 0
    for part in np.array_split(states, 30):
        rows, moves = np.nonzero(game.legal(part))
        after = part[rows]
        game.advance(after, moves)
        ended += game.over(after).sum()
        count += game.legal(after).sum()
    assert (ended, count + ended) == (584, 212258800)


def test_all_of_4x4():
    """65,509 positions by move; the second player wins by 8 discs; the longest game has 17 moves, 5 of them passes."""
    game = make("othello", size=4)
    graph = expand(game, 100_000)
    states = graph.states
    assert (len(states), len(graph.layers) - 1) == (65509, 17)
    discs = np.bitwise_count(states[:, 3:5]).astype(int)
    lead = discs[:, 0] - discs[:, 1]
    over = states[:, OVER] == 1
    assert (np.sign(lead[over]) == states[over, RESULT]).all()
    assert (over & (discs.sum(axis=1) < 16)).sum() == 1256
    value = np.where(over, lead, 0)
    for begin, end in zip(graph.layers[-2::-1], graph.layers[:0:-1], strict=True):
        layer, starts = np.unique(graph.rows[begin:end], return_index=True)
        sign = 1 - 2 * states[:, TO_MOVE]
        best = value[graph.children[begin:end]] * sign[graph.rows[begin:end]]
        value[layer] = np.maximum.reduceat(best, starts) * sign[layer]
    assert value[0] == -8


# ---- promises, settings, text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [4, 6, 8])
def test_promises(size):
    check_game(make("othello", size=size))


def test_settings_titles_and_actions():
    assert make("othello").settings == {"size": 6}
    game = make("othello", size=8)
    assert (game.title, game.num_actions, game.max_length, game.can_draw) == ("othello8", 65, 119, True)
    assert [game.action_text(a) for a in (0, 19, 63, 64)] == ["a1", "d3", "h8", "pass"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 2}, "size=2 cannot be: expected an integer from 4 to 8"),
        ({"size": 10}, "size=10"),
        ({"size": 5}, "size=5 cannot be: expected 4, 6 or 8"),
        ({"size": "6"}, "size='6'"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(GameError) as caught:
        make("othello", **settings)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("size", "text", "words"),
    [
        (6, "", "expected 8 lines"),
        (4, FIRST, "expected 6 lines"),
        (4, edited(DRAWN, ("a b c", "a b e")), "expected the letters a b c d"),
        (4, edited(DRAWN, ("3 o x x x", "3 o x x z")), "row 3 must be its number and 4 of"),
        (4, edited(DRAWN, ("3 o x x x", "3 o x x")), "row 3 must be"),
        (4, edited(DRAWN, ("drawn", "x has won")), "must be 'drawn' on this board"),
        (4, edited(DRAWN, ("drawn", "x to move")), "must be 'drawn'"),
        (4, edited(STUCK, ("x has", "o has")), "must be 'x has won'"),
        (4, edited(STUCK, ("2 . x x .", "2 . . x .")), "the four cells in the centre are never empty"),
        (6, edited(FIRST, ("1 . . . . . .", "1 o . . . . .")), "no chain of discs leads from the centre to a1"),
        (6, edited(FIRST, ("x to", "o to")), "with four discs, x is to move"),
        (6, edited(FIRST, ("o x", "x x")), "with four discs it must be the first position"),
        (6, edited(FIRST, ("x to move", "x must pass")), "must be 'x to move'"),
        (4, edited(MUST_PASS, ("o to move", "x has won")), "must be 'x to move'"),
    ],
)
def test_text_that_is_no_position_is_refused(size, text, words):
    with pytest.raises(GameError) as caught:
        make("othello", size=size).parse(text)
    assert words in str(caught.value).splitlines()[0]
