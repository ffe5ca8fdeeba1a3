"""Tables are read with care: every kind of broken file gives one message that names file, line, value and remedy."""

import json
import os

import numpy as np
import pytest

from experiments import records
from experiments.records import RecordError

HEADER = "agent_a,agent_b,wins_a,draws,wins_b"
COLOURS = HEADER + ",wins_a_first,draws_a_first,wins_b_first,draws_b_first,outcomes"


def table(tmp_path, *lines):
    path = tmp_path / "matches.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_reads_a_foreign_table(tmp_path):
    path = table(tmp_path, "wins_b,draws,wins_a,agent_b,agent_a,comment", "1,2,3,y,x,hello", "", "0,0,4.0,z,x,")
    found = records.read_matches(path)
    assert set(found) == {"agent_a", "agent_b", "wins_a", "draws", "wins_b"}
    assert found["agent_a"].tolist() == ["x", "x"] and found["wins_a"].tolist() == [3, 4]


def test_reads_windows_line_ends_quotes_and_byte_order_marks(tmp_path):
    path = tmp_path / "matches.csv"
    path.write_bytes("\ufeff".encode() + f'{HEADER}\r\n"a, b",c,1,0,0\r\n'.encode())
    assert records.read_matches(path)["agent_a"].tolist() == ["a, b"]


def test_missing_stays_missing(tmp_path):
    path = table(tmp_path, HEADER + ",size,round", "x,y,1,0,0,,")
    assert np.isnan(records.read_matches(path)["size"]).all()


BROKEN = {
    "missing column": ([HEADER.replace(",draws", ""), "x,y,1,1"], ["line 1", "'draws'"]),
    "duplicated column": ([HEADER + ",draws", "x,y,1,0,1,0"], ["line 1", "'draws'", "twice"]),
    "negative count": ([HEADER, "x,y,1,0,1", "x,y,-3,0,1"], ["line 3", "wins_a = -3", "0 or more"]),
    "text for a count": ([HEADER, "x,y,1,zero,1"], ["line 2", "draws = 'zero'", "number"]),
    "fractional count": ([HEADER, "x,y,1.5,0,1"], ["line 2", "wins_a = 1.5", "whole"]),
    "infinite count": ([HEADER, "x,y,inf,0,1"], ["line 2", "wins_a = 'inf'", "finite"]),
    "not a number": ([HEADER, "x,y,nan,0,1"], ["line 2", "wins_a = 'nan'", "finite"]),
    "empty count": ([HEADER, "x,y,1,,1"], ["line 2", "draws is empty"]),
    "empty name": ([HEADER, ",y,1,0,1"], ["line 2", "agent_a is empty"]),
    "agent against itself": ([HEADER, "x,x,1,0,1"], ["line 2", "'x'", "itself"]),
    "cut-off row": ([HEADER, "x,y,1,0,1", "x,y,1"], ["line 3", "3 fields", "5 fields"]),
    "semicolons": ([HEADER.replace(",", ";"), "x;y;1;0;1"], ["line 1", "';'", "commas"]),
    "only a header": ([HEADER], ["no rows"]),
    "wrong total": ([HEADER + ",games", "x,y,1,0,1,3"], ["line 2", "games = 3", "= 2"]),
    "colours beyond the total": ([COLOURS, "x,y,1,0,1,2,0,1,0,"], ["line 2", "by colour"]),
    "colours against outcomes": ([COLOURS, "x,y,1,0,1,0,0,0,0,wl"], ["line 2", "by colour", "outcomes"]),
    "outcomes against counts": ([COLOURS, "x,y,1,0,1,1,0,1,0,ww"], ["line 2", "outcomes", "'ww'"]),
    "odd outcomes": ([HEADER + ",outcomes", "x,y,1,0,0,w"], ["line 2", "'w'", "two letters"]),
    "open quote": ([HEADER, '"x,y,1,0,1'], ["line 2"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_tables(tmp_path, name):
    lines, words = BROKEN[name]
    path = table(tmp_path, *lines)
    with pytest.raises(RecordError) as error:
        records.read_matches(path)
    message = str(error.value)
    assert "\n" not in message and str(path) in message
    for word in words:
        assert word in message


def test_files_that_are_no_tables(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "binary.csv").write_bytes(os.urandom(2000))
    (tmp_path / "nul.csv").write_bytes(b"a,b\0c\n")
    (tmp_path / "prose.csv").write_text("Dear reader,\nthis is a letter.\n")
    for name in ("empty.csv", "binary.csv", "nul.csv", "prose.csv", "absent.csv", "."):
        with pytest.raises(RecordError):
            records.read_matches(tmp_path / name)


def test_agent_tables_list_each_agent_once(tmp_path):
    path = table(tmp_path, "agent,size,train_flops", "x,3,1e9", "y,3,", "x,3,1e9")
    with pytest.raises(RecordError, match=r"line 4: agent 'x' is already on line 2"):
        records.read_agents(path)


def test_ratings_need_elo_and_size(tmp_path):
    with pytest.raises(RecordError, match="line 2: elo is empty"):
        records.read_ratings(table(tmp_path, "size,train_flops,elo", "3,1e9,"))
    with pytest.raises(RecordError, match="train_flops = -1"):
        records.read_ratings(table(tmp_path, "size,train_flops,elo", "3,-1,0"))
    with pytest.raises(RecordError, match=r"elo = 1e\+300; expected at most 1,000,000 on either side of 0; correct"):
        records.read_ratings(table(tmp_path, "size,train_flops,elo", "3,1e9,1e300"))
    with pytest.raises(RecordError, match="elo = 'nan'; expected a finite number; correct the cell or delete the row"):
        records.read_ratings(table(tmp_path, "size,train_flops,elo", "3,1e9,nan"))
    assert len(records.read_ratings(table(tmp_path, "size,train_flops,elo", "3,,0", "3,0,1"))["elo"]) == 2


def test_written_tables_read_back(tmp_path):
    rows = [
        {"agent": "x", "size": 3.0, "train_flops": 1.5e9, "elo": -12.5},
        {"agent": "y", "size": 3, "elo": float("nan")},
    ]
    records.write_table(tmp_path / "t.csv", ["agent", "size", "train_flops", "elo"], rows)
    assert (tmp_path / "t.csv").read_text() == "agent,size,train_flops,elo\nx,3,1500000000,-12.5\ny,3,,\n"


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    records.write_table(path, ["a"], [{"a": 1}])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError):
        records.write_table(path, ["a"], [{"a": 2}])
    assert path.read_text() == "a\n1\n" and [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_json_has_no_nan(tmp_path):
    records.write_json(tmp_path / "n.json", {"a": [np.float64("nan"), np.int64(3), float("inf")], "b": np.array([1.5])})
    assert json.loads((tmp_path / "n.json").read_text()) == {"a": [None, 3, None], "b": [1.5]}


def test_every_column_has_one_sentence():
    for column in (*records.MATCHES, *records.RATINGS):
        assert column.meaning.endswith(".") and column.kind in ("text", "number", "amount", "count")
