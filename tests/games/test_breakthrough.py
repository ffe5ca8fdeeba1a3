"""Breakthrough: drawn boards, known values and counts, a slow twin, text, and input that must be refused."""

import copy

import numpy as np
import pytest
from boards import play_beside
from breakthrough_twin import SlowBreakthrough

from games import HEADER, OVER, RESULT, TO_MOVE, GameError, make
from games.conformance import check_game, parametrize_with_checks


@parametrize_with_checks([make("breakthrough"), make("breakthrough", rows=3, columns=4)])
def test_games_keep_every_promise(game, check):
    check(game, 0)


def test_small_boards_keep_every_promise():
    check_game(make("breakthrough", rows=2, columns=2))
    check_game(make("breakthrough", rows=5, columns=3, home=2))


SMALL = make("breakthrough", rows=4, columns=3)


def played(game, *names):
    known = {game.action_text(action): action for action in range(game.num_actions)}
    return game.play(game.reset(1)[0], *(known[name] for name in names))


def test_drawn_games():
    state = played(SMALL, "b1b", "a4b")
    assert SMALL.draw(state) == "   a b c\n 1 x . x\n 2 . x .\n 3 . o .\n 4 . o o\nx to move"
    known = [SMALL.action_text(action) for action in np.flatnonzero(SMALL.legal(state[None])[0])]
    assert sorted(known) == ["a1a", "b2a", "b2c", "c1c"]  # b2 is blocked ahead, b1 and b2 are own or not reached
    won = played(SMALL, "b1b", "a4a", "b2a", "b4b", "a3b")
    assert SMALL.draw(won) == "   a b c\n 1 x . x\n 2 . . .\n 3 . o .\n 4 . x o\nx has won"
    assert (won[OVER], won[RESULT], won[TO_MOVE]) == (1, 1, 1)
    assert won[-2:].tolist() == [3, 2] and not SMALL.legal(won[None]).any()


def test_taking_the_last_piece_wins():
    game = make("breakthrough", rows=5, columns=2)
    state = game.parse("   a b\n 1 . .\n 2 . x\n 3 o .\n 4 . .\n 5 . .\no to move")
    won = game.play(state, *[a for a in np.flatnonzero(game.legal(state[None])[0]) if game.action_text(a) == "a3b"])
    assert game.draw(won).endswith("o has won") and won[RESULT] == -1 and won[-2:].tolist() == [0, 1]


def test_what_the_mover_sees():
    state = played(SMALL, "b1c")
    planes = SMALL.observe(state[None])[0]
    assert planes[0].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]  # player 1 sees the board upside down
    assert planes[1].tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1], [1, 0, 1]]
    assert SMALL.action_text(SMALL.views[1, 12]) == "a4a" and SMALL.action_text(12) == "a1a"


def test_titles_settings_and_setup():
    assert make("breakthrough").title == "breakthrough6x6"
    assert make("breakthrough", rows=5, columns=4, home=2).title == "breakthrough5x4-2"
    pieces = {rows: make("breakthrough", rows=rows, columns=3).reset(1)[0, -2:].tolist() for rows in (2, 5, 6, 9)}
    assert pieces == {2: [3, 3], 5: [3, 3], 6: [6, 6], 9: [6, 6]}
    assert [make("breakthrough", rows=8, columns=8).max_length, make("breakthrough").max_length] == [177, 85]


# ---- known facts ---------------------------------------------------------------------------------------------------


def positions(game):
    """All positions of a game by ply, [N, S] each, and the moves between them as (rows before, rows after)."""
    layers, moves = [game.reset(1)], []
    while True:
        rows, actions = np.nonzero(game.legal(layers[-1]))
        if not len(rows):
            return layers, moves
        states = layers[-1][rows]
        game.advance(states, actions)
        states, after = np.unique(states, axis=0, return_inverse=True)
        layers.append(states)
        moves.append((rows, after.ravel()))


def value(game):
    """The result of perfect play for player 0, and the plies of the longest game."""
    layers, moves = positions(game)
    below = game.result(layers[-1]).astype(int)
    for states, (rows, after) in zip(layers[-2::-1], moves[::-1], strict=True):
        sign = 1 - 2 * states[:, TO_MOVE].astype(int)
        best = np.full(len(states), -2)
        np.maximum.at(best, rows, sign[rows] * below[after])
        below = np.where(game.over(states), game.result(states), sign * best)
    return int(below[0]), len(layers) - 1


@pytest.mark.parametrize(
    ("rows", "columns", "home", "expected"), [(2, 2, 0, 1), (3, 2, 0, 1), (3, 3, 0, 1), (4, 3, 0, 1), (4, 2, 2, -1)]
)
def test_values_of_small_boards_and_the_longest_game(rows, columns, home, expected):
    """The whole tree: its value, by the twin too, and no game longer than declared. Values found here."""
    game = make("breakthrough", rows=rows, columns=columns, home=home)
    found, longest = value(game)
    assert found == expected and longest <= game.max_length
    if rows * columns < 12:
        assert twins_value(SlowBreakthrough(rows, columns, game.home), {}) == expected


def twins_value(twin, known):
    """The result of perfect play for player 0."""
    key = (twin.player, *sorted(twin.pieces.items()))
    if key not in known:
        if twin.winner() is not None:
            return 1 - 2 * twin.winner()
        results = []
        for action in twin.legal():
            after = copy.deepcopy(twin)
            after.play(action)
            results.append(twins_value(after, known))
        known[key] = max(results) if twin.player == 0 else min(results)
    return known[key]


def test_positions_of_the_first_plies():
    """8 x 8: 22 moves, then 22 answers each: 484 positions, since nothing can meet so early."""
    game = make("breakthrough", rows=8, columns=8)
    states = game.reset(1)
    for expected in (22, 484):
        rows, actions = np.nonzero(game.legal(states))
        states = states[rows]
        game.advance(states, actions)
        assert len(np.unique(states, axis=0)) == len(states) == expected


# ---- the slow twin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "columns", "home", "count"), [(6, 6, 0, 4), (8, 8, 0, 2), (5, 3, 2, 15), (3, 5, 0, 20), (2, 2, 0, 4)]
)
def test_random_games_agree_with_the_twin(rows, columns, home, count):
    game = make("breakthrough", rows=rows, columns=columns, home=home)
    rng = np.random.default_rng(0)
    for _ in range(count):
        twin = SlowBreakthrough(rows, columns, game.home)

        def counted(state, twin=twin):
            owners = list(twin.pieces.values())
            assert state[0, -2:].tolist() == [owners.count(0), owners.count(1)]

        play_beside(game, twin, rng, counted)
        assert twin.winner() is not None


# ---- text ----------------------------------------------------------------------------------------------------------


def board(*rows, last):
    return "\n".join(["   a b c", *(f" {i + 1} {' '.join(row)}" for i, row in enumerate(rows)), last])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected 6 lines"),
        (board("xxx", "..", "...", "ooo", last="x to move"), "row 2 must be its number and 3 of"),
        (board("xxx", "...", "...", "ooo", last="z to move"), "the last line must be one of 'x to move'"),
        (board("xxx", "...", "...", "ooo", last="o to move"), "the pieces' steps do not suit o moving next"),
        (board("xx.", "..x", "...", "ooo", last="x to move"), "do not suit x"),
        (board("xxx", "x..", "...", "ooo", last="o to move"), "4 x cannot be: there are 3"),
        (board("xxx", "...", "...", "oo.", last="x to move"), "do not suit x"),  # x has not moved, and took one
        (board("xx.", "...", "...", "oox", last="o to move"), "must say that x has won"),
        (board("xxx", "...", "...", "ooo", last="x has won"), "must say that nobody has won"),
        (board("oxx", "...", "...", "oox", last="x has won"), "the game would have ended before"),
        (board("x..", "...", "...", "oxx", last="x has won"), "the game would have ended before"),
        (board("xxx", "...", "...", "...", last="o to move"), "must say that x has won"),
        (board("...", "...", "...", "...", last="x has won"), "the game would have ended before"),
        (board("xxx", "...", "...", "...", last="x has won"), "do not suit o"),  # x never moved and took three
    ],
)
def test_text_that_is_no_position_is_refused(text, words):
    with pytest.raises(GameError) as caught:
        SMALL.parse(text)
    assert words in str(caught.value).splitlines()[0]


def test_text_round_trip():
    state = played(SMALL, "b1c", "c4c", "c2b")
    np.testing.assert_array_equal(SMALL.parse(SMALL.draw(state)), state)
    assert state[HEADER:-2].tolist() == [1, 0, 1, 0, 0, 0, 0, 1, 2, 2, 2, 0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rows": 1}, "rows=1 cannot be: expected an integer from 2 to 26"),
        ({"columns": 1}, "columns=1"),
        ({"home": -1}, "home=-1"),
        ({"rows": 5, "home": 3}, "home=3 cannot be on 5 rows: expected at most 2"),
        ({"size": 5}, "no setting 'size': it takes rows, columns, home"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(GameError) as caught:
        make("breakthrough", **settings)
    assert words in str(caught.value)
