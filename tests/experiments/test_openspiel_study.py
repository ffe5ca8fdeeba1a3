"""A game of OpenSpiel through everything: training, snapshots, matches of a study, ratings."""

from unittest import mock

import numpy as np
from applications import TINY_RUN, call
from study_without_fits import finish

from experiments import records

SETTINGS = [*TINY_RUN[1:], "training.positions=800", "training.budget=4", "arena.budgets=[1,4]", "arena.openings=4",
            "arena.rounds=2", "arena.opponents=1", "study.name=clobber", "jobs=1"]  # fmt: skip


def test_a_game_of_openspiel_is_trained_and_matched(tmp_path):
    with mock.patch("experiments.frontier.finish", finish):
        ended = call("experiments.train", "-m", "game=openspiel", 'game.id="clobber(rows=3,columns=3)"', *SETTINGS,
                     f"studies={tmp_path}")  # fmt: skip
    assert ended.status == 0, ended.err
    agents = records.read_agents(tmp_path / "clobber" / "agents.csv")
    assert {"openspiel-clobber-columns_3-3:random"} < set(agents["agent"])
    trained = np.isfinite(agents["train_flops"])
    assert trained.sum() >= 4 and (agents["evaluations"][trained & (agents["budget"] == 4)] > 1).all()
    matches = records.read_matches(tmp_path / "clobber" / "matches.csv")
    assert (matches["wins_a"] + matches["wins_b"] == matches["games"]).all()  # Clobber has no draws
