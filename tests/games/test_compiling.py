"""Compiled kernels are kept apart per state of the source."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numba
import pytest

from games import compiling

ROOT = Path(compiling.__file__).parents[1]


def tree(tmp_path, **files):
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text)
    return tmp_path


def test_an_edit_of_any_file_with_kernels_changes_the_digest(tmp_path):
    root = tree(
        tmp_path, games__a="@kernel\ndef f(): ...", mcts__b="@lean_kernel\ndef g(): ...", agents__c__d="import numba"
    )
    before = compiling.source_digest(root)
    for name in ("games__a", "mcts__b", "agents__c__d"):
        old = (root / name.replace("__", "/")).with_suffix(".py").read_text()
        assert compiling.source_digest(tree(root, **{name: old + "  "})) != before
        assert compiling.source_digest(tree(root, **{name: old})) == before


@pytest.mark.parametrize("name", ["puct", "softmax", "tree", "bounds", "sweep"])
def test_an_edit_of_the_search_changes_the_digest(name, tmp_path):
    """Of the files as they are, whatever their decorators are called."""
    for folder in ("games", "mcts", "agents"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    before = compiling.source_digest(tmp_path)
    with open(tmp_path / "mcts" / f"{name}.py", "a") as file:
        file.write("# edited")
    assert compiling.source_digest(tmp_path) != before


def test_a_file_without_kernels_changes_nothing(tmp_path):
    root = tree(tmp_path, games__a="@kernel\ndef f(): ...")
    assert compiling.source_digest(tree(root, games__plain="x = 1")) == compiling.source_digest(root)


@pytest.mark.parametrize("variable, below", [("ISOELO_CACHE", "kernels"), ("NUMBA_CACHE_DIR", ".")])
def test_numba_writes_to_the_folder_of_this_source(monkeypatch, tmp_path, variable, below):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    compiling.use_cache_of_this_source()
    assert Path(numba.config.CACHE_DIR) == tmp_path / below / f"isoelo-{compiling.source_digest()}"


def test_a_folder_that_cannot_be_written_is_left_alone(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    monkeypatch.setenv("ISOELO_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    compiling.use_cache_of_this_source()
    assert numba.config.CACHE_DIR == "before"


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Neither the cache nor the folder of the source can be written."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("ISOELO_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")  # so that what is set there is taken back
    monkeypatch.setattr(compiling.os, "access", lambda *_: False)


def test_where_nothing_can_be_written_kernels_are_those_of_the_process(nowhere, tmp_path, capsys):
    compiling.use_cache_of_this_source()
    place = numba.config.CACHE_DIR
    assert Path(place).parent == tmp_path and os.environ["NUMBA_CACHE_DIR"] == place
    said = capsys.readouterr().err
    assert "compiled anew by each command" in said and "set ISOELO_CACHE to a folder that can be written" in said


def test_without_a_temporary_folder_the_program_ends_in_one_line(nowhere, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(SystemExit, match=r"error: kernels can be compiled nowhere .* set ISOELO_CACHE"):
        compiling.use_cache_of_this_source()


def test_machine_code_of_somebody_else_is_not_run(monkeypatch, tmp_path):
    for variable in ("NUMBA_CACHE_DIR", "ISOELO_CACHE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(compiling, "folder", lambda: tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    monkeypatch.setattr(compiling.os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    compiling.use_cache_of_this_source()
    assert numba.config.CACHE_DIR == "before"


def test_an_edit_of_a_called_file_is_noticed(tmp_path):
    """Without the folder per source, sweep.py would go on with the selection that it was compiled with."""
    for package in ("games", "mcts"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "ISOELO_CACHE": str(tmp_path / "cache")}
    environment.pop("NUMBA_CACHE_DIR", None)
    call = [
        sys.executable,
        "-c",
        "import numpy as np; from mcts.tree import choose_candidate as f; print(f.__module__)",
    ]

    def folders():
        subprocess.run(call, env=environment, cwd=tmp_path, check=True, capture_output=True)
        return {path.name for path in (tmp_path / "cache" / "kernels").iterdir()}

    before = folders()
    assert len(before) == 1 and folders() == before
    with open(tmp_path / "mcts" / "softmax.py", "a") as file:
        file.write("# edited\n")
    assert len(folders() - before) == 1


def test_a_type_whose_module_is_gone_stops_no_kernel(tmp_path):
    """A selection rule from elsewhere was used once; later its folder is not on the path."""
    (tmp_path / "kernels.py").write_text(
        "from games.core import lean_kernel\n@lean_kernel\ndef first(numbers):\n    return numbers.first\n"
    )
    for folder in ("theirs", "ours"):
        (tmp_path / folder).mkdir()
        text = "from typing import NamedTuple\nclass Numbers(NamedTuple):\n    first: int\n"
        (tmp_path / folder / f"{folder}.py").write_text(text)
    for folder in ("theirs", "ours", "ours"):
        path = os.pathsep.join(map(str, (ROOT, tmp_path, tmp_path / folder)))
        environment = {**os.environ, "PYTHONPATH": path, "ISOELO_CACHE": str(tmp_path / "cache")}
        environment.pop("NUMBA_CACHE_DIR", None)
        code = f"from kernels import first; from {folder} import Numbers; print(first(Numbers(7)))"
        ran = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
        )
        assert ran.stdout == "7\n", ran.stderr


@pytest.mark.parametrize("kilobytes", [0, 2])
def test_a_disk_without_room_stops_no_kernel(tmp_path, kilobytes):
    """Neither where nothing can be written nor where the index still can; a later process compiles it anew."""
    (tmp_path / "kernels.py").write_text(
        "from games.core import lean_kernel\n@lean_kernel\ndef twice(number):\n    return 2 * number\n"
    )
    path = os.pathsep.join(map(str, (ROOT, tmp_path)))
    environment = {**os.environ, "PYTHONPATH": path, "ISOELO_CACHE": str(tmp_path / "cache")}
    environment.pop("NUMBA_CACHE_DIR", None)
    for room, left in ((kilobytes, 0), ("unlimited", 1)):
        call = f"ulimit -f {room}; exec {sys.executable} -c 'import kernels; print(kernels.twice(21))'"
        ended = subprocess.run(["bash", "-c", call], env=environment, capture_output=True, text=True)
        assert (ended.returncode, ended.stdout) == (0, "42\n"), ended.stderr
        assert len(list((tmp_path / "cache").rglob("*twice*.nbi"))) == left
