"""The rules with the compiler switched off: what the tests say holds of the code as written."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def test_rules_without_the_compiler():
    chosen = [f"{HERE / 'test_hex.py'}", "-k", "drawn or neighbours or edges or sees or refused"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, cwd=HERE.parents[1],
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    run = subprocess.run(
        [sys.executable, "-m", "games.conformance", "hex", "size=2", "swap=true"],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, cwd=HERE.parents[1],
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
