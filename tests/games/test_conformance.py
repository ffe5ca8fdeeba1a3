"""The conformance check: green on the games of the collection, and red for the right reason on every broken one."""

import importlib
import re
import subprocess
import sys
from unittest import mock

import broken_rules
import broken_views
import pytest
from broken import BROKEN
from transposed import Transposed

from games import GameError, make
from games.conformance import (
    CHECKS,
    PromiseBroken,
    check_game,
    doubt,
    main,
    parametrize_with_checks,
    refuse_unsound,
    run_checks,
)
from games.core import Symmetries
from games.hex import Hex
from games.promises.views import check_symmetries, check_views
from games.tictactoe import TicTacToe

NAMES = [check.__name__ for check in CHECKS]


@parametrize_with_checks([TicTacToe, lambda: Hex(size=2, swap=True), Hex(size=3), Hex(size=5), Hex(size=5, swap=True)])
def test_games_keep_every_promise(game, check):
    check(game, 0)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_symmetries_are_those_of_each_players_own_view(size):
    check_symmetries(Transposed(size), 0)


def test_a_symmetry_of_one_player_only_is_refused():
    game = Transposed(4)
    game.symmetries = Symmetries(game.symmetries.actions[:2], game.symmetries.cells[:2])
    with pytest.raises(PromiseBroken, match="symmetry 1 does not map"):
        check_symmetries(game, 0)


SMALL = [("hex", {"rows": 2, "columns": 3}), ("y", {"size": 2}), ("y", {"size": 3}), ("go", {"size": 2}),
         ("connect_four", {"rows": 2, "columns": 3, "connect": 2}), ("mnk", {"rows": 2, "columns": 3, "k": 2}),
         ("breakthrough", {"rows": 2, "columns": 2}), ("breakthrough", {"rows": 4, "columns": 2})]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), SMALL)
def test_views_of_games_of_few_positions(name, settings):
    """They are looked at whole, each action in a few positions only."""
    check_views(make(name, **settings), 0)


@pytest.mark.parametrize("settings", [{"size": 2}, {"size": 4, "swap": True}, {"size": 7}, {"size": 11, "swap": True}])
def test_hex_keeps_every_promise_at_other_sizes(settings):
    check_game(make("hex", **settings), seed=1)


@pytest.mark.parametrize(("cls", "check", "words"), BROKEN, ids=[case[0].__name__ for case in BROKEN])
def test_check_fails_on_the_broken_game_and_says_why(cls, check, words):
    game = cls(**getattr(cls, "given", {}))
    with pytest.raises(PromiseBroken) as caught:
        CHECKS[NAMES.index(check)](game, 0)
    assert words in str(caught.value)


def test_every_check_is_seen_to_fail():
    assert {check for _, check, _ in BROKEN} == set(NAMES)


def test_checks_that_could_crash_stop_the_rest():
    found = dict(run_checks(broken_rules.IndexTooLarge()))
    assert list(found) == NAMES[: NAMES.index("check_plain_python") + 1]
    assert "IndexError" in found["check_plain_python"]


def test_check_game_names_all_broken_promises():
    with pytest.raises(PromiseBroken, match=r"breaks 2 of \d+ promises\ncheck_length: .*\ncheck_play: "):
        check_game(LongAndTrusting)


class LongAndTrusting(broken_rules.LongerThanDeclared):
    play = broken_views.TrustingPlay.play


GRAVE = ("check_legal", "check_length", "check_observation", "check_leftovers", "check_own_rows", "check_looking",
         "check_symmetries", "check_settings")  # fmt: skip


@pytest.mark.parametrize(("cls", "check"), [case[:2] for case in BROKEN if case[1] in GRAVE])
def test_what_a_search_could_not_bear_is_refused_at_first_sight(cls, check):
    with pytest.raises(GameError, match=r"breaks a promise, check_\w+: .* See python -m games.conformance") as caught:
        refuse_unsound(cls(**getattr(cls, "given", {})))
    assert "\n" not in str(caught.value) and "Position:" not in str(caught.value)


@pytest.mark.parametrize("cls", [case[0] for case in BROKEN if case[1] == "check_views"])
def test_whose_pieces_come_first_is_doubted_and_not_refused(cls):
    game = cls()
    assert "check_views: " in str(doubt(game)) and "\n" not in str(doubt(game))
    assert doubt(broken_rules.Base()) is None and doubt(TicTacToe()) is None


def test_the_collections_own_games_are_not_looked_at_again():
    with mock.patch("games.conformance.FIRST_LOOK", [mock.Mock(side_effect=AssertionError)]):
        refuse_unsound(TicTacToe())


@pytest.mark.parametrize(("lines", "told"), [
    (["class Mine(Game):", "    def __init__(self, size=3):", "        assert size > 3, 'too' + chr(10) + 'small'"],
     r"cannot be built with size=3: AssertionError: too small \(.*strange.py, line 4\)"),
    (["1 / 0"], r"cannot be imported: ZeroDivisionError: division by zero \(.*strange.py, line 2\)"),
    (["class Mine(Game):", "    name = 'mine'", "    def __init__(self, size=3):", "        self.settings = {}"],
     "does not declare rules, num_actions, title: expected"),
    (["class Mine(Game:"], r"cannot be imported: SyntaxError: .*strange.py, line 2\)"),
])  # fmt: skip
def test_a_module_that_fails_is_told_in_one_line(lines, told, tmp_path, monkeypatch):
    (tmp_path / "strange.py").write_text("\n".join(["from games import Game", *lines, ""]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "strange", raising=False)
    with pytest.raises(GameError, match=f"game 'strange:Mine' {told}") as caught:
        make("strange:Mine", size=3)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("command", ["games.exact", "games.solve"])
def test_a_broken_game_is_not_solved(command, capsys):
    assert importlib.import_module(command).main(["broken_rules:LongerThanDeclared"]) == 2
    assert "breaks a promise, check_length" in capsys.readouterr().err


def test_promises_can_be_waived_by_name():
    check_game(broken_rules.LongerThanDeclared, skip=["check_length"])
    with pytest.raises(GameError, match="no check is called check_lenght"):
        check_game(TicTacToe, skip=["check_lenght"])


def test_any_other_error_is_a_broken_promise():
    found = dict(run_checks(Unfinished()))
    assert found["check_text"] is not None and found["check_text"].startswith("NotImplementedError")


def test_a_game_that_is_over_at_first_is_told_once():
    found = {name: reason for name, reason in run_checks(broken_rules.OverAtFirst()) if reason is not None}
    assert not [reason for reason in found.values() if "Error" in reason], found


@pytest.mark.parametrize(("cls", "told"), [
    (broken_rules.NotDecorated, "a kernel does not compile: .*; a rule is without its decorator @kernel$"),
    (broken_rules.NotCompilable, "a kernel does not compile: Untyped global name 'id'.*broken_rules.py"),
])  # fmt: skip
def test_what_does_not_compile_is_told_in_one_line(cls, told):
    found = dict(run_checks(cls()))
    assert re.match(told, found["check_plain_python"] or "") and "\n" not in found["check_plain_python"], found


class Unfinished(TicTacToe):
    def draw(self, state):
        raise NotImplementedError


# ---- command -------------------------------------------------------------------------------------------------------


def test_command_prints_each_check(capsys):
    assert main(["hex", "size=3", "swap=true"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:-1]] == [[name, "ok"] for name in NAMES]
    assert lines[-1] == f"hex3-swap: {len(CHECKS)} of {len(CHECKS)} promises kept"


def test_command_takes_games_from_anywhere_and_fails_with_status_1(capsys):
    assert main(["broken_rules:LongerThanDeclared"]) == 1
    out = capsys.readouterr().out
    assert "check_length                     FAILED: a game went on after max_length = 8" in out
    assert f"{len(CHECKS) - 1} of {len(CHECKS)} promises kept" in out
    assert main(["broken_rules:IndexTooLarge"]) == 1
    assert "not run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "no game 'nope'"),
        (["hex", "size=3", "size=4"], "size is given twice, 3 and 4"),
        (["broken_rules:Nope"], "broken_rules:Nope"),
        (["no_such_package.module:Game"], "no_such_package"),
        (["hex", "sise=5"], "no setting 'sise'"),
        (["hex", "size=1"], "size=1 cannot be: expected an integer from 2 to 19"),
        (["hex", "size=big"], "size='big'"),
        (["hex", "5"], "'5' is no setting: expected key=value"),
        (["hex", "swap=1"], "swap=1 cannot be"),
        (["tictactoe", "size=3"], "no setting 'size'"),
    ],
)
def test_command_refuses_bad_input_in_one_line(arguments, words, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert words in captured.err


def test_command_line_itself():
    run = [sys.executable, "-m", "games.conformance"]
    assert "key=value" in subprocess.run([*run, "--help"], capture_output=True, text=True, check=True).stdout
    bad = subprocess.run([*run, "hex", "size=99"], capture_output=True, text=True)
    assert (bad.returncode, bad.stdout) == (2, "") and "size=99" in bad.stderr
