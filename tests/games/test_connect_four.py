"""Connect Four: drawn boards, known counts, a slow twin, text, and input that must be refused."""

import contextlib
import itertools

import numpy as np
import pytest
from boards import play_beside
from row_twin import SlowRow

from games import HEADER, OVER, RESULT, TO_MOVE, GameError, make
from games.conformance import parametrize_with_checks
from games.connect_four import can_be_stacked


@parametrize_with_checks([make("connect_four"), make("connect_four", rows=3, columns=5, connect=4)])
def test_games_keep_every_promise(game, check):
    check(game, 0)


def played(game, columns):
    return game.play(game.reset(1)[0], *("abcdefghij".index(col) for col in columns))


def test_drawn_games():
    game = make("connect_four")
    up = played(game, "cdcdcdc")
    assert game.draw(up) == (
        "   a b c d e f g\n 1 . . . . . . .\n 2 . . . . . . .\n 3 . . x . . . .\n 4 . . x o . . .\n"
        " 5 . . x o . . .\n 6 . . x o . . .\nx has won"
    )
    assert (up[OVER], up[RESULT], up[TO_MOVE]) == (1, 1, 1)
    across = played(game, "gagbfcfd")  # o on the bottom row
    assert (across[OVER], across[RESULT]) == (1, -1) and game.draw(across).endswith("o has won")
    rising = played(game, "abbccdcddfd")  # x from a6 to d3
    assert (rising[OVER], rising[RESULT]) == (1, 1)
    falling = played(game, "gffeededdbd")
    assert (falling[OVER], falling[RESULT]) == (1, 1)
    assert not game.legal(falling[None]).any()


def test_five_in_a_row_win_too():
    assert make("connect_four").result(played(make("connect_four"), "aabbddeec")[None])[0] == 1


def test_full_columns_and_a_draw():
    game = make("connect_four", rows=2, columns=3, connect=3)
    state = played(game, "aab")
    assert game.legal(state[None])[0].tolist() == [False, True, True]
    with pytest.raises(GameError, match="action 0 is not legal in connect_four2x3-3"):
        game.play(state, 0)
    drawn = played(game, "abbcca")
    assert (drawn[OVER], drawn[RESULT]) == (1, 0) and game.draw(drawn).endswith("drawn")
    game = make("connect_four", rows=4, columns=2, connect=3)
    full = played(game, "bbabaaab")  # the last stone fills the board and wins
    assert (full[-1], full[OVER], full[RESULT]) == (8, 1, -1)


def test_what_the_mover_sees():
    game = make("connect_four", rows=2, columns=3, connect=3)
    planes = game.observe(played(game, "aac")[None])[0]
    assert planes.tolist() == [[[1, 0, 0], [0, 0, 0]], [[0, 0, 0], [1, 0, 1]]]


def test_titles_settings_and_actions():
    game = make("connect_four")
    assert (game.title, game.num_actions, game.max_length, game.size) == ("connect_four6x7", 7, 42, 42)
    assert make("connect_four", rows=9, columns=10, connect=5).title == "connect_four9x10-5"
    assert [game.action_text(action) for action in (0, 6)] == ["a", "g"]
    assert game.symmetries.actions[1].tolist() == [6, 5, 4, 3, 2, 1, 0]


# ---- known counts --------------------------------------------------------------------------------------------------


def test_positions_by_ply():
    """OEIS A212693: legal positions of the 6 x 7 board after 0 to 7 plies."""
    game = make("connect_four")
    states, counts = game.reset(1), [1]
    for _ in range(7):
        rows, actions = np.nonzero(game.legal(states))
        states = states[rows]
        game.advance(states, actions)
        states = np.unique(states, axis=0)
        counts.append(len(states))
    assert counts == [1, 7, 49, 238, 1120, 4263, 16422, 54859]


@pytest.mark.parametrize(("rows", "expected"), [(1, 2), (2, 90), (3, 356232)])
def test_games_on_small_boards(rows, expected):
    """OEIS A342329: different games of four in a row on boards with one column more than rows."""
    game = make("connect_four", rows=rows, columns=rows + 1, connect=min(4, rows + 1))
    if rows < 3:  # boards too small for four in a row: the games are those of a line that nobody gets
        game.params[2] = 4
    states, ways, total = game.reset(1), np.ones(1, np.int64), 0
    while len(states):
        rows_, actions = np.nonzero(game.legal(states))
        states, ways = states[rows_], ways[rows_]
        game.advance(states, actions)
        states, back = np.unique(states, axis=0, return_inverse=True)
        ways = np.bincount(back.ravel(), ways).astype(np.int64)
        over = game.over(states)
        total += int(ways[over].sum())
        states, ways = states[~over], ways[~over]
    assert total == expected


# ---- the slow twin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "columns", "connect", "count"), [(6, 7, 4, 6), (2, 5, 3, 30), (5, 2, 4, 30), (4, 4, 2, 20), (1, 4, 3, 20)]
)
def test_random_games_agree_with_the_twin(rows, columns, connect, count):
    game = make("connect_four", rows=rows, columns=columns, connect=connect)
    rng = np.random.default_rng(0)
    for _ in range(count):
        play_beside(game, SlowRow(rows, columns, connect, falls=True), rng)


# ---- text ----------------------------------------------------------------------------------------------------------

EMPTY = """
   a b c
 1 . . .
 2 . . .
 3 . . .
x to move"""


def board(*rows, last):
    return "\n".join(["   a b c", *(f" {i + 1} {' '.join(row)}" for i, row in enumerate(rows)), last])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected 5 lines"),
        (EMPTY.replace("a b c", "a b d"), "expected the letters a b c"),
        (EMPTY.replace("2 . . .", "2 . . z"), "row 2 must be its number and 3 of"),
        (EMPTY.replace("2 . . .", "3 . . ."), "row 2 must be"),
        (EMPTY.replace("x to", "o to"), "the last line must be 'x to move'"),
        (board("...", "...", "x.x", last="o to move"), "2 x and 0 o cannot be"),
        (board("...", "...", ".o.", last="x to move"), "0 x and 1 o cannot be"),
        (board("...", "x..", "...", last="o to move"), "a stone has an empty cell below it"),
        (board("...", "oo.", "xxx", last="o to move"), "the last line must be 'x has won'"),
        (board("...", "xo.", "xox", last="x has won"), "'o to move'"),
        (board("...", "ooo", "xxx", last="x to move"), "no stone of o on top can be the last"),
        (board("..o", "oxo", "xxx", last="x has won"), "no stone of x on top can be the last"),
        (board("..o", ".oo", "xxx", last="x has won"), "no stone of o on top can be the last"),
        (board("...", "x..", "o..", last="x to move"), "no stone of o on top can be the last"),
        (board("x..", "o..", "oxo", last="drawn"), "2 x and 3 o cannot be"),
        (board("...", "x.x", "o.o", last="x to move"), "no stone of o on top can be the last"),
        (board("x..", "x..", "oo.", last="x to move"), "no order of moves stacks the columns so"),
    ],
)
def test_text_that_is_no_position_is_refused(text, words):
    with pytest.raises(GameError) as caught:
        make("connect_four", rows=3, columns=3, connect=3).parse(text)
    assert words in str(caught.value).splitlines()[0]


def test_text_round_trip():
    game = make("connect_four", rows=3, columns=4, connect=3)
    state = played(game, "bcbd")
    back = game.parse(game.draw(state))
    np.testing.assert_array_equal(back, state)
    assert back[HEADER:].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 2, 0, 2, 1, 1, 4]


def test_stacks_agree_with_all_orders_of_moves():
    """can_be_stacked says yes to exactly the boards that some sequence of moves reaches, all on 2 x 3 and 3 x 2."""
    for rows, columns in ((2, 3), (3, 2)):
        reached = {((),) * columns}
        border = set(reached)
        for ply in range(rows * columns):
            border = {
                (*stacks[:col], (*stacks[col], 1 + ply % 2), *stacks[col + 1 :])
                for stacks in border for col in range(columns) if len(stacks[col]) < rows
            }  # fmt: skip
            reached |= border
        every = [()]
        one = [stack for height in range(rows + 1) for stack in np.ndindex(*(2,) * height)]
        for _ in range(columns):
            every = [(*stacks, tuple(1 + mark for mark in stack)) for stacks in every for stack in one]
        for stacks in every:
            marks = [mark for stack in stacks for mark in stack]
            if marks.count(1) - marks.count(2) in (0, 1):
                found = can_be_stacked([list(stack) for stack in stacks], list(range(columns)))
                assert found == (stacks in reached), stacks


@pytest.mark.parametrize(("rows", "columns", "connect"), [(3, 3, 3), (4, 2, 2)])
def test_exactly_the_positions_of_games_are_read(rows, columns, connect):
    """All stacks of stones on a small board: `parse` takes those that occur in games and refuses all others."""
    game = make("connect_four", rows=rows, columns=columns, connect=connect)
    states, reached = game.reset(1), set()
    while len(states):
        reached |= {state.tobytes() for state in states}
        rows_, actions = np.nonzero(game.legal(states))
        states = states[rows_]
        game.advance(states, actions)
        states = np.unique(states, axis=0)
    stacks = [mixed for height in range(rows + 1) for mixed in itertools.product((1, 2), repeat=height)]
    read = set()
    for columns_ in itertools.product(stacks, repeat=columns):
        stones = np.zeros((rows, columns), np.int64)
        for col, stack in enumerate(columns_):
            stones[rows - len(stack) :, col] = stack[::-1]
        for last in ("x to move", "o to move", "x has won", "o has won", "drawn"):
            lines = [" ".join([str(row + 1), *(".xo"[stone] for stone in stones[row])]) for row in range(rows)]
            with contextlib.suppress(GameError):
                read.add(game.parse("\n".join([" ".join("abc"[:columns]), *lines, last])).tobytes())
    assert read == reached


# ---- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rows": 0}, "rows=0 cannot be: expected an integer from 1 to 26"),
        ({"columns": 27}, "columns=27"),
        ({"columns": 7.0}, "columns=7.0"),
        ({"connect": 1}, "connect=1 cannot be: expected an integer from 2 to 26"),
        ({"connect": 8}, "connect=8 cannot be on 6 x 7: no line is so long; expected at most 7"),
        ({"connect": True}, "connect=True"),
        ({"size": 5}, "no setting 'size': it takes rows, columns, connect"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(GameError) as caught:
        make("connect_four", **settings)
    assert words in str(caught.value)
