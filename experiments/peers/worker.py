"""A child process that searches when it is told to: one line of JSON in, one line of JSON out.

    python -m experiments.peers.worker SIDE CORE

It pins itself to the core before it imports anything large, so that no library starts threads for other cores. SIDE is
a module of this package with `versions()` and `prepare(task, arrays)`, which returns a function that does one search
and waits for its end.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback


def main(side: str, core: int) -> None:
    """Answer requests until there are no more. What libraries print goes to stderr."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(side)
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


class Worker:
    """The prepared searches of one side by the names that the parent gave them."""

    def __init__(self, side: str):
        self.side = importlib.import_module(f"experiments.peers.{side}")
        self.searches: dict = {}

    def answer(self, request: dict) -> dict:
        """`prepare` compiles and warms up; `run` measures one search, in seconds of the wall and of this process."""
        if request["do"] == "versions":
            return self.side.versions()
        if request["do"] == "prepare":
            search = self.side.prepare(request["task"])
            search()
            self.searches[request["name"]] = search
            return {}
        search = self.searches[request["name"]]
        wall, cpu = time.perf_counter(), time.process_time()
        search()
        return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
