"""The search with the compiler switched off: what the tests say holds of the code as written."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def test_search_without_the_compiler():
    chosen = [f"{HERE / name}" for name in ("test_twin.py", "test_search.py", "test_proof.py")]
    chosen += ["-k", "without_the_compiler or by_hand or worked_example or solved_root or cannot_be_searched"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, cwd=HERE.parents[1],
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("." * 19 + " ")
