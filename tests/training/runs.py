"""Runs in the tests: to their end, or turn by turn, and what they leave."""

import numpy as np

from training.loop import train
from training.monitor import Monitor
from training.run import Run


def run_to_end(recipe, folder):
    run = Run(recipe, folder)
    train(run, Monitor(run, bar=False))
    return run


def move(run):
    """One turn of the main loop without monitor."""
    before, board = run.ledger.train_flops, run.board
    played = board.selfplay.play_move(board.evaluator)
    board.replay.add(played.samples)
    run.count(board, played, learnt=run.learner.learn(board.replay, run.share, board.network) is not None)
    if run.snapshot_due(before):
        run.save_snapshot()
    return played


def snapshot_bytes(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "snapshots").iterdir())}


def bits(run):
    """All that a checkpoint holds, as bytes."""
    arrays = {f"{part}/{name}": array for part, arrays in run._parts().items() for name, array in arrays.items()}
    return {name: np.asarray(array).tobytes() for name, array in arrays.items()}


def run_in_pieces(recipe, folder):
    """Begin a run anew from its checkpoint every few moves, to its end; returns it and how often."""
    rng, restarts = np.random.default_rng(0), 0
    while not (run := Run(recipe, folder)).finished:
        for _ in range(rng.integers(1, 12)):
            if not run.finished:
                move(run)
        run.save_checkpoint()
        restarts += 1
    return run, restarts
