"""Go: boards drawn by hand, a slow twin, text, and input that must be refused."""

import copy
import os

import numpy as np
import pytest
from boards import edited
from go_twin import SlowGo

from games import OVER, RESULT, TO_MOVE, GameError, make
from games.conformance import check_game

# ---- drawn boards --------------------------------------------------------------------------------------------------

TAKEN = """
   a b c
 1 . x .
 2 x . .
 3 . . .
o to move
moves: b1 a1 a2"""

# x has just taken the stone on b2; o may not take the one on c2 at once.
KO = """
   a b c d
 1 . x o .
 2 x . x o
 3 . x o .
 4 . . . x
o to move
moves: b1 c1 a2 d2 b3 c3 d4 b2 c2"""

WON = """
   a b c
 1 . . .
 2 . x .
 3 . . .
x has won
moves: b2 pass pass"""


def numbers(game, names):
    actions = {game.action_text(action): action for action in range(game.num_actions)}
    return [actions[name] for name in names.split()]


def played(game, names):
    return game.play(game.reset(1)[0], *numbers(game, names))


def allowed(game, moves, point):
    return bool(game.legal(played(game, moves)[None])[0, numbers(game, point)[0]])


def rows(game, moves):
    return [line[3:] for line in game.draw(played(game, moves)).splitlines()[1:-2]]


@pytest.mark.parametrize("board", [TAKEN, KO, WON])
def test_drawn_boards(board):
    game = make("go", size=4 if board == KO else 3)
    state = played(game, board.partition("moves:")[2])
    assert game.draw(state) == board.strip("\n")
    np.testing.assert_array_equal(game.parse(board), state)


def test_stones_without_liberties_are_taken_off():
    game = make("go", size=3)
    assert rows(game, "a1 a2 b1 b2 c3 c2 pass c1") == [". . o", "o o o", ". . x"]  # two at once
    assert rows(game, "b1 a1 b2 b3 a3 a2 c3") == ["o x .", "o x .", ". o x"]  # o a2 took a3


@pytest.mark.parametrize(
    ("size", "moves", "point", "fine"),
    [
        (3, "b1 c3 a2", "a1", False),  # one stone
        (4, "a2 a1 b2 c1 c2 d4 d1", "b1", False),  # it would join two, all three without a liberty
        (4, "a2 a1 b2 c1 c2 d4 pass", "b1", True),  # the three still have d1
        (3, "b1 a1 b2 b3 a3 a2 c3", "a3", False),
        (3, "b2 b1 c1 a2", "a1", True),  # no liberty of its own, but b1 is taken
    ],
)
def test_suicide_is_forbidden(size, moves, point, fine):
    assert allowed(make("go", size=size), moves, point) == fine
    assert allowed(make("go", size=size, repetition="draw"), moves, point) == fine


def test_ko():
    """Not at once, in both variants; after a move elsewhere and its answer it is a new position."""
    for repetition in ("forbidden", "draw"):
        game = make("go", size=4, repetition=repetition)
        moves = "b1 c1 a2 d2 b3 c3 d4 b2 c2"
        assert not allowed(game, moves, "b2")
        assert np.argwhere(game.observe(played(game, moves)[None])[0, 2]).tolist() == [[1, 1]]
        assert allowed(game, moves + " a4 d3", "b2") and allowed(game, moves + " pass a4", "b2")
        assert not allowed(game, moves + " a4 d3 b2", "c2")


def test_superko():
    """o on a1 would bring back the board after move 4, in no simple ko: forbidden, or a draw."""
    moves = "b2 b3 a3 a1 c1 c3 b1 a2 a3"
    game, draws = make("go", size=3), make("go", size=3, repetition="draw")
    before = played(draws, moves)
    twin = SlowGo(3)
    for action in numbers(game, moves):
        twin.play(action)
    assert twin.after((0, 0)) in twin.past[:-2]
    assert not allowed(game, moves, "a1")
    assert draws.observe(before[None])[0, 2, 0, 0] == 0.5 and game.observe(played(game, moves)[None])[0, 2, 0, 0] == 1
    state = draws.play(before, 0)
    assert (state[OVER], state[RESULT]) == (1, 0) and not draws.legal(state[None]).any()
    assert draws.draw(state).splitlines()[-2] == "drawn"
    np.testing.assert_array_equal(draws.parse(draws.draw(state)), state)


@pytest.mark.parametrize(
    ("moves", "komi", "result"),
    [
        ("b2 pass pass", 8.5, 1), ("b2 pass pass", 9, 0), ("b2 pass pass", "9.5", -1),
        ("pass pass", 0, 0), ("pass pass", "-0.5", 1), ("a1 c3 pass pass", 0, 0), ("a1 c3 pass pass", 0.5, -1),
        ("b1 a3 b2 c3 b3 pass pass", 0.5, 1), ("b1 a3 b2 c3 b3 pass pass", 1, 0),  # both border both regions
    ],
)  # fmt: skip
def test_area(moves, komi, result):
    game = make("go", size=3, komi=komi)
    state = played(game, moves)
    assert (state[OVER], state[RESULT]) == (1, result)


def test_the_limit():
    game = make("go", size=2, komi="0.5")
    state = played(game, "a1 pass b2 pass b1 pass pass")
    assert state[OVER] == 1 and state[RESULT] == 1
    state = played(game, "a1 pass b2 pass b1 a2 pass")  # o a2 takes all three
    assert not state[OVER]
    state = game.play(state, *numbers(game, "b2"))
    assert (state[OVER], state[RESULT]) == (1, -1)  # eight moves
    with pytest.raises(GameError, match="the game is over"):
        game.play(state, 4)


def test_what_the_mover_sees():
    game = make("go", size=3)
    planes = game.observe(played(game, "a1 b2 pass")[None])[0]
    assert np.argwhere(planes[0]).tolist() == [[1, 1]] and np.argwhere(planes[1]).tolist() == [[0, 0]]
    assert [set(plane.ravel()) for plane in planes[2:5]] == [{0}, {1}, {1}]  # no repetition, a pass, o to move
    np.testing.assert_allclose(planes[5], 3 / 18)


# ---- the slow twin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("repetition", ["forbidden", "draw"])
@pytest.mark.parametrize(("size", "count"), [(2, 40), (3, 25), (4, 6), (5, 2), (9, 0)])
def test_random_games_agree_with_the_twin(size, count, repetition):
    game = make("go", size=size, komi=0.5 * (size % 2), repetition=repetition)
    rng = np.random.default_rng(size)
    repetitions = 0
    for _ in range(int(os.environ.get("ISOELO_TWIN_GAMES", count))):
        state, twin = game.reset(1), SlowGo(size, 0.5 * (size % 2), repetition == "draw")
        while legal := twin.legal():
            assert np.flatnonzero(game.legal(state)[0]).tolist() == legal
            assert state[0, TO_MOVE] == twin.player and not game.over(state)[0]
            planes = game.observe(state)[0]
            assert planes[:3].tolist() == twin.views()
            repetitions += int((planes[2] > 0).sum())
            action = rng.choice(legal[:-1] if len(legal) > 1 and rng.random() < 0.8 else legal)
            twin.play(action)
            game.advance(state, np.array([action]))
        assert game.over(state)[0] and game.result(state)[0] == twin.result()
    assert repetitions > 0 or count < 5


# ---- values of 2 x 2 -----------------------------------------------------------------------------------------------


class Longer(SlowGo):
    """Without komi, and with more moves than the game allows."""

    def over(self):
        return self.moves[-2:] == [self.size**2] * 2 or len(self.moves) == self.most

    def best(self, best=-1):
        """The result for the player to move with komi 0.5, which x must beat; `best` is what he has already."""
        if self.over():
            return self.result() * (1 - 2 * self.player)
        for action in self.legal():
            after = copy.copy(self)
            after.past, after.moves = self.past[:], self.moves[:]
            after.play(action)
            best = max(best, -after.best())
            if best == 1:
                break
        return best


@pytest.mark.parametrize(("most", "value"), [(8, -1), (9, 1), (12, 1), (14, 1)])
def test_the_lead_on_2x2_takes_nine_moves(most, value):
    """x leads by one point (E. van der Werf 2003), enough with half a point of komi; 8 moves are too few."""
    twin = Longer(2, 0.5)
    twin.most = most
    assert twin.best() == value


def value(game, state):
    """Plain minimax over the kernels, for the player to move."""
    if game.over(state)[0]:
        return int(game.result(state)[0]) * (1 - 2 * int(state[0, TO_MOVE]))
    best = -1
    for action in np.flatnonzero(game.legal(state)[0]):
        after = state.copy()
        game.advance(after, np.array([action]))
        best = max(best, -value(game, after))
        if best == 1:
            break
    return best


@pytest.mark.parametrize(("komi", "expected"), [("-0.5", 1), ("0", 0), ("0.5", -1)])
def test_2x2_is_even_within_the_limit(komi, expected):
    game = make("go", size=2, komi=komi)
    assert value(game, game.reset(1)) == expected


# ---- promises, settings, text --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{"size": 2, "komi": 0}, {"size": 3}, {"size": 5, "repetition": "draw"}, {"size": 9, "komi": "6.5"}]
)
def test_promises(settings):
    check_game(make("go", **settings))


def test_settings_titles_and_actions():
    game = make("go")
    assert game.settings == {"size": 5, "komi": "7.5", "repetition": "forbidden"}
    assert (game.title, game.num_actions, game.max_length, game.can_draw) == ("go5", 26, 50, True)
    assert [game.action_text(a) for a in (0, 6, 24, 25)] == ["a1", "b2", "e5", "pass"]
    assert make("go", komi=7.5).settings == make("go", komi="7.50").settings == game.settings
    assert make("go", size=9, komi=-6, repetition="draw").title == "go9-komi-6-draw"
    assert game.openspiel_id is None
    assert make("go", komi=0, repetition="draw").openspiel_id == "go(board_size=5,komi=0.0)"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 1}, "size=1 cannot be: expected an integer from 2 to 9"),
        ({"size": 10}, "size=10"),
        ({"komi": 7.25}, "komi=7.25 cannot be: expected a multiple of 0.5 from -100 to 100"),
        ({"komi": "fair"}, "komi='fair'"),
        ({"komi": True}, "komi=True"),
        ({"komi": 1000}, "komi=1000"),
        ({"komi": "1/0"}, "komi='1/0'"),
        ({"komi": "1e999999999"}, "komi='1e999999999'"),
        ({"komi": float("nan")}, "komi=nan"),
        ({"repetition": "ko"}, "repetition='ko' cannot be: expected forbidden or draw"),
        ({"superko": True}, "no setting 'superko': it takes size, komi, repetition"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(GameError) as caught:
        make("go", **settings)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (edited(TAKEN, ("moves: b1 a1 a2", "")), "expected a last line 'moves: a1 b2 pass'"),
        (edited(TAKEN, ("1 . x .", "1 . x")), "row 1 must be its number and 3 of"),
        (edited(TAKEN, ("a b c", "a b d")), "expected the letters a b c"),
        (edited(TAKEN, ("a1 a2", "a1 d2")), "move 3, 'd2', is none"),
        (edited(TAKEN, ("a1 a2", "a1 b1")), "move 3, b1, is not legal"),
        (edited(TAKEN, ("a1 a2", "a1 a2 a1")), "move 4, a1, is not legal"),
        (edited(TAKEN, ("1 . x", "1 o x")), "the moves lead to another board: a1 differs"),
        (edited(TAKEN, ("a1 a2", "a1")), "the moves lead to another board: a1 differs"),
        (edited(TAKEN, ("o to move", "x to move")), "the last line must be 'o to move'"),
        (edited(TAKEN, ("a1 a2", "a1 a2 pass pass pass")), "move 6, pass, is not legal"),
    ],
)
def test_text_that_is_no_position_is_refused(text, words):
    with pytest.raises(GameError) as caught:
        make("go", size=3).parse(text)
    assert words in str(caught.value).splitlines()[0]
