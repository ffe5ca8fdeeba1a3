"""The progress bar of a run says what goes on, also while nothing is counted."""

import time

from runs import move

from training.monitor import Monitor
from training.run import Run


def test_the_bar_tells_compiling_from_playing_and_its_clock_goes_on(recipe, tmp_path, capfd):
    run = Run(recipe(), tmp_path / "hex3")
    monitor = Monitor(run)
    told, deadline = [], time.monotonic() + 300
    while (len(told) < 2 or "[00:00<" in told[-1]) and time.monotonic() < deadline:
        time.sleep(0.1)
        told += capfd.readouterr().err.split("\r")[1:]
    assert len(told) > 1 and all(line.startswith("hex3, compiling:   0%") for line in told)
    assert "[00:00<" not in told[-1]
    monitor.bar.total = 1  # as if the games' move went beyond the positions wanted
    monitor.record(run, move(run), None)
    monitor.bar.refresh()
    monitor.close()
    monitor.close()
    assert capfd.readouterr().err.split("\r")[-1].startswith("hex3: 100%|")
    time.sleep(1.2)
    assert capfd.readouterr().err == ""
