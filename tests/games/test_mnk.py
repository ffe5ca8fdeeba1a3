"""m,n,k: tic-tac-toe, Gomoku, a slow twin, text, and input that must be refused."""

import numpy as np
import pytest
from boards import play_beside
from hydra import compose, initialize_config_module
from row_twin import SlowRow

from games import HEADER, OVER, RESULT, TO_MOVE, GameError, make
from games.conformance import check_game, parametrize_with_checks


@parametrize_with_checks([make("mnk"), make("mnk", rows=2, columns=5, k=3)])
def test_games_keep_every_promise(game, check):
    check(game, 0)


def test_larger_boards_keep_every_promise():
    check_game(make("mnk", rows=9, columns=9, k=5))
    check_game(make("mnk", rows=1, columns=3, k=2))


def test_tictactoe_is_the_same_game():
    """The whole tree side by side: 5,478 positions, the same actions, ends and planes."""
    ours, theirs = make("mnk", rows=3, columns=3, k=3), make("tictactoe")
    one, two = ours.reset(1), theirs.reset(1)
    seen = 0
    while len(one):
        one, first = np.unique(one, axis=0, return_index=True)
        two = two[first]
        seen += len(one)
        np.testing.assert_array_equal(one[:, :-1], two)
        np.testing.assert_array_equal(ours.observe(one), theirs.observe(two))
        masks = ours.legal(one)
        np.testing.assert_array_equal(masks, theirs.legal(two))
        rows, actions = np.nonzero(masks)
        one, two = one[rows], two[rows]
        ours.advance(one, actions)
        theirs.advance(two, actions)
    assert seen == 5478
    assert {row.tobytes() for row in ours.symmetries.actions} == {row.tobytes() for row in theirs.symmetries.actions}


@pytest.mark.parametrize("size", [9, 15])
def test_gomoku_is_a_choice_of_settings(size):
    with initialize_config_module("configs", version_base="1.3"):
        settings = dict(compose("train", overrides=[f"game=mnk/gomoku{size}"]).game)
    game = make(**settings)
    assert game.title == f"mnk{size}x{size}-5" and game.num_actions == size**2
    edge = [0, size, 1, size + 1, 2, size + 2, 4, size + 4, 5, size + 5]  # x: a1 b1 c1 e1 f1, o below
    state = game.play(game.reset(1)[0], *edge)
    assert not state[OVER]
    six = game.play(state, 3)  # six in a row win too
    assert (six[OVER], six[RESULT], six[TO_MOVE]) == (1, 1, 1)
    five = game.play(state, 40, size + 3)
    assert (five[OVER], five[RESULT]) == (1, -1)


def test_lines_do_not_go_round_the_edge():
    game = make("mnk", rows=4, columns=4, k=3)
    state = game.play(game.reset(1)[0], 2, 0, 3, 15, 4, 13)  # x: c1 d1 a2
    assert not state[OVER]
    assert game.play(state, 1)[RESULT] == 1


def test_symmetries_of_squares_and_rectangles():
    assert len(make("mnk", rows=4, columns=4, k=3).symmetries.actions) == 8
    assert len(make("mnk", rows=4, columns=5, k=3).symmetries.actions) == 4
    assert make("mnk", rows=1, columns=3, k=2).symmetries.actions.tolist() == [[0, 1, 2], [2, 1, 0]]


@pytest.mark.parametrize(
    ("rows", "columns", "k", "count"), [(3, 3, 3, 20), (3, 6, 4, 15), (5, 2, 3, 20), (6, 6, 5, 4), (1, 6, 2, 10)]
)
def test_random_games_agree_with_the_twin(rows, columns, k, count):
    game = make("mnk", rows=rows, columns=columns, k=k)
    rng = np.random.default_rng(0)
    for _ in range(count):
        play_beside(game, SlowRow(rows, columns, k, falls=False), rng)


# ---- text ----------------------------------------------------------------------------------------------------------


def board(*rows, last):
    return "\n".join(["   a b c", *(f" {i + 1} {' '.join(row)}" for i, row in enumerate(rows)), last])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected 5 lines"),
        (board("...", "..", "...", last="x to move"), "row 2 must be its number and 3 of"),
        (board("...", ".*.", "...", last="x to move"), "row 2 must be"),
        (board("...", "...", "...", last="o to move"), "the last line must be 'x to move'"),
        (board("xx.", "...", "...", last="o to move"), "2 x and 0 o cannot be: x begins"),
        (board("...", ".o.", "...", last="x to move"), "0 x and 1 o cannot be"),
        (board("xxx", "oo.", "...", last="o to move"), "the last line must be 'x has won'"),
        (board("xxx", "ooo", "...", last="o has won"), "x had a line before the last move"),
        (board("xxx", "oo.", "o..", last="x to move"), "x had a line before the last move"),
        (board("xox", "xoo", "oxx", last="x has won"), "the last line must be 'drawn'"),
    ],
)
def test_text_that_is_no_position_is_refused(text, words):
    with pytest.raises(GameError) as caught:
        make("mnk", rows=3, columns=3, k=3).parse(text)
    assert words in str(caught.value).splitlines()[0]


def test_two_lines_with_and_without_a_common_stone():
    game = make("mnk", rows=3, columns=5, k=3)
    crossing = "   a b c d e\n 1 x x x . .\n 2 x o o . .\n 3 x o o . .\nx has won"
    assert game.draw(game.parse(crossing)) == crossing
    apart = "   a b c d e\n 1 x x x o o\n 2 o o . . o\n 3 x x x . .\nx has won"
    with pytest.raises(GameError, match="x had a line before the last move"):
        game.parse(apart)


def test_text_round_trip():
    game = make("mnk", rows=2, columns=3, k=3)
    state = game.play(game.reset(1)[0], 0, 4)
    assert game.draw(state) == "   a b c\n 1 x . .\n 2 . o .\nx to move"
    np.testing.assert_array_equal(game.parse(game.draw(state)), state)
    assert state[HEADER:].tolist() == [1, 0, 0, 0, 2, 0, 2]
    assert [game.action_text(action) for action in (0, 2, 3)] == ["a1", "c1", "a2"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rows": 0}, "rows=0 cannot be: expected an integer from 1 to 26"),
        ({"columns": 27}, "columns=27"),
        ({"k": 1}, "k=1 cannot be: expected an integer from 2 to 26"),
        ({"k": 4}, "k=4 cannot be on 3 x 3: no line is so long; expected at most 3"),
        ({"rows": 2, "columns": 5, "k": 6}, "expected at most 5"),
        ({"m": 3}, "no setting 'm': it takes rows, columns, k"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(GameError) as caught:
        make("mnk", **settings)
    assert words in str(caught.value)
