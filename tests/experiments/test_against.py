"""A game against an agent in the terminal: turns, what is refused, taking back, leaving and taking up again."""

import io
import os
import signal
import subprocess
import sys
from unittest import mock

import pytest
from applications import call, finish, start, wait_for

ROUND = ["game={name: tictactoe}", "strategy=perfect"]


def sit(lines, *words):
    """The command with these lines typed into it."""
    with mock.patch.object(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines))):
        return call("experiments.against", *words)


@pytest.mark.parametrize(
    "words", [ROUND, ["game={name: tictactoe}", "strategy=openspiel_mcts", "settings={simulations: 9}"]]
)
def test_a_game_is_played_to_its_end(words):
    cells = [f"{col}{row}" for row in "123" for col in "abc"]
    ended = sit(cells * 2, *words)  # those that are taken are refused
    assert ended.status == 0, ended.err
    assert ended.out.splitlines()[-1] in ("you have won", "a draw", "the agent has won")
    assert "agent: " in ended.out and "cannot be played here: expected one of" in ended.out


def test_a_network_tells_what_it_thinks_and_repeats_itself(tiny_run):
    games = [sit(["b2"], f"snapshot={tiny_run}", "budget=8") for _ in range(2)]
    assert games[0] == games[1] and games[0].status == 0
    assert ", value " in games[0].out and "left; moves='b2 " in games[0].err


def test_games_of_openspiel_are_played_by_its_names_or_its_numbers():
    ended = sit(["moves", "A", "zz"], "game={name: openspiel, id: oware}", "strategy=random")
    assert "A B C D E F" in ended.out and "is no move of openspiel-oware-6: expected such as " in ended.out
    numbers = ended.err.split("moves='")[1].split("'")[0]
    assert numbers.split()[0] == "0" and numbers.split()[1].isdecimal()
    assert sit([], "game={name: openspiel, id: oware}", "strategy=random", f"moves={numbers}").err == ended.err


def test_the_second_player_waits_and_the_moves_take_the_game_up_again():
    begun = sit([], *ROUND, "side=second")
    first = begun.err.split("moves='")[1][:2]
    assert begun.out.startswith(f"agent: {first}, value +0.00 for the agent")
    again = sit([], *ROUND, "side=second", f"moves={first}")
    assert "agent" not in again.out and again.err == begun.err


def test_moves_are_taken_back_with_the_answer_to_them():
    ended = sit(["undo", "b2", "undo", "moves"], *ROUND)
    assert "there is no move of yours to take back" in ended.out
    assert "a1 b1 c1 a2 b2 c2 a3 b3 c3" in ended.out and "left; moves='' " in ended.err


def test_words_that_are_no_move_are_told_what_is_expected():
    ended = sit(["z9", "", "b2 a1"], *ROUND)
    assert "'z9' is no move of tictactoe3: expected such as a1" in ended.out
    assert ended.out.count("expected a move such as a1, or moves, or undo") == 2


def test_a_forced_move_is_named():
    ended = sit(["a1"], "game={name: othello, size: 4}", "strategy=random", "moves=c4 b4 a2 d4")
    assert "your move, which can only be pass: a1 cannot be played here: expected one of pass" in ended.out


@pytest.mark.parametrize(("words", "message"), [
    ([], "snapshot is not given: strategy=puct needs the weights of a network"),
    (["strategy=random"], "neither snapshot nor game is given: expected such as"),
    ([*ROUND, "side=third"], "side=third cannot be: expected first or second"),
    ([*ROUND, "budget=0"], "budget=0 cannot be: expected at least 1"),
    ([*ROUND, "moves=a1 a1"], "a1 cannot be played here: expected one of b1"),
    ([*ROUND, "settings={depth: 3}"], "strategy 'perfect' has no setting 'depth'"),
])  # fmt: skip
def test_what_cannot_be_is_refused(words, message):
    ended = sit(["a1"], *words)
    assert ended.status == 1 and ended.out == "" and ended.err.startswith("error: ") and message in ended.err


def test_a_game_left_by_a_signal_is_taken_up_as_one_left_by_ctrl_c():
    process = start(*ROUND, program=("-m", "experiments.against"), stdin=subprocess.PIPE)
    assert wait_for(lambda: os.fstat(process.files[0].fileno()).st_size > 0, process)
    process.send_signal(signal.SIGTERM)
    ended = finish(process)
    process.stdin.close()
    assert ended.status == 130 and ended.err.splitlines()[-1] == "left; moves='' takes the game up again"
