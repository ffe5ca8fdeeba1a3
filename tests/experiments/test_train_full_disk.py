"""A disk that is really full: the problem is named, nothing is half-written, with space the same command goes on."""

import contextlib
import json
import subprocess

import pytest
from applications import TINY_RUN, TooLate, finish, in_time, snapshots, start, wait_for


@contextlib.contextmanager
def small_disk(folder):
    """A small file system of its own, mounted at `folder`."""
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True)
    if mount.returncode:
        pytest.skip("a file system of one's own needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder):
    """Leave no space in `folder`; returns the file that takes it."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        for block in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(block))
    return filler


@in_time
def test_a_full_disk_is_named_and_the_run_goes_on_once_there_is_space(tiny_run, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        train_while_it_fills(disk, tiny_run)


def train_while_it_fills(disk, tiny_run):
    arguments = [*TINY_RUN, f"studies={disk}"]
    folder = disk / "scratch" / "runs" / tiny_run.name
    process = start(*arguments)
    wait_for((folder / "checkpoint" / "state.safetensors").exists, process)
    filler = fill(disk)
    ended = finish(process)
    if ended.status == 0:
        raise TooLate
    assert ended.status == 1
    last = ended.err.splitlines()[-1]
    assert last.startswith(f"error: {folder}") and "No space left on device; what is finished is kept" in last, (
        ended.err
    )
    assert "make room, then the same command goes on" in last and "Traceback" not in ended.err
    whole = snapshots(tiny_run)
    assert all(content == whole[name] for name, content in snapshots(folder).items())
    for file in folder.rglob("*.json"):
        json.loads(file.read_text())
    assert not list(folder.rglob(".*.tmp"))
    filler.unlink()
    ended = finish(start(*arguments))
    assert ended.status == 0, ended.err
    assert snapshots(folder) == whole
