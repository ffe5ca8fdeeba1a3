"""A whole run: the ledger against a recount, snapshots on their grid, checkpoints bit by bit, and getting better."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from runs import bits, move, run_in_pieces, run_to_end, snapshot_bytes

from agents.agent import Agent, make_strategy
from agents.network import NetworkEvaluator
from agents.snapshot import describe, load_snapshot
from mcts.streams import seed_streams
from training.checkpoint import CheckpointError
from training.run import Run
from training.settings import SettingsError


def test_the_ledger_is_an_independent_recount(recipe, tmp_path):
    run = Run(recipe(reuse=False), tmp_path)
    passes, ended, moves = [], [], 0
    board = run.board
    evaluate = board.evaluator

    def counted(planes):
        passes.append(len(planes))
        return evaluate(planes)

    board.evaluator = counted
    while not run.finished:
        ended += move(run).lengths.tolist()
        moves += 1
    ledger, network = run.ledger, board.network
    samples = int(run.learner.steps[0]) * 24
    assert ledger.positions == 12 * moves == 600
    assert ledger.games == len(ended) and ledger.games > 50
    assert ledger.simulations == 600 * 6
    assert ledger.evaluations == sum(passes) < ledger.simulations
    assert ledger.learner_samples == samples > 0
    assert ledger.selfplay_flops == sum(passes) * network.forward_flops
    assert ledger.learner_flops == samples * network.learner_flops
    assert ledger.train_flops == ledger.selfplay_flops + ledger.learner_flops
    assert describe(sorted((tmp_path / "snapshots").glob("*.safetensors"))[-1])["ledger"] == ledger.counts()


def test_learner_steps_follow_every_move_once_there_is_a_batch(recipe, tmp_path):
    run = Run(recipe(), tmp_path)
    for _ in range(30):
        steps, held = int(run.learner.steps[0]), None
        move(run)
        held = len(run.board.replay)
        assert run.learner.steps[0] - steps == (2 if held >= 24 else 0)


def test_snapshots_stand_on_a_grid_of_train_flops(recipe, tmp_path):
    run_to_end(recipe(reuse=False), tmp_path)
    records = [describe(path) for path in sorted((tmp_path / "snapshots").glob("*.safetensors"))]
    assert [record["index"] for record in records] == list(range(len(records)))
    flops = np.array([record["ledger"]["train_flops"] for record in records])
    assert (np.diff(flops) > 0).all()
    rungs = np.floor(8 * np.log10(flops))
    assert len(set(rungs[:-1])) == len(rungs[:-1])  # one per rung; the last is the end of the run
    assert (np.diff(rungs[:-1]) == 1).all()
    assert records[-1]["ledger"]["positions"] == 600
    rows = json.loads((tmp_path / "ledger.json").read_text())
    assert [row["train_flops"] for row in rows] == flops.tolist()
    assert all(row["wall_seconds"] > 0 and row["peak_memory_mb"] > 0 for row in rows)


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others(recipe, tmp_path):
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed in zip(folders, (0, 0, 1), strict=True):
        run_to_end(recipe(seed=seed), folder)
    assert snapshot_bytes(folders[0]) == snapshot_bytes(folders[1])
    assert snapshot_bytes(folders[0])["000.safetensors"] != snapshot_bytes(folders[2])["000.safetensors"]


def test_a_checkpoint_restores_every_array_bit_by_bit(recipe, tmp_path):
    run = Run(recipe(), tmp_path)
    for _ in range(20):
        move(run)
    run.save_checkpoint()
    again = Run(recipe(), tmp_path)
    assert bits(again) == bits(run)
    assert len(bits(run)) > 15
    assert again.ledger.counts() == run.ledger.counts() and again.snapshots == run.snapshots > 0
    for _ in range(10):
        move(run), move(again)
    assert bits(again) == bits(run)


def test_checkpoints_at_any_move_lead_to_the_same_snapshots(recipe, tmp_path):
    run_to_end(recipe(), tmp_path / "undisturbed")
    _, restarts = run_in_pieces(recipe(), tmp_path / "restarted")
    assert restarts > 4
    assert snapshot_bytes(tmp_path / "restarted") == snapshot_bytes(tmp_path / "undisturbed")


def test_room_for_longer_games_changes_nothing(recipe, tmp_path, monkeypatch):
    run_to_end(recipe(), tmp_path / "roomy")
    monkeypatch.setattr("training.selfplay.ROOM", 2)
    run_to_end(recipe(), tmp_path / "narrow")
    _, restarts = run_in_pieces(recipe(), tmp_path / "restarted")
    assert restarts > 4 and Run(recipe(), tmp_path / "restarted").board.selfplay.room > 2
    assert snapshot_bytes(tmp_path / "narrow") == snapshot_bytes(tmp_path / "restarted")
    assert snapshot_bytes(tmp_path / "narrow") == snapshot_bytes(tmp_path / "roomy")


def test_longer_games_that_do_not_fit_into_memory_are_refused_and_nothing_is_lost(recipe, tmp_path, monkeypatch):
    run_to_end(recipe(), tmp_path / "roomy")
    monkeypatch.setattr("training.selfplay.ROOM", 2)
    run = Run(recipe(), tmp_path / "narrow")
    run.save_checkpoint()
    before = bits(run)
    with monkeypatch.context() as patch:
        patch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1 << 28))
        bytes_of_a_move = 12 * (2 * 2 * 9 + 4 * 9 + 2)  # games x (planes, policy, mover and learnt)
        patch.setattr(run.board.selfplay.game, "max_length", (1 << 29) // bytes_of_a_move)
        told = (r"training.games=12 .* hex3 is longer than 2 moves, and records of \d+ moves a game need 0.5 GiB and "
                "0.2 GiB are free; .* from the last checkpoint")  # fmt: skip
        with pytest.raises(SettingsError, match=told):
            run.board.selfplay.make_room(1 << 40)
        patch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=100))
        with pytest.raises(SettingsError, match="records of 4 moves a game need"):
            while True:
                move(run)
    assert bits(Run(recipe(), tmp_path / "narrow")) == before
    run_to_end(recipe(), tmp_path / "narrow")
    assert snapshot_bytes(tmp_path / "narrow") == snapshot_bytes(tmp_path / "roomy")


def test_what_was_done_after_the_checkpoint_is_done_again_alike(recipe, tmp_path):
    run = Run(recipe(), tmp_path)
    for count in (15, 15):
        for _ in range(count):
            move(run)
        if count == 15 and not (tmp_path / "checkpoint").exists():
            run.save_checkpoint()
    before = snapshot_bytes(tmp_path)
    again = Run(recipe(), tmp_path)
    assert again.snapshots < len(before) / 2  # files: one for the weights, one for the eye
    while again.ledger.positions < run.ledger.positions:
        move(again)
    assert snapshot_bytes(tmp_path) == before and bits(again) == bits(run)


# ---- damaged checkpoints -------------------------------------------------------------------------------------------


@pytest.fixture
def checkpoint(recipe, tmp_path):
    run = Run(recipe(), tmp_path)
    for _ in range(5):
        move(run)
    run.save_checkpoint()
    return tmp_path / "checkpoint" / "state.safetensors"


def test_a_truncated_checkpoint_is_refused_wherever_it_was_cut(recipe, checkpoint):
    whole = checkpoint.read_bytes()
    for length in (0, 5, 8, 200, len(whole) // 2, len(whole) - 1):
        checkpoint.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"state.safetensors is damaged.*delete it to begin this run again"):
            Run(recipe(), checkpoint.parents[1])


@pytest.mark.parametrize("word", ["positions", "snapshots", "train_flops"])
def test_a_flipped_bit_in_the_record_is_noticed(recipe, checkpoint, word):
    """Of a name or of a number; without a digest, as in older checkpoints, the record is taken as it is."""
    whole = checkpoint.read_bytes()
    for begin in (whole.index(word.encode()), whole.index(b": ", whole.index(word.encode())) + 2):
        checkpoint.write_bytes(whole[:begin] + bytes([whole[begin] ^ 1]) + whole[begin + 1 :])
        with pytest.raises(CheckpointError, match=r"is damaged \(its record is not the one that was written\): delete"):
            Run(recipe(), checkpoint.parents[1])
    checkpoint.write_bytes(whole.replace(b"record_sha256", b"record_sha255"))
    Run(recipe(), checkpoint.parents[1])


def test_foreign_checkpoints_are_refused(recipe, checkpoint, tmp_path):
    run = Run(recipe(), tmp_path)
    snapshot = run.save_snapshot()
    for content in (np.random.default_rng(0).bytes(5000), snapshot.read_bytes(), b"{}"):
        checkpoint.write_bytes(content)
        with pytest.raises(CheckpointError, match="is damaged"):
            Run(recipe(), tmp_path)


def test_a_checkpoint_of_another_shape_is_refused(recipe, checkpoint):
    for other in (recipe(width=16), recipe(games=13), recipe(replay_positions=300)):
        with pytest.raises(CheckpointError, match=r"of other settings, .* expected .* delete the checkpoint to begin"):
            Run(other, checkpoint.parents[1])


def test_a_full_disk_keeps_the_former_checkpoint(recipe, checkpoint, monkeypatch):
    before = checkpoint.read_bytes()
    run = Run(recipe(), checkpoint.parents[1])
    move(run)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("games.files.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            run.save_checkpoint()
    assert checkpoint.read_bytes() == before
    assert [file.name for file in checkpoint.parent.iterdir()] == ["state.safetensors"]
    run.save_checkpoint()
    assert bits(Run(recipe(), checkpoint.parents[1])) == bits(run)


# ---- getting better ------------------------------------------------------------------------------------------------


def score(game, agents, count=300, seed=0):
    """Share of points of the first of two agents, colours alternating."""
    states, streams = game.reset(count), seed_streams(seed, np.arange(count))
    first = np.arange(count) % 2  # who plays as player 0
    while len(live := np.flatnonzero(~game.over(states))):
        who = first[live] ^ game.to_move(states[live])
        for number, agent in enumerate(agents):
            rows = live[who == number]
            if len(rows):
                part, own = states[rows], streams[rows]
                game.advance(part, agent.act(part, own).actions)
                states[rows], streams[rows] = part, own
    points = game.result(states) * (1 - 2 * first)
    return (points.mean() + 1) / 2


def test_a_short_training_beats_random_play(hex3, recipe, tmp_path):
    game = hex3
    settings = {"positions": 8000, "games": 64, "budget": 16, "replay_positions": 3000, "batch": 128}
    torch.set_num_threads(1)
    run_to_end(recipe(game=game, width=32, snapshots_per_decade=2.0, **settings), tmp_path)
    paths = sorted((tmp_path / "snapshots").glob("*.safetensors"))
    random = Agent(make_strategy("random", game))
    scores = []
    for path in (paths[0], paths[-1]):
        raw = make_strategy("puct", game, NetworkEvaluator(load_snapshot(path, game).network))
        scores.append(score(game, [Agent(raw, 1), random]))
    assert scores[1] > 0.8 and scores[1] > scores[0]
    searching = Agent(make_strategy("puct", game, NetworkEvaluator(load_snapshot(paths[-1], game).network)), 32)
    searched = score(game, [searching, random])
    assert searched > 0.9
