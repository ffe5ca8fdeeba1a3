"""A kernel kept on disk is compiled again when a kernel that it calls changes in another file."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mcts

SOURCE = Path(mcts.__file__).parent
ASK = """
import numpy as np
from mcts.tree import allocate, choose_candidate
node = allocate(1, 1, 2).nodes[0, 0]
choose_candidate(node, np.array([0.5, 0.5], np.float32))
print(node.candidate)
"""


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled")
def test_a_change_in_another_file_is_noticed(tmp_path):
    shutil.copytree(SOURCE, tmp_path / "mcts", ignore=shutil.ignore_patterns("__pycache__"))

    def ask():
        paths = os.pathsep.join([str(tmp_path), str(SOURCE.parent)])
        environment = os.environ | {"PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def cached():
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*choose_candidate*")}

    assert ask() == 0
    before = cached()
    assert ask() == 0
    assert before and cached() == before  # taken from the disk
    softmax = tmp_path / "mcts" / "softmax.py"
    time.sleep(0.01)
    softmax.write_text(softmax.read_text().replace("    return best\n", "    return best + 1\n"))
    assert ask() == 1
