"""Readers that leave: a terminal that is closed, a pipe into `head`. The work goes on to its end."""

import os
import subprocess
import sys

from applications import ROOT, TINY_RUN, snapshots


def left_after(words, stream, characters):
    """Status of `python -m WORDS`, its `stream` closed after so many characters, and what the other stream said."""
    process = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)})  # fmt: skip
    reader = getattr(process, stream)
    reader.read(characters)
    reader.close()
    other = process.stderr if stream == "stdout" else process.stdout
    with other:
        said = other.read().decode()
    return process.wait(timeout=400), said


def test_a_run_whose_terminal_is_closed_ends_as_any_other(tiny_run, tmp_path):
    status, said = left_after(["experiments.train", *TINY_RUN, f"studies={tmp_path}"], "stderr", 10)
    assert status == 0 and "snapshots" in said
    assert snapshots(tmp_path / "scratch" / "runs" / tiny_run.name) == snapshots(tiny_run)


def test_a_command_whose_output_nobody_reads_to_its_end_does_all_its_work(tiny_study, tmp_path):
    words = ["experiments.ratings", f"matches={tiny_study}/matches.csv", f"out={tmp_path}"]
    status, said = left_after(words, "stdout", 0)
    assert (status, said) == (0, "")
    assert (tmp_path / "ratings.csv").exists()
