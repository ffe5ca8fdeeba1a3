"""Commands and their terminal: text of any kind on standard input, Ctrl-C, and output that nobody reads on."""

import io
import os
import subprocess
import sys

import pytest

from games import GameError
from games.terminal import end_with, read_text


def test_text_may_begin_with_a_mark_of_its_encoding(tmp_path, monkeypatch):
    (tmp_path / "board.txt").write_bytes("x to move".encode("utf-8-sig"))
    assert read_text(str(tmp_path / "board.txt")) == "x to move"
    monkeypatch.setattr(sys, "stdin", io.StringIO("\ufeffx to move"))
    assert read_text("-") == "x to move"


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_is_no_text_is_refused(tmp_path, monkeypatch, errors):
    (tmp_path / "board.txt").write_bytes(b"\xff\xfe\0")
    with pytest.raises(GameError, match=r"board\.txt is no text in UTF-8: expected a position"):
        read_text(str(tmp_path / "board.txt"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\0"), "utf-8", errors))
    with pytest.raises(GameError, match="standard input is no text in UTF-8"):
        read_text("-")


def test_standard_input_that_is_closed_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(GameError, match="standard input is closed"):
        read_text("-")


def test_ctrl_c_ends_in_one_word(capsys):
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        end_with(main)
    assert end.value.code == 130 and capsys.readouterr().err == "stopped\n"


@pytest.mark.parametrize("command", [
    ["games.conformance", "tictactoe"], ["games.exact", "tictactoe"], ["games.solve", "tictactoe", "--quiet"],
    ["agents.conformance", "fc", "game=tictactoe"], ["experiments.train", "--help"],
])  # fmt: skip
def test_commands_whose_output_nobody_reads_do_their_work_without_a_word(command):
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()  # as of `| head`, before anything is written
    assert process.stderr.read() == b"" and process.wait() == 0
    process.stderr.close()


@pytest.mark.parametrize("command", ["games.exact tictactoe", "games.conformance tictactoe"])
def test_output_that_finds_no_room_is_told_in_a_line(tmp_path, command):
    """Also where the kernels, compiled here for the first time, find none either."""
    environment = {**os.environ, "ISOELO_CACHE": str(tmp_path / "cache")}
    environment.pop("NUMBA_CACHE_DIR", None)
    shell = f"ulimit -f 0; exec {sys.executable} -m {command} 2>&1 >{tmp_path}/out | cat"
    told = subprocess.run(["bash", "-c", f"set -o pipefail; {shell}"], env=environment, capture_output=True, text=True)
    assert told.stdout == "error: what was printed could not be written: File too large\n" and told.returncode == 1


def test_a_command_without_standard_output_does_its_work():
    ended = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m games.exact tictactoe >&-"], stderr=subprocess.PIPE
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
