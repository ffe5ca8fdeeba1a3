"""The main loop: what training is, on one screen."""

from __future__ import annotations

from training.monitor import Monitor
from training.run import Run


def train(run: Run, monitor: Monitor) -> None:
    """Play and learn until the run's positions are played; the last thing written is the checkpoint of the end.

    Games play one move each against themselves, with search; those that ended go to the replay; the learner takes its
    steps; the network that learnt plays the next move, on the next board where it is trained on several.
    Raises Interrupted, with a checkpoint saved, when told to stop.
    """
    while not run.finished:
        flops_before = run.ledger.train_flops
        board = run.board
        played = board.selfplay.play_move(board.evaluator)
        board.replay.add(played.samples)
        losses = run.learner.learn(board.replay, run.share, board.network)
        run.count(board, played, learnt=losses is not None)

        monitor.record(run, played, losses)
        if run.snapshot_due(flops_before):
            monitor.snapshot(run, run.save_snapshot())
        if monitor.checkpoint_due():
            run.save_checkpoint()
        monitor.stop_if_told(run)
    run.save_checkpoint()
    monitor.close()
