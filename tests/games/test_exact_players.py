"""Exact play: the stubborn perfect player, what cannot be solved, the command line."""

import functools
import io
import sys
import tracemalloc

import numpy as np
import pytest
from boards import choose, random_positions

from games import GameError, enumeration, exact_store, make
from games.core import HEADER, TO_MOVE
from games.enumeration import Enumeration
from games.exact import main, solver

pytestmark = pytest.mark.usefixtures("cache")


@functools.cache
def enumerated(name):
    return Enumeration(make(name))


# ---- the perfect player --------------------------------------------------------------------------------------------


def test_stubborn_by_hand():
    """o's stone on b2 is tied to the left by a2 and a3, to the right by c1 and c2, so x has lost.

    A cut on the right leaves one reply, the other cell of the pair: b3 is x's, so there is no way round. A cut on
    the left leaves three: the other cell, or a1 or b1, which threaten to come round through the top. Anywhere else
    every reply wins.
    """
    game = make("hex", size=3)
    state = game.parse("a b c\n1 . . .\n2 . o .\n3 . x .\nx to move")
    exact = solver(game)
    assert exact.values(state[None])[0] == -1
    left = {}
    for action in np.flatnonzero(game.legal(state[None])[0]):
        replies = exact.action_values(game.play(state, int(action))[None])[0]
        left[game.action_text(int(action))] = int((replies == 1).sum())
    assert left == {"c1": 1, "c2": 1, "a2": 3, "a3": 3, "a1": 6, "b1": 6, "c3": 6}
    chosen = np.flatnonzero(exact.perfect_moves(state[None])[0])
    assert [game.action_text(int(action)) for action in chosen] == ["c1", "c2"]


def test_the_perfect_player_never_loses_a_won_game():
    game, rng = make("hex", size=5), np.random.default_rng(5)
    exact = solver(game)
    states = random_positions(game, 1000, rng, 2, 2)
    perfect = np.where(exact.values(states) == 1, states[:, TO_MOVE], 1 - states[:, TO_MOVE])
    while not game.over(states).all():
        live = np.flatnonzero(~game.over(states))
        moved = states[live]
        turn = moved[:, TO_MOVE] == perfect[live]
        mask = np.where(turn[:, None], exact.perfect_moves(moved), game.legal(moved))
        game.advance(moved, choose(mask, rng))
        states[live] = moved
    assert len(states) == 1000
    assert (game.result(states) == 1 - 2 * perfect).all()


def test_tictactoe_is_a_draw():
    twin = enumerated("tictactoe")
    assert len(twin.graph.states) == 5478
    exact = solver(make("tictactoe"))
    game = exact.game
    empty = game.reset(1)
    assert exact.values(empty)[0] == 0
    assert (exact.action_values(empty) == 0).all() and exact.perfect_moves(empty).all()
    corner = game.play(empty[0], 0)
    assert np.flatnonzero(exact.perfect_moves(corner[None])[0]).tolist() == [4]  # only the centre draws
    fork = game.parse("x . .\n. o .\no . x")  # x to move must stop the diagonal, and makes two threats by it
    assert exact.values(fork[None])[0] == 1
    assert np.flatnonzero(exact.perfect_moves(fork[None])[0]).tolist() == [2]


def test_tictactoe_stubborn_by_definition():
    twin = enumerated("tictactoe")
    game, states = twin.game, twin.graph.states
    values, perfect = twin.action_values(states), twin.perfect_moves(states)
    for row in np.flatnonzero((twin.values(states) == -1) & ~game.over(states)):
        left = {}
        for action in np.flatnonzero(game.legal(states[row : row + 1])[0]):
            child = game.play(states[row], int(action))
            ended = game.over(child[None])[0]
            left[int(action)] = 99 if ended else int((twin.action_values(child[None])[0] == 1).sum())
        expected = [a for a, count in left.items() if count == min(left.values())]
        assert np.flatnonzero(perfect[row]).tolist() == expected
    drawn = (twin.values(states) == 0) & ~game.over(states)
    assert (perfect[drawn] == (values[drawn] == 0)).all()


# ---- what cannot be solved, and how solvers are found --------------------------------------------------------------


def test_hex_beyond_the_solver_is_refused():
    with pytest.raises(GameError, match="from size 2 to 6, not 7"):
        solver(make("hex", size=7))


def test_enumeration_refuses_large_games():
    with pytest.raises(GameError, match="more than 2,000 positions"):
        Enumeration(make("hex", size=3), most=2000)


def test_enumeration_refuses_unreachable_positions():
    state = make("tictactoe").reset(1)
    state[0, HEADER : HEADER + 3] = 1
    with pytest.raises(GameError, match="no game reaches"):
        enumerated("tictactoe").values(state)


def test_a_solver_beside_the_game_is_found(tmp_path, monkeypatch):
    source = (exact_store.pathlib.Path(make.__code__.co_filename).parent / "tictactoe.py").read_text()
    (tmp_path / "mygame.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    game = make("mygame:TicTacToe")
    assert isinstance(solver(game), Enumeration)
    (tmp_path / "mygame_solver.py").write_text("def solver(game):\n    return 'mine', game\n")
    assert solver(game) == ("mine", game)


# ---- command line --------------------------------------------------------------------------------------------------


def run(capsys, monkeypatch, *arguments, text=""):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    status = main(list(arguments))
    return status, *capsys.readouterr()


def test_command_prints_the_map(capsys, monkeypatch):
    status, out, _ = run(capsys, monkeypatch, "hex", "size=4")
    assert status == 0
    assert "hex4: the player to move wins" in out
    assert "- - - +\n - - + -\n  - + - -\n   + - - -" in out
    assert "perfect player: d1 c2 b3 a4" in out and "positions" in out


def test_command_reads_a_position(capsys, monkeypatch):
    status, out, _ = run(capsys, monkeypatch, "tictactoe", "-", text="x . .\n. o .\n. . x\n")
    assert status == 0 and "the player to move draws" in out
    assert "# = -\n= # =\n- = #" in out and "perfect player: b1 a2 c2 b3" in out


@pytest.mark.parametrize("arguments, message", [
    (["hex", "size=9"], "from size 2 to 6, not 9: choose game.size=6 or less, or rate the agents without a perfect "
                        "player\n"),
    (["hex", "size=7"], "; `python -m games.solve hex size=7` searches it for as long as it takes\n"),
    (["hex", "size"], "expected key=value"),
    (["hex", "size=big"], "size='big'"),
    (["hex", "colour=3"], "no setting 'colour'"),
    (["chess"], "no game 'chess'"),
])  # fmt: skip
def test_command_explains_errors(capsys, monkeypatch, arguments, message):
    status, _, err = run(capsys, monkeypatch, *arguments)
    assert status == 2 and message in err


def test_command_refuses_text_that_is_no_position(capsys, monkeypatch):
    status, _, err = run(capsys, monkeypatch, "hex", "size=3", "-", text="nonsense")
    assert status == 2 and "no such position" in err


def test_a_game_far_too_large_is_refused_before_its_moves_are_listed():
    """Pentago has 5.6 million moves in its fourth layer: 90 MB of numbers, which nobody needs."""
    game = make("pentago")
    game.advance(game.reset(1), np.zeros(1, np.int64))
    tracemalloc.start()
    try:
        with pytest.raises(GameError, match="too large to be solved by enumeration"):
            Enumeration(game, most=60_000)
        assert tracemalloc.get_traced_memory()[1] < 110e6
    finally:
        tracemalloc.stop()


def test_a_game_far_too_large_is_refused_before_its_positions_are_made():
    """Go 5x5 has 8 million moves in its fourth layer, for a limit of one million positions."""
    made = []

    class Counted(type(make("go"))):
        def advance(self, states, actions):
            made.append(len(states))
            super().advance(states, actions)

    with pytest.raises(GameError, match="too large to be solved by enumeration"):
        Enumeration(Counted(size=5))
    assert max(made) <= enumeration.SLICE and sum(made) < 4_000_000
