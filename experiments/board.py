"""The study in TensorBoard: each run's Elo once it is known, and the report's figures.

`tensorboard --logdir studies/NAME` shows them beside the runs' own curves. The folder is written anew at each fit.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter

from experiments.records import Table


def write_board(study_dir: Path, ratings: Table, figures: dict[str, Figure]) -> Path:
    """Replace STUDY/tensorboard by `ratings` (one row per agent) and `figures`; returns the folder."""
    board = study_dir / "tensorboard"
    shutil.rmtree(board, ignore_errors=True)
    runs = sorted({str(run) for run in ratings.get("run", ()) if run})
    for run in runs:
        _write_elo(study_dir, board / "elo" / run, run, ratings)
    with SummaryWriter(str(board / "figures")) as writer:
        for name, figure in figures.items():
            writer.add_figure(name, figure, close=False)
    return board


def _write_elo(study_dir: Path, folder: Path, run: str, ratings: Table) -> None:
    """Scalars elo/BUDGET against positions, and by_log10_flops/elo/BUDGET against round(1000 log10 train FLOPs).

    elo/sizeN/BUDGET where the run was trained on several sizes.
    """
    own = ratings["run"] == run
    several = len(set(ratings["size"][own])) > 1
    with SummaryWriter(str(folder)) as writer:
        for row in np.argsort(ratings["train_flops"], kind="stable"):
            if not own[row] or not ratings["train_flops"][row] > 0:
                continue
            file = study_dir / "runs" / run / "snapshots" / f"{int(ratings['snapshot'][row]):03d}.json"
            size = f"size{ratings['size'][row]:g}/" if several else ""
            tag = f"elo/{size}{ratings['strategy'][row]}{ratings['budget'][row]:g}"
            writer.add_scalar(tag, ratings["elo"][row], json.loads(file.read_text())["ledger"]["positions"])
            flops = round(1000 * math.log10(ratings["train_flops"][row]))
            writer.add_scalar(f"by_log10_flops/{tag}", ratings["elo"][row], flops)
