"""What can be seen of a run while it goes: progress bar, status.json, TensorBoard."""

from __future__ import annotations

import json
import math
import threading
import time
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from games.files import write_text
from training import interrupt
from training.interrupt import Interrupted
from training.learner import Losses
from training.run import Run
from training.selfplay import Played


class Monitor:
    """Watches one run. Nothing here changes what the run computes.

    TensorBoard's x axis is a whole number without a logarithmic scale, so scalars stand twice: against positions, and
    under `by_log10_flops/` against round(1000 log10 train FLOPs).
    """

    def __init__(self, run: Run, *, bar: bool = True, log_seconds: float = 2.0, hyperparameters: dict | None = None):
        self.folder = run.folder
        self.log_seconds, self.checkpoint_seconds = log_seconds, run.settings.checkpoint_seconds
        self.writer = SummaryWriter(str(run.folder), purge_step=run.ledger.positions, flush_secs=10)
        self._hyperparameters = hyperparameters
        total = None if run.settings.train_flops else run.settings.positions
        self.bar = tqdm(total=total, initial=run.ledger.positions, unit="pos", unit_scale=True, smoothing=0.05,
                        desc=f"{run.folder.name}, compiling", disable=not bar, dynamic_ncols=True)  # fmt: skip
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)
        self._clock.start()
        self._begin_window(run)
        self._last_checkpoint = time.perf_counter()
        self._status(run, "running")

    def record(self, run: Run, played: Played, losses: Losses | None) -> None:
        """Note one lockstep move; write scalars and status every few seconds."""
        total = round(run.ledger.positions / run.share) if run.settings.train_flops else self.bar.total
        self.bar.total = max(total, run.ledger.positions)  # the last move of all games may go beyond
        self.bar.set_description(run.folder.name, refresh=False)
        self.bar.update(run.settings.games)
        self._lengths.extend(played.lengths)
        self._entropy.extend(played.entropy)
        if losses is not None:
            self._losses.append(losses)
        if time.perf_counter() - self._since > self.log_seconds or run.finished:
            self._write(run)
            self._status(run, "running")
            self._begin_window(run)

    def snapshot(self, run: Run, path: Path) -> None:
        """Keep the whole ledger, times included, beside the snapshots' exact counts."""
        file = self.folder / "ledger.json"
        rows = json.loads(file.read_text()) if file.exists() else []
        rows = [row for row in rows if row["snapshot"] < run.snapshots - 1]
        rows.append({"snapshot": run.snapshots - 1, "file": path.name, **run.ledger.everything()})
        write_text(file, json.dumps(rows, indent=1))

    def checkpoint_due(self) -> bool:
        """True once every checkpoint_seconds."""
        now = time.perf_counter()
        due = now - self._last_checkpoint > self.checkpoint_seconds
        if due:
            self._last_checkpoint = now
        return due

    def stop_if_told(self, run: Run) -> None:
        """Once told to stop: save and raise Interrupted. A run that has just finished is left to end."""
        why = interrupt.told()
        if why is not None and not run.finished:
            run.save_checkpoint()
            self._status(run, "interrupted")
            self.close()
            raise Interrupted(f"stopped by {why} with a checkpoint at {run.ledger.positions} positions: "
                              "the same command goes on from there")  # fmt: skip

    def close(self) -> None:
        """Stop watching; safe to call twice."""
        self._closed.set()
        self._clock.join()
        self.bar.close()
        self.writer.close()

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Let the bar's clock go on while kernels compile, and while a lockstep move of many games takes its time."""
        while not self._closed.wait(1.0):
            with self.bar.get_lock():  # which refresh itself would keep if stderr cannot be written to
                self.bar.refresh(nolock=True)

    def _begin_window(self, run: Run) -> None:
        self._since = time.perf_counter()
        self._before = (run.ledger.positions, run.ledger.simulations)
        self._lengths: list[int] = []
        self._entropy: list[float] = []
        self._losses: list[Losses] = []

    def _write(self, run: Run) -> None:
        seconds = time.perf_counter() - self._since
        ledger = run.ledger
        scalars: dict[str, float] = {
            "speed/samples_per_s": (ledger.positions - self._before[0]) / seconds,
            "speed/simulations_per_s": (ledger.simulations - self._before[1]) / seconds,
            "compute/log10_train_flops": math.log10(ledger.train_flops),
            "compute/log10_selfplay_flops": math.log10(ledger.selfplay_flops),
        }
        if self._entropy:
            scalars["selfplay/policy_entropy"] = float(np.mean(self._entropy))
        if self._lengths:
            scalars["selfplay/game_length"] = float(np.mean(self._lengths))
        if self._losses:
            policy, value, entropy = np.mean(self._losses, axis=0).tolist()
            scalars |= {"loss/policy": policy, "loss/value": value, "loss/total": policy + value,
                        "network/policy_entropy": entropy, "network/value_error": math.sqrt(value)}  # fmt: skip
            self.bar.set_postfix_str(f"loss {policy:.2f}+{value:.2f}", refresh=False)
        for name, value in scalars.items():
            self.writer.add_scalar(name, value, ledger.positions)
            self.writer.add_scalar(f"by_log10_flops/{name}", value, round(1000 * math.log10(ledger.train_flops)))
        if run.finished and self._hyperparameters:
            write_hyperparameters(self.writer, self._hyperparameters, scalars)

    def _status(self, run: Run, state: str) -> None:
        share = run.share
        write_text(self.folder / "status.json", json.dumps({"state": state, "share": share, "time": time.time()}))


def write_hyperparameters(writer: SummaryWriter, settings: dict, metrics: dict[str, float]) -> None:
    """The three summaries of TensorBoard's HPARAMS page, in the run's own event file."""
    from torch.utils.tensorboard.summary import hparams

    flat = {
        key: value if isinstance(value, bool | int | float | str) else str(value) for key, value in settings.items()
    }
    chosen = {key: value for key, value in metrics.items() if key.startswith(("loss/", "compute/"))}
    for summary in hparams(flat, chosen):
        assert writer.file_writer is not None
        writer.file_writer.add_summary(summary)
