"""The main loop: what training is, on one screen."""

from __future__ import annotations

from training.monitor import Monitor
from training.run import Run


def train(run: Run, monitor: Monitor) -> None:
    """Play and learn until the run's positions are played; the last thing written is the checkpoint of the end.

    Games play one move each against themselves, with search; those that ended go to the replay; the learner takes its
    steps; the network that learnt plays the next move. Raises Interrupted, with a checkpoint saved, when told to stop.
    """
    while not run.finished:
        flops_before = run.ledger.train_flops
        played = run.selfplay.play_move(run.evaluator)
        run.replay.add(played.samples)
        losses = run.learner.learn(run.replay, run.share)
        run.count(played, learnt=losses is not None)

        monitor.record(run, played, losses)
        if run.snapshot_due(flops_before):
            monitor.snapshot(run, run.save_snapshot())
        if monitor.checkpoint_due():
            run.save_checkpoint()
        monitor.stop_if_told(run)
    run.save_checkpoint()
    monitor.close()
