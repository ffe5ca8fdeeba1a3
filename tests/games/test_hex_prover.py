"""Hex 7 x 7 by `games.solve`: values that others have published, stopping and going on, tables of any size."""

import io
import os
import signal
import subprocess
import sys

import numba
import numpy as np
import pytest
from boards import damage_file, random_positions
from searches import end_at_the_third_look

from games import GameError, hex_bits, hex_proof, hex_solver, hex_table, make, solve
from games.core import HEADER, TO_MOVE
from games.exact import prover_of, solver
from tests.games import slow_hex

pytestmark = pytest.mark.usefixtures("cache")

ALL = bool(os.environ.get("ISOELO_PUBLISHED"))  # all openings: minutes

# Which first moves win for player 0. R. Hayward, Y. Björnsson, M. Johanson, M. Kan, N. Po, J. van Rijswijck, Solving
# 7x7 Hex with domination, fill-in, and virtual connections, Theoretical Computer Science 349, 2005. As listed in the
# tests of Benzene (github.com/cgao3/benzene-vanilla-cmake, regression/dfpn-solve-7x7.tst) and drawn in HexWiki.
OPENINGS = ["------+", "--+-+++", "-+++++-", "+++++++", "-+++++-", "+++-+--", "+------"]
QUICK = ["e3", "f2", "f1"]

NOTHING = np.uint64(0)


@pytest.mark.parametrize("name", [c + str(r) for r in range(1, 5) for c in "abcdefg"] if ALL else QUICK)
def test_openings_have_the_published_values(name):
    game = make("hex", size=7)
    row, column = int(name[1]) - 1, ord(name[0]) - ord("a")
    value = prover_of(game).values(game.play(game.reset(1)[0], 7 * row + column)[None])[0]
    assert value == {"+": -1, "-": 1}[OPENINGS[row][column]]


def test_late_positions_agree_with_plain_search():
    game = make("hex", size=7)
    exact, seen = prover_of(game), set()
    for state in random_positions(game, 30, np.random.default_rng(0), 37, 42):
        codes = state[HEADER:].astype(int)
        cells = np.where(codes == 0, -1, (codes - 1) % 2)
        values = slow_hex.action_values(cells, 7, int(state[TO_MOVE]))
        assert (exact.action_values(state[None])[0] == values).all(), game.draw(state)
        assert (exact.perfect_moves(state[None])[0] == slow_hex.stubborn(cells, 7, int(state[TO_MOVE]))).all()
        seen.add(values.max())
    assert seen == {-1, 1}


# ---- stopping and going on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [1, 7, 1000])
def test_a_proof_that_was_stopped_goes_on_where_it_was(budget):
    """The same entry after the same number of positions, however often it was stopped."""
    board, stone = hex_bits.make_board(6), np.uint64(1 << 2)
    straight, stopped = hex_proof.make_work(1 << 16, 64), hex_proof.make_work(1 << 16, 64)
    expected = hex_proof.prove(board, NOTHING, stone, straight)
    entry, calls = NOTHING, 0
    while not entry:
        stopped.tally[hex_proof.STOP] = stopped.tally[hex_proof.LOOKED] + budget
        entry = hex_proof.prove(board, NOTHING, stone, stopped)
        calls += 1
    assert entry == expected and calls >= stopped.tally[hex_proof.LOOKED] // budget - 1 > 1
    assert (stopped.tally[:2] == straight.tally[:2]).all() and straight.tally[hex_proof.LOOKED] > 1000


def test_another_question_may_come_between():
    board, work = hex_bits.make_board(6), hex_proof.make_work(1 << 16, 64)
    stones = [np.uint64(1 << 2), np.uint64(1 << 10)]
    expected = [hex_proof.prove(board, NOTHING, stone, hex_proof.make_work(1 << 16, 64)) for stone in stones]
    for stone in stones:
        work.tally[hex_proof.STOP] = work.tally[hex_proof.LOOKED] + 500
        assert not hex_proof.prove(board, NOTHING, stone, work)
    work.tally[hex_proof.STOP] = np.iinfo(np.int64).max
    for stone, entry in zip(stones, expected, strict=True):
        assert hex_proof.prove(board, NOTHING, stone, work) & hex_table.WON == entry & hex_table.WON


def test_what_is_known_may_be_asked_between():
    """A position that needs no search leaves the proof that was stopped as it is."""
    board, stone = hex_bits.make_board(6), np.uint64(1 << 2)
    straight, stopped = hex_proof.make_work(1 << 16, 64), hex_proof.make_work(1 << 16, 64)
    hex_proof.prove(board, NOTHING, stone, straight)
    entry, between = NOTHING, 0
    while not entry:
        stopped.tally[hex_proof.STOP] = stopped.tally[hex_proof.LOOKED] + 20
        entry = hex_proof.prove(board, NOTHING, stone, stopped)
        assert hex_proof.prove(board, board.left, NOTHING, stopped)
        between += 1
    assert between > 10 and stopped.tally[hex_proof.LOOKED] - between < 1.2 * straight.tally[hex_proof.LOOKED]


@pytest.mark.parametrize("swap", [False, True])
def test_answers_do_not_depend_on_how_often_the_search_looks_at_the_clock(swap, monkeypatch):
    game = make("hex", size=4, swap=swap)
    states = np.concatenate([game.reset(1), random_positions(game, 60, np.random.default_rng(1))])
    exact, told = solver(game), []
    expected = [ask(states) for ask in (exact.values, exact.action_values, exact.perfect_moves)]
    hex_solver.tables.cache_clear()
    for name in ("SLICE", "ROWS"):
        monkeypatch.setattr(hex_solver, name, 3)
    exact = solver(game)
    exact.tell = told.append
    found = [ask(states) for ask in (exact.values, exact.action_values, exact.perfect_moves)]
    assert all((one == other).all() for one, other in zip(expected, found, strict=True))
    assert told == sorted(told) and told[-1] == exact.searched > 50 and len(told) > 60


# ---- tables --------------------------------------------------------------------------------------------------------


def filled(table, count, rng):
    """Random positions with entries of random effort, put into a table."""
    board = hex_bits.make_board(7)
    rows = rng.integers(1, int(board.full) + 1, (count, 2)).astype(np.uint64) & board.full
    rows[:, 1] &= ~rows[:, 0]
    for own, opp in rows:
        entry = hex_table.with_effort(hex_table.KNOWN | (own & np.uint64(0xFF)), int(opp) & 0xFFFF)
        hex_table.remember(board, table, own, opp, np.uint64(entry))
    return board, rows


def test_a_table_that_grows_keeps_what_took_effort():
    table = hex_table.make_table(1 << 15)
    board, rows = filled(table, 10_000, np.random.default_rng(0))
    found = np.array([hex_table.recall(board, table, own, opp) for own, opp in rows], np.uint64)
    assert table[-1, 0] == 1 << 15 and (found != 0).sum() == table[-1, 1] > 9000
    assert (found[found != 0] & hex_table.CELLS == rows[found != 0, 0] & np.uint64(0xFF)).all()
    digits = found[found != 0] >> hex_table.EFFORT_SHIFT & np.uint64(63)
    expected = np.array([int(opp & np.uint64(0xFFFF)).bit_length() for opp in rows[found != 0, 1]])
    assert (digits == expected).all()


def test_a_full_table_keeps_what_took_effort():
    table = hex_table.make_table(1 << 10)
    board, rows = filled(table, 10_000, np.random.default_rng(1))
    efforts = np.array([int(opp & np.uint64(0xFFFF)).bit_length() for opp in rows[:, 1]])
    found = np.array([hex_table.recall(board, table, own, opp) for own, opp in rows]) != 0
    assert found.sum() == table[-1, 1] == 1 << 10 and table[-1, 2] > 1 << 11
    assert (efforts == 15).mean() < 0.3 and (efforts[found] == 15).mean() > 0.7


def test_the_empty_board_is_found_in_a_table_too():
    table, board = hex_table.make_table(64), hex_bits.make_board(7)
    hex_table.remember(board, table, NOTHING, NOTHING, hex_table.KNOWN)
    assert hex_table.recall(board, table, NOTHING, NOTHING) == hex_table.KNOWN
    assert table[-1, 1] == 1


# ---- command line --------------------------------------------------------------------------------------------------


def run(capsys, *arguments, text=""):
    status = solve.main([*arguments, "--memory", "64"])
    return status, *capsys.readouterr()


def test_command_values_the_empty_board_and_keeps_it(capsys, cache):
    status, out, err = run(capsys, "hex", "size=7", "--value")
    assert status == 0 and "hex7: the player to move wins" in out and "positions" in err
    assert (cache / "hex7.npz").stat().st_size < 26e6
    hex_solver.tables.cache_clear()
    status, out, _ = run(capsys, "hex", "size=7", "--value", "--quiet")
    assert status == 0 and "wins; 1 positions" in out
    damage_file(cache / "hex7.npz", "flipped")
    hex_solver.tables.cache_clear()
    with pytest.warns(UserWarning, match="are ignored and will be written anew"):
        assert prover_of(make("hex", size=7)).searched == 0


LATE = """a b c d e f g
1 . . . . x . .
2 . . . x . . .
3 . . x . . . .
4 o x o o . . .
5 . o . . . . .
6 . . . . . . .
7 . . . . . . .
x to move"""


def test_command_reads_a_position(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(LATE))
    status, out, _ = run(capsys, "hex", "size=7", "-")
    assert status == 0 and "hex7: the player to move" in out and "perfect player: " in out


def test_command_stops_at_ctrl_c_and_goes_on(capsys, cache):
    """A process of its own, stopped by the signal that Ctrl-C sends."""
    env = dict(os.environ)
    if numba.config.CACHE_DIR:  # the kernels this process has compiled
        env["NUMBA_CACHE_DIR"] = os.path.dirname(numba.config.CACHE_DIR)
    command = [sys.executable, "-m", "games.solve", "hex", "size=7", "--memory", "64"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        read = b""
        while b"00k positions" not in read:
            read += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 130 and b"the same command goes on" in err
    stored = len(np.load(cache / "hex7.npz")["proofs"])
    assert stored > 1000
    exact = prover_of(make("hex", size=7), slots=1 << 20)
    assert exact._tables.work.proofs[-1, 1] > 0.9 * stored
    assert exact.values(exact.game.reset(1))[0] == 1


def test_a_search_that_is_killed_has_stored_what_it_had(cache, monkeypatch):
    """The file is written while a question is open; how often follows from how long that takes."""
    for name, value in (("SLICE", 10_000), ("SAVE_SECONDS", 0.0), ("SAVE_SHARE", 1e-9)):
        monkeypatch.setattr(hex_solver, name, value)
    exact = prover_of(make("hex", size=7))
    told = end_at_the_third_look(exact)
    with pytest.raises(SystemExit):
        exact.values(exact.game.reset(1))
    assert len(np.load(cache / "hex7.npz")["proofs"]) > 1000 and told == [10_000, 20_000, 30_000]
    assert exact._tables._patience > 1000


@pytest.mark.parametrize("arguments, message", [
    (["size=8"], "from size 2 to 7, not 8"),
    (["rows=7", "columns=6"], "of square boards, not hex7x6"),
    (["size=7", "--memory", "0"], "expected 1 to 1048576 megabytes"),
])  # fmt: skip
def test_command_explains_errors(capsys, arguments, message):
    status = solve.main(["hex", *arguments])
    assert status == 2 and message in capsys.readouterr().err


def test_memory_is_what_was_asked_for():
    with pytest.raises(GameError, match="from size 2 to 6"):
        solver(make("hex", size=7))
    work = hex_solver.prover(make("hex", size=7), slots=solve.slots_in(1))._tables.work
    assert 2**19 < work.proofs.nbytes + work.answers.nbytes <= 2**20 + 2 * 24 * hex_table.WAYS


def test_little_memory_is_enough():
    game = make("hex", size=5)
    expected = solver(game).action_values(game.reset(1))
    assert (hex_solver.prover(game, slots=64).action_values(game.reset(1)) == expected).all()
