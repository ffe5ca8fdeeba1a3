"""Exact play of any game by alpha-beta: perfect players, stored results, the command line."""

import io
import os
import sys
import warnings

import numpy as np
import pyspiel
import pytest
from boards import choose, damage_file, random_positions
from openspiel_minimax import Minimax
from searches import SLOTS, end_at_the_third_look, search

from games import GameError, alpha_beta, make, mnk_solver, searching, solve
from games.exact import ILLEGAL, prover_of, solver
from games.mnk import Mnk
from games.searching import Search

pytestmark = pytest.mark.usefixtures("cache")


# ---- players -------------------------------------------------------------------------------------------------------

PLAYERS = [  # game, settings, random moves before the perfect player begins: where some positions are won
    ("connect_four", {"rows": 4, "columns": 4}, 8),
    ("mnk", {"rows": 4, "columns": 4, "k": 4}, 6),
    ("mnk", {"rows": 3, "columns": 4, "k": 3}, 2),
    ("breakthrough", {"rows": 4, "columns": 4}, 2),
    ("othello", {"size": 4}, 2),
    ("y", {"size": 4}, 2),
]


def kept_games(exact, count, rng, opening):
    """Perfect against random after some random moves: what the perfect player had, and what he got."""
    game = exact.game
    states = random_positions(game, count, rng, opening, opening)
    perfect = rng.integers(0, 2, len(states))
    values = exact.values(states).astype(int)
    due = np.where(perfect == states[:, 0], values, -values)
    while not game.over(states).all():
        live = np.flatnonzero(~game.over(states))
        moved = states[live]
        turn = moved[:, 0] == perfect[live]
        mask = game.legal(moved)
        mask[turn] = exact.perfect_moves(moved[turn])
        game.advance(moved, choose(mask, rng))
        states[live] = moved
    return due, game.result(states) * (1 - 2 * perfect)


@pytest.mark.parametrize("name, settings, opening", PLAYERS)
def test_the_perfect_player_gets_at_least_the_value(name, settings, opening):
    exact = solver(make(name, **settings))
    due, got = kept_games(exact, 100, np.random.default_rng(3), opening)
    assert len(due) > 50 and (due == 1).any()
    assert (got >= due).all()


LATE = [  # game, settings, random moves before: so many that minimax sees the end
    ("connect_four", {"rows": 4, "columns": 5}, 8, 14),
    ("mnk", {"rows": 3, "columns": 4, "k": 3}, 1, 6),
    ("y", {"size": 4}, 2, 6),
    ("hex", {"size": 4}, 8, 11),
    ("hex", {"size": 3, "swap": True}, 0, 3),
]


@pytest.mark.parametrize("name, settings, low, high", LATE)
def test_players_agree_with_minimax_over_the_rules_of_openspiel(name, settings, low, high):
    """ISOELO_GAMES positions of random games: the value of each action, and the perfect player's choice."""
    game, rng, lost = make(name, **settings), np.random.default_rng(6), 0
    reference, exact, minimax = pyspiel.load_game(game.openspiel_id), solver(game), Minimax()
    for _ in range(int(os.environ.get("ISOELO_GAMES", 12))):
        state, other = game.reset(1), reference.new_initial_state()
        for _ in range(rng.integers(low, high + 1)):
            action = int(choose(game.legal(state), rng)[0])
            if not other.child(action).is_terminal():
                game.advance(state, np.array([action]))
                other.apply_action(action)
        values = exact.action_values(state)[0]
        found = {int(action): int(values[action]) for action in np.flatnonzero(values != ILLEGAL)}
        assert found == minimax.action_values(other)
        assert set(np.flatnonzero(exact.perfect_moves(state)[0]).tolist()) == minimax.perfect_moves(other)
        lost += values.max() == -1
    assert lost > 0


def test_players_of_one_game_share_what_was_proven(cache):
    first, second = (solver(make("connect_four", rows=4, columns=4)) for _ in range(2))
    other = solver(make("connect_four", rows=4, columns=4, connect=3))
    first.values(first.game.reset(1))
    assert second.searched == first.searched > 1000 and other.searched == 0 and other.game.settings["connect"] == 3


def test_pool_offers_the_perfect_player():
    from experiments.pool import exact_player

    for name, settings, _ in PLAYERS:
        assert isinstance(exact_player(make(name, **settings)), Search)


@pytest.mark.parametrize("name, settings", [
    ("connect_four", {}), ("connect_four", {"rows": 3, "columns": 10}), ("mnk", {"rows": 9, "columns": 9, "k": 5}),
    ("breakthrough", {}), ("othello", {}), ("y", {"size": 7}),
])  # fmt: skip
def test_large_boards_are_refused_with_the_remedy(name, settings):
    with pytest.raises(GameError, match="without a perfect player"):
        solver(make(name, **settings))


def test_boards_without_room_in_a_word_are_refused():
    with pytest.raises(GameError, match="expected at most 62 bits"):
        prover_of(make("mnk", rows=8, columns=8, k=5))


def test_a_long_search_says_why_it_takes_its_time_and_says_it_once(monkeypatch, capsys):
    monkeypatch.setattr(searching, "SLICE", 100)
    monkeypatch.setattr(searching, "LONG", 1000)
    exact = search("connect_four", rows=4, columns=4)
    state = exact.game.reset(1)
    exact.action_values(exact.game.play(state[0], 0, 0, 0, 0, 1, 1, 1, 1, 2)[None])
    assert exact.searched < 1000 and not capsys.readouterr().err
    exact.action_values(state)
    assert exact.searched > 2000
    assert capsys.readouterr().err.count("connect_four4x4: perfect play searches openings") == 1


def test_places_of_a_key_are_one_line_of_the_cache():
    for slots in (16, 1 << 16):
        table = alpha_beta.empty_table(slots)
        assert table.shape == (slots, 2) and table.flags.c_contiguous and table.ctypes.data % 64 == 0


def test_rows_do_not_depend_on_their_batch():
    exact = search("connect_four", rows=4, columns=4)
    states = random_positions(exact.game, 60, np.random.default_rng(4))
    for ask in (exact.values, exact.action_values, exact.perfect_moves):
        assert (ask(states) == np.concatenate([ask(state[None]) for state in states])).all()
        assert (ask(states[::-1])[::-1] == ask(states)).all()


def test_small_tables_forget_and_still_prove():
    game = make("connect_four", rows=4, columns=4)
    states = random_positions(game, 60, np.random.default_rng(5), 6)
    assert (prover_of(game, slots=16).action_values(states) == search("connect_four", rows=4, columns=4)
            .action_values(states)).all()  # fmt: skip


def test_finished_games_have_the_result_and_no_moves():
    exact = search("mnk", rows=3, columns=3, k=3)
    state = exact.game.play(exact.game.reset(1)[0], 0, 3, 1, 4, 2)
    assert exact.values(state[None])[0] == -1  # player 0 has won, player 1 would be to move
    assert (exact.action_values(state[None]) == ILLEGAL).all()
    assert not exact.perfect_moves(state[None]).any()


# ---- stored results ------------------------------------------------------------------------------------------------


def fill():
    exact = search("connect_four", rows=4, columns=4)
    exact.action_values(exact.game.reset(1))
    exact.save()
    return exact


def test_a_second_search_knows_what_was_proven(cache):
    first = fill()
    second = search("connect_four", rows=4, columns=4)
    assert first.searched > 1000
    assert (second.action_values(second.game.reset(1)) == 0).all() and second.searched == 0


@pytest.mark.parametrize("damage", ["truncated", "flipped", "text", "empty", "other rules", "shape", "answers"])
def test_a_damaged_file_is_ignored_with_a_word_and_written_anew(cache, damage):
    fill()
    path = cache / "search-connect_four4x4.npz"
    good = dict(np.load(path))
    damage_file(path, damage)
    if damage == "other rules":
        np.savez(path, **{**good, "label": np.array(str(good["label"])[:-1] + "?")})
    elif damage == "shape":
        np.savez(path, **{**good, "table": good["table"][:, :1]})
    elif damage == "answers":
        np.savez(path, **{**good, "table": good["table"] | np.uint64(3)})
    with pytest.warns(UserWarning, match="are ignored and will be written anew") as told:
        exact = search("connect_four", rows=4, columns=4)
    assert len(told) == 1
    assert exact.values(exact.game.reset(1))[0] == 0 and exact.searched > 1000
    exact._store.save_when_due(patience=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search("connect_four", rows=4, columns=4)


def test_stored_results_are_of_the_knowledge_that_they_came_from():
    exact = search("connect_four", rows=4, columns=4)
    files = {os.path.basename(file) for file in searching.sources(exact.game, exact._form)}
    assert {"connect_four.py", "connect_four_solver.py", "stones.py"} <= files


def test_stored_results_are_of_the_settings_that_they_came_from(cache):
    """Also where the title does not tell them: three in a row on 3 x 4 wins, four do not."""

    class Untitled(Mnk):
        title = "board"

    three, four = (mnk_solver.prover(Untitled(rows=3, columns=4, k=k), slots=SLOTS) for k in (3, 4))
    assert three.values(three.game.reset(1))[0] == 1
    three.save()
    with pytest.warns(UserWarning, match="are ignored and will be written anew"):
        four = mnk_solver.prover(four.game, slots=SLOTS)
    assert four.values(four.game.reset(1))[0] == 0


def test_a_search_that_is_killed_has_stored_what_it_had(cache, monkeypatch):
    """The file is written while a question is open; how often follows from how long that takes."""
    for name, value in (("SLICE", 1000), ("SAVE_SECONDS", 0.0), ("SAVE_WORK", 1000), ("SAVE_SHARE", 1e-9)):
        monkeypatch.setattr(searching, name, value)
    exact = search("connect_four", rows=4, columns=5)
    told = end_at_the_third_look(exact)
    with pytest.raises(SystemExit):
        exact.values(exact.game.reset(1))
    rows = len(np.load(cache / "search-connect_four4x5.npz")["table"])
    assert 100 < rows <= 1000 and told == [1000, 2000, 3000] and exact._store._patience > 1000


def test_the_hardest_rows_are_stored(monkeypatch):
    exact = fill()
    monkeypatch.setattr(searching, "STORED_ROWS", 100)
    table = exact._work.table
    rows = searching.hardest_rows(table)
    assert len(rows) == 100 and rows[:, 1].min() == np.sort(table[:, 1])[-100]


# ---- command line --------------------------------------------------------------------------------------------------


def run(capsys, monkeypatch, *arguments, text=""):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    status = solve.main([*arguments, "--memory", "1"])
    return status, *capsys.readouterr()


def test_command_solves_and_goes_on_from_what_it_stored(capsys, monkeypatch):
    status, out, err = run(capsys, monkeypatch, "connect_four", "rows=4", "columns=4")
    assert status == 0 and "connect_four4x4: the player to move draws" in out and "draws: a b c d" in out
    assert "positions" in err
    status, out, err = run(capsys, monkeypatch, "connect_four", "rows=4", "columns=4", "--value", "--quiet")
    assert status == 0 and "draws; 0 positions" in out and not err


def test_command_reads_a_position(capsys, monkeypatch):
    text = "  a b c\n1 x . .\n2 . o .\n3 . . .\nx to move"
    status, out, _ = run(capsys, monkeypatch, "mnk", "-", text=text)
    assert status == 0 and "mnk3x3-3: the player to move draws" in out


def test_command_stops_at_ctrl_c_and_keeps_what_it_has(capsys, monkeypatch, cache):
    monkeypatch.setattr(searching, "SLICE", 1000)

    def interrupt(bar, count):
        raise KeyboardInterrupt

    monkeypatch.setattr(solve.tqdm, "update", interrupt)
    status, _, err = run(capsys, monkeypatch, "connect_four", "rows=4", "columns=5")
    assert status == 130 and "stopped after 1,000 positions; the same command goes on" in err
    assert len(np.load(cache / "search-connect_four4x5.npz")["table"]) > 100


def test_command_tells_of_a_table_that_finds_no_memory(capsys, monkeypatch):
    def refuse(slots):
        raise MemoryError

    monkeypatch.setattr(alpha_beta, "empty_table", refuse)
    assert solve.main(["mnk", "--memory", "500000"]) == 2
    assert "--memory 500000 cannot be had on this machine" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, message", [
    (["othello", "size=5"], "expected 4, 6 or 8"),
    (["connect_four", "rows"], "expected key=value"),
    (["chess"], "no game 'chess'"),
    (["connect_four", "rows=--4"], "rows='--4' cannot be: expected an integer"),
    (["connect_four", "rows=" + "4" * 5000], "cannot be: expected an integer"),
    (["mnk", "--memory", "0"], "expected 1 to 1048576 megabytes"),
    (["mnk", "--memory", "100000000000000000000"], "expected 1 to 1048576 megabytes"),
])  # fmt: skip
def test_command_explains_errors(capsys, monkeypatch, arguments, message):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert solve.main(arguments) == 2
    assert message in capsys.readouterr().err
