"""The arena of a study: matches.csv only grows, can be cut off anywhere, and what cannot be is refused."""

import csv
import errno

import numpy as np
import pytest
from applications import call, everything, lines
from omegaconf import OmegaConf

pytest.importorskip("games.exact")

from agents.snapshot import describe
from experiments import records
from experiments.arena import COLUMNS, MatchFile, play_study
from experiments.pool import pools, read_study
from training.settings import SettingsError


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


# ---- the file ------------------------------------------------------------------------------------------------------


def some_rows(count, start=0):
    row = dict.fromkeys(COLUMNS, "") | {"wins_a": 1, "draws": 0, "wins_b": 1, "games": 2, "seed": 0, "round": 0}
    return [row | {"agent_a": f"a{i}", "agent_b": f"b{i}"} for i in range(start, start + count)]


def test_rows_are_appended_and_read_back(tmp_path):
    file = MatchFile(tmp_path / "matches.csv")
    file.append(some_rows(3))
    begun = (tmp_path / "matches.csv").read_bytes()
    file.append(some_rows(2, 3))
    assert (tmp_path / "matches.csv").read_bytes().startswith(begun)
    again = MatchFile(tmp_path / "matches.csv")
    assert again.rows == file.rows and [row["agent_a"] for row in again.rows] == [f"a{i}" for i in range(5)]
    assert [list(row) for row in again.rows] == [COLUMNS] * 5


def test_a_file_cut_off_at_any_byte_is_repaired_to_its_whole_rows(tmp_path):
    path = tmp_path / "matches.csv"
    MatchFile(path).append(some_rows(3))
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        kept = MatchFile(path)
        complete = whole[:length].count(b"\n") - 1
        assert len(kept.rows) == max(complete, 0)
        kept.append(some_rows(3)[max(complete, 0) :])
        assert path.read_bytes() == whole


def test_a_foreign_table_is_refused_and_kept(tmp_path):
    path = tmp_path / "matches.csv"
    for text in ("agent_a,agent_b,wins_a,draws,wins_b\nx,y,1,0,1\n", "a,b\n1,2\n", "agent_a\n", "\x00\x01\n"):
        path.write_text(text)
        with pytest.raises(records.RecordError, match=r"matches\.csv"):
            MatchFile(path)
        assert path.read_text() == text


@pytest.mark.parametrize("begun", [False, True])
def test_a_full_disk_leaves_the_table_as_it_was(tmp_path, monkeypatch, begun):
    path = tmp_path / "matches.csv"
    file = MatchFile(path)
    if begun:
        file.append(some_rows(2))
    before = path.read_bytes() if begun else None

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("experiments.arena.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            file.append(some_rows(2, 2))
    assert (path.read_bytes() if path.exists() else None) == before
    file.append(some_rows(2, 2))
    assert len(MatchFile(path).rows) == (4 if begun else 2)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OSError, match="missing"):
        MatchFile(tmp_path / "missing" / "matches.csv").append(some_rows(1))


# ---- a study -------------------------------------------------------------------------------------------------------


def test_each_pair_meets_once_and_only_within_its_size(tiny_study):
    rows = table(tiny_study / "matches.csv")
    met = [frozenset((row["agent_a"], row["agent_b"])) for row in rows]
    assert len(set(met)) == len(met) and all(len(pair) == 2 for pair in met)
    agents = {row["agent"]: row for row in table(tiny_study / "agents.csv")}
    for row in rows:
        assert agents[row["agent_a"]]["size"] == agents[row["agent_b"]]["size"] == row["size"]
    assert {row["round"] for row in rows} == {"0", "1"}
    assert {name for row in rows for name in (row["agent_a"], row["agent_b"])} == set(agents)


def test_a_strategy_with_other_settings_does_not_go_on_with_the_matches(copied_study):
    before = (copied_study / "matches.csv").read_bytes()
    with pytest.raises(SettingsError, match=r"matches of puct were played with c=1\.5, now 2\.0: set arena\.settings"):
        play_study(copied_study, {"settings": {"c": 2.0}})
    assert (copied_study / "matches.csv").read_bytes() == before
    play_study(copied_study)  # nothing is missing
    assert (copied_study / "matches.csv").read_bytes() == before
    for text in ("", '{"puct": ', "[]", '{"puct": 1}'):
        (copied_study / "arena.json").write_text(text)
        with pytest.raises(SettingsError, match=r"arena\.json is damaged: put it back as it was, or move it and"):
            play_study(copied_study)
    (copied_study / "arena.json").unlink()  # of a version that did not note them
    with pytest.raises(SettingsError, match=r"arena\.json does not say with which settings of puct"):
        play_study(copied_study)
    (copied_study / "matches.csv").unlink()
    play_study(copied_study, {"settings": {"c": 2.0}})
    assert (copied_study / "matches.csv").read_bytes() != before


def test_agents_carry_what_was_counted(tiny_study):
    rows = table(tiny_study / "matches.csv")
    for agent in table(tiny_study / "agents.csv"):
        sides = [(row, side) for row in rows for side in "ab" if row[f"agent_{side}"] == agent["agent"]]
        moves = sum(int(row[f"moves_{side}"]) for row, side in sides)
        kept = sum(int(row[f"optimal_{side}"]) for row, side in sides)
        assert float(agent["optimality"]) == pytest.approx(kept / moves)
        assert int(agent["optimality_positions"]) == moves
        if agent["strategy"] == "puct":
            spent = sum(int(row[f"evaluations_{side}"]) for row, side in sides) / moves
            assert 0 < spent <= int(agent["budget"])
            assert float(agent["evaluations"]) == pytest.approx(spent)
            assert float(agent["test_flops_per_move"]) == pytest.approx(spent * int(agent["forward_flops"]))
        else:
            assert agent["evaluations"] == agent["test_flops_per_move"] == agent["train_flops"] == ""
            assert agent["anchor"] == str(int(agent["strategy"] == "perfect"))
        if agent["strategy"] == "perfect":
            assert kept == moves


def test_agents_are_the_snapshots_at_every_budget(tiny_study):
    agents = table(tiny_study / "agents.csv")
    paths = sorted(tiny_study.glob("runs/*/snapshots/*.safetensors"))
    assert len(agents) == 2 * len(paths) + 4  # random and perfect on two sizes
    for path in paths:
        run, ledger = path.parents[1].name, describe(path)["ledger"]
        own = [a for a in agents if a["run"] == run and a["snapshot"] == str(int(path.stem))]
        assert sorted(a["budget"] for a in own) == ["1", "4"]
        assert all(int(a["train_flops"]) == ledger["train_flops"] for a in own)
        assert all(int(a["selfplay_flops"]) + int(a["learner_flops"]) == ledger["train_flops"] for a in own)


def test_a_second_call_plays_and_changes_nothing(tiny_study):
    before = everything(tiny_study)
    play_study(tiny_study)
    assert everything(tiny_study) == before


def test_a_table_cut_off_anywhere_ends_with_the_same_bytes(copied_study):
    path = copied_study / "matches.csv"
    whole, agents = path.read_bytes(), (copied_study / "agents.csv").read_bytes()
    for length in np.random.default_rng(0).integers(0, len(whole), 6):
        path.write_bytes(whole[:length])
        (copied_study / "agents.csv").unlink()
        play_study(copied_study)
        assert path.read_bytes() == whole
        assert (copied_study / "agents.csv").read_bytes() == agents


def test_another_protocol_adds_its_own_matches_and_keeps_the_others(copied_study):
    whole = (copied_study / "matches.csv").read_bytes()
    ended = call("experiments.arena", f"study_dir={copied_study}", "arena.openings=2", "arena.opening_moves=1")
    assert ended.status == 0, ended.err
    grown = (copied_study / "matches.csv").read_bytes()
    assert grown.startswith(whole) and len(grown) > len(whole)
    new = table(copied_study / "matches.csv")[whole.count(b"\n") - 1 :]
    assert {(row["protocol"], row["games"]) for row in new} == {("1 random opening moves", "4")}


def test_fewer_snapshots_and_other_budgets_make_another_pool(tiny_study):
    study = read_study(tiny_study, {"snapshots": 2, "budgets": [2], "anchor_games": False})
    for pool in pools(study):
        chosen = [row["snapshot"] for row in pool.rows if row["strategy"] == "puct"]
        assert len(chosen) == 4 and chosen[0] == 0 and chosen[1] > 1  # first and last of two runs
        assert {row["budget"] for row in pool.rows if row["strategy"] == "puct"} == {2}
        assert pool.rows[pool.anchor]["strategy"] == "perfect"


# ---- bad input -----------------------------------------------------------------------------------------------------

REFUSED = [
    (["arena.openings=0"], "arena.openings=0 cannot be: expected at least 1"),
    (["arena.openings=many"], "openings='many' cannot be: expected a whole number"),
    (["arena.opening=4"], "arena.opening"),
    (["arena.budgets=[0]"], "arena.budgets=[0] cannot be"),
    (["arena.budgets=[two]"], "budgets[0]='two' cannot be: expected a whole number"),
    (["arena.budgets=3"], "budgets"),
    (["arena.strategy=nonsense"], "no strategy 'nonsense'"),
    (["arena.sample=maybe"], "sample='maybe' cannot be: expected true or false"),
    (["arena.opening_moves=0"], "would replay one game"),
    (["studydir=x"], "studydir"),
]


@pytest.mark.parametrize("arguments, message", REFUSED, ids=lambda value: str(value)[:30])
def test_what_cannot_be_played_is_refused(tiny_study, arguments, message):
    before = everything(tiny_study)
    ended = call("experiments.arena", f"study_dir={tiny_study}", *arguments)
    assert ended.status == 1 and ended.out == ""
    assert len(lines(ended.err)) == 1 and message in ended.err, ended.err
    assert everything(tiny_study) == before


def test_no_folder_and_a_folder_that_is_no_study_are_refused(tmp_path):
    for arguments, message in (
        ([], "study_dir"),
        ([f"study_dir={tmp_path}/nothing"], "nothing is no study: it has no study.yaml"),
        ([f"study_dir={tmp_path}"], "is no study: it has no study.yaml; make one with"),
    ):
        ended = call("experiments.arena", *arguments)
        assert ended.status == 1 and message in ended.err and len(lines(ended.err)) == 1, ended.err
        assert not list(tmp_path.iterdir()), "nothing is written"


def test_a_study_with_an_unfinished_run_is_refused_with_its_name(copied_study):
    status = next(copied_study.glob("runs/hex3-2x1-s0/status.json"))
    for content in ('{"state": "interrupted", "share": 0.5}', "{", ""):
        status.write_text(content)
        ended = call("experiments.arena", f"study_dir={copied_study}", "arena.openings=3")
        assert ended.status == 1 and len(lines(ended.err)) == 1
        assert "1 of 4 runs are not finished, the first is hex3-2x1-s0" in ended.err


@pytest.mark.parametrize("content", ["", "3", "[1, 2]", "cells: {}", "a: [unclosed", "\x00", "arena: {nonsense: 1}"])
def test_a_damaged_study_file_is_refused(copied_study, content):
    (copied_study / "study.yaml").write_text(content)
    ended = call("experiments.arena", f"study_dir={copied_study}")
    assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
    assert "study.yaml cannot be used" in ended.err and "start the study again" in ended.err


@pytest.mark.parametrize("content", ["", "3", "game: [unclosed", "\x00", "game: {name: hex}"])
def test_a_damaged_config_of_a_run_is_named(copied_study, content):
    (copied_study / "runs" / "hex3-2x1-s0" / "config.yaml").write_text(content)
    ended = call("experiments.arena", f"study_dir={copied_study}")
    assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
    assert "hex3-2x1-s0/config.yaml cannot be read" in ended.err and "delete the folder" in ended.err


def test_a_damaged_match_table_is_refused_with_its_line(copied_study):
    path = copied_study / "matches.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join([*rows[:3], rows[3].replace(rows[3].split(",")[0], "", 1), *rows[4:]]) + "\n")
    before = path.read_bytes()
    ended = call("experiments.arena", f"study_dir={copied_study}")
    assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
    assert "matches.csv" in ended.err and "4" in ended.err
    assert path.read_bytes() == before


def test_a_damaged_snapshot_is_refused_with_its_name(copied_study):
    path = sorted(copied_study.glob("runs/hex2-2x1-s0/snapshots/*.safetensors"))[0]
    path.write_bytes(path.read_bytes()[:-10])
    ended = call("experiments.arena", f"study_dir={copied_study}", "arena.openings=3")
    assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
    assert f"{path.name} is no snapshot of Isoelo, or is damaged" in ended.err


def test_the_settings_of_the_study_are_what_is_played(tiny_study):
    record = OmegaConf.load(tiny_study / "study.yaml")
    study = read_study(tiny_study)
    assert list(study.arena.budgets) == [1, 4] == list(record.arena.budgets)
    assert study.arena.openings == 4 and study.cells == ["hex2-2x1-s0", "hex2-6x1-s0", "hex3-2x1-s0", "hex3-6x1-s0"]


def test_what_sharing_saves_is_measured_and_changes_no_result(copied_study):
    before = everything(copied_study)
    ended = call("experiments.sharing", f"study_dir={copied_study}", "pairs=4")
    assert ended.status == 0, ended.err
    assert ended.out.count("same results: True") == 2 and "% fewer" in ended.out  # a line for each size
    assert everything(copied_study) == before, "nothing is written"
    study = copied_study / "study.yaml"
    study.write_text(study.read_text().replace("strategy: puct", "strategy: random"))
    ended = call("experiments.sharing", f"study_dir={copied_study}")
    assert ended.status == 1 and "arena.strategy=random makes no searches" in ended.err, ended.err


@pytest.mark.parametrize("more", [["arena.rounds=3"], []], ids=["matches left", "none left"])
def test_snapshots_of_other_rules_are_refused_before_the_matches(copied_study, monkeypatch, more):
    """Also where none has to be loaded, since ratings of both rules would stand in one table."""
    monkeypatch.setattr("agents.snapshot.fingerprint", lambda game: "of an edited game")
    before = everything(copied_study)
    ended = call("experiments.arena", f"study_dir={copied_study}", *more)
    assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
    assert "snapshots/000.safetensors was trained under other rules of hex2" in ended.err
    assert everything(copied_study) == before
