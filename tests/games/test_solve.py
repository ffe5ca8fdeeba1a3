"""Exact play of any game by alpha-beta: known values, plain minimax, enumeration, perfect players, stored results.

python -m tests.games.solve_speed      the table of docs/exact.md, and 1,000 games of each perfect player
"""

import functools
import io
import os
import sys
import warnings

import numpy as np
import pytest
from boards import choose, damage_file, random_positions

from games import GameError, alpha_beta, make, searching, solve
from games.enumeration import Enumeration
from games.exact import ILLEGAL, prover_of, solver
from games.forms import form_of
from games.searching import Search
from tests.games.breakthrough_twin import SlowBreakthrough
from tests.games.row_twin import SlowRow
from tests.games.y_twin import SlowY

SLOTS = 1 << 16


pytestmark = pytest.mark.usefixtures("cache")


def search(name, **settings):
    return prover_of(make(name, **settings), slots=SLOTS)


# ---- known values --------------------------------------------------------------------------------------------------

KNOWN = [
    # Connect Four, rows x columns: J. Tromp's table, continued by C. Steininger (github.com/ChristopheSteininger/c4).
    ("connect_four", {"rows": 4, "columns": 4}, 0),
    ("connect_four", {"rows": 5, "columns": 4}, 0),
    ("connect_four", {"rows": 6, "columns": 4}, 0),
    ("connect_four", {"rows": 4, "columns": 5}, 0),
    ("connect_four", {"rows": 4, "columns": 6}, -1),
    ("connect_four", {"rows": 5, "columns": 5}, 0),
    # k in a row: W. Uiterwijk, H. J. van den Herik, Information Sciences 122, 2000, and the articles named there.
    ("mnk", {"rows": 3, "columns": 3, "k": 3}, 0),
    ("mnk", {"rows": 3, "columns": 4, "k": 3}, 1),
    ("mnk", {"rows": 4, "columns": 3, "k": 3}, 1),
    ("mnk", {"rows": 2, "columns": 9, "k": 3}, 0),
    ("mnk", {"rows": 4, "columns": 4, "k": 4}, 0),
    # By enumeration in tests/games/test_othello.py: player 1 wins by 8 discs.
    ("othello", {"size": 4}, -1),
    # J. Nash's argument: an extra stone never harms.
    ("y", {"size": 2}, 1),
    ("y", {"size": 3}, 1),
    ("y", {"size": 4}, 1),
    # The common game.
    ("tictactoe", {}, 0),
]


@pytest.mark.parametrize("name, settings, value", KNOWN)
def test_known_values(name, settings, value):
    exact = search(name, **settings)
    assert exact.values(exact.game.reset(1))[0] == value


# ---- twins ---------------------------------------------------------------------------------------------------------


def slow_row(game):
    return SlowRow(
        game.rows, game.columns, game.settings.get("k") or game.settings["connect"], "connect" in game.settings
    )


def slow_value(twin, result):
    """Value for the player to move by plain minimax over a slow twin, each position once."""
    memory = {}

    def value(game):
        key = (
            *sorted(vars(game).get("stones", vars(game).get("pieces", vars(game).get("discs"))).items()),
            game.player,
        )
        if key not in memory:
            moves = game.legal()
            memory[key] = max((-value(after(game, move)) for move in moves), default=None)
            if not moves:
                memory[key] = result(game) * (1 - 2 * game.player)
        return memory[key]

    def after(game, move):
        child = type(game).__new__(type(game))
        vars(child).update({name: dict(v) if isinstance(v, dict) else v for name, v in vars(game).items()})
        child.play(move)
        return child

    return value(twin), len(memory)


def sign(winner):
    return 0 if winner is None else 1 - 2 * winner


TWINS = [
    ("connect_four", {"rows": 3, "columns": 3, "connect": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("connect_four", {"rows": 2, "columns": 4, "connect": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("mnk", {"rows": 2, "columns": 4, "k": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("mnk", {"rows": 3, "columns": 3, "k": 2}, slow_row, lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 3, "columns": 2}, lambda g: SlowBreakthrough(3, 2, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 3, "columns": 3}, lambda g: SlowBreakthrough(3, 3, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 4, "columns": 2}, lambda g: SlowBreakthrough(4, 2, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 4, "columns": 2, "home": 2}, lambda g: SlowBreakthrough(4, 2, 2),
     lambda twin: sign(twin.winner())),
    ("y", {"size": 3}, lambda g: SlowY(3), lambda twin: sign(twin.winner())),
]  # fmt: skip


@pytest.mark.parametrize("name, settings, twin, result", TWINS)
def test_values_agree_with_plain_minimax_of_the_twins(name, settings, twin, result):
    exact = search(name, **settings)
    value, positions = slow_value(twin(exact.game), result)
    assert positions > 10
    assert exact.values(exact.game.reset(1))[0] == value


def test_openspiel_agrees_on_breakthrough():
    """Plain minimax over OpenSpiel's own states, memory by its text of the position."""
    pyspiel = pytest.importorskip("pyspiel")
    for rows, columns in ((4, 2), (3, 3), (4, 3)):
        memory = {}

        def value(state, memory=memory):
            key = str(state)
            if key not in memory:
                if state.is_terminal():
                    memory[key] = int(state.returns()[0])
                else:
                    pick = max if state.current_player() == 0 else min
                    memory[key] = pick(value(state.child(action)) for action in state.legal_actions())
            return memory[key]

        expected = value(pyspiel.load_game(f"breakthrough(rows={rows},columns={columns})").new_initial_state())
        exact = search("breakthrough", rows=rows, columns=columns)
        assert exact.values(exact.game.reset(1))[0] == expected and len(memory) > 50


ENUMERATED = [
    ("connect_four", {"rows": 3, "columns": 4, "connect": 3}),
    ("mnk", {"rows": 3, "columns": 3, "k": 3}),
    ("breakthrough", {"rows": 4, "columns": 3}),
    ("othello", {"size": 4}),
    ("y", {"size": 3}),
    ("tictactoe", {}),
]


@functools.cache
def enumerated(name, settings):
    return Enumeration(make(name, **dict(settings)))


@pytest.mark.parametrize("name, settings", ENUMERATED)
def test_enumeration_agrees(name, settings):
    """On all positions of small games, on a sample of larger ones: values, action values, the stubborn choice."""
    twin = enumerated(name, tuple(settings.items()))
    exact = search(name, **settings)
    states = twin.graph.states
    if len(states) > 3000:
        states = np.concatenate([states[:50], np.random.default_rng(0).permutation(states)[:2000]])
    assert (exact.values(states) == twin.values(states)).all()
    assert (exact.action_values(states) == twin.action_values(states)).all()
    assert (exact.perfect_moves(states) == twin.perfect_moves(states)).all()


FORMS = [
    ("connect_four", {"rows": 4, "columns": 5}, 8),
    ("connect_four", {"rows": 5, "columns": 4}, 8),
    ("mnk", {"rows": 4, "columns": 4, "k": 4}, 4),
    ("mnk", {"rows": 3, "columns": 5, "k": 3}, 2),
    ("breakthrough", {"rows": 4, "columns": 4}, 2),
    ("breakthrough", {"rows": 5, "columns": 3}, 2),
]


ALL_FORMS = bool(os.environ.get("ISOELO_ALL_FORMS"))  # two more searches to compile, 20 s


@pytest.mark.parametrize("name, settings, low", FORMS if ALL_FORMS else FORMS[:2])
def test_forms_of_their_own_agree_with_the_rules(name, settings, low):
    """Bits, pruning and symmetries against a search over the game's own rules that keeps all states apart."""
    exact = search(name, **settings)
    game = exact.game
    plain = Search(game, form_of(game, look_alike=False), slots=SLOTS)
    states = random_positions(game, 300, np.random.default_rng(1), low, low + 8)
    assert len(states) > 100 and len(np.unique(exact.values(states))) > 1
    assert (exact.action_values(states) == plain.action_values(states)).all()
    assert (exact.perfect_moves(states) == plain.perfect_moves(states)).all()


@pytest.mark.parametrize("name, settings", [(name, settings) for name, settings, _ in FORMS])
def test_forms_play_as_the_rules_do(name, settings):
    """Legal actions, turns and ends of random games, and one key for all symmetric positions and for nothing else."""
    game = make(name, **settings)
    form = prover_of(game, slots=SLOTS)._form
    rng, keys, planes = np.random.default_rng(2), {}, np.zeros(game.observation_shape, np.float32)
    for _ in range(30):
        state = game.reset(1)
        row = form.pack(state)[0]
        while True:
            assert (row == form.pack(state)[0]).all()
            if game.over(state)[0]:
                break
            mask = np.zeros(game.num_actions, np.bool_)
            form.legal(row, form.params, mask)
            assert (mask == game.legal(state)[0]).all()
            seen = game.observe(state)[0].reshape(game.observation_shape[0], -1)
            turned = min(seen[:, cells].tobytes() for cells in game.symmetries.cells)
            keys.setdefault(turned, set()).add(int(form.key(row, form.params, form.words, planes)))
            action = int(choose(mask[None], rng)[0])
            form.apply(row, form.params, action)
            game.advance(state, np.array([action]))
    assert all(len(found) == 1 for found in keys.values())
    assert len(set.union(*keys.values())) == len(keys) > 50


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


@pytest.mark.parametrize("arguments, message", [
    (["othello", "size=5"], "expected 4, 6 or 8"),
    (["connect_four", "rows"], "expected key=value"),
    (["chess"], "no game 'chess'"),
    (["mnk", "--memory", "0"], "expected at least 1 megabyte"),
])  # fmt: skip
def test_command_explains_errors(capsys, monkeypatch, arguments, message):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert solve.main(arguments) == 2
    assert message in capsys.readouterr().err
