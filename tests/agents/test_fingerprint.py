"""What the rules do stands in snapshots and checkpoints: other behaviour is refused, another way of writing is not."""

import json

import numpy as np
import pytest
import safetensors.torch

from agents.fingerprint import _played, fingerprint
from agents.network import NetworkError, make_network
from agents.snapshot import describe, load_snapshot, save_snapshot
from games import make
from games.core import HEADER, OVER, RESULT, TO_MOVE, kernel
from games.tictactoe import TicTacToe
from mcts import Puct
from training.checkpoint import CheckpointError
from training.run import Recipe, Run
from training.settings import Training

RULES = TicTacToe.rules


@kernel
def legal_backwards(state, params, mask):
    for action in range(8, -1, -1):
        mask[action] = not (state[OVER] or state[HEADER + action])


@kernel
def legal_without_corner(state, params, mask):
    free = 0
    for action in range(8, -1, -1):
        mask[action] = state[OVER] == 0 and state[HEADER + action] == 0 and (action > 0 or free == 0)
        free += mask[action]


@kernel
def observe_by_players(state, params, planes):
    for cell in range(9):
        for player in range(2):
            planes[player, cell // 3, cell % 3] = state[HEADER + cell] == 1 + player


@kernel
def apply_misere(state, params, action):
    player = state[TO_MOVE]
    state[HEADER + action] = 1 + player
    state[TO_MOVE] = 1 - player
    mark, full = 1 + player, True
    for cell in range(9):
        full = full and state[HEADER + cell] != 0
    for first, apart in ((0, 1), (3, 1), (6, 1), (0, 3), (1, 3), (2, 3), (0, 4), (2, 2)):
        begin = HEADER + first
        if state[begin] == mark and state[begin + apart] == mark and state[begin + 2 * apart] == mark:
            state[OVER], state[RESULT] = 1, 2 * player - 1
    if full:
        state[OVER] = 1


OTHER = {"legal": legal_without_corner, "observe": observe_by_players, "apply": apply_misere}


def with_rules(monkeypatch, **rules):
    monkeypatch.setattr(TicTacToe, "rules", RULES._replace(**rules))
    return make("tictactoe")


def test_it_is_the_same_everywhere():
    """A change of these numbers makes every snapshot one of other rules."""
    assert fingerprint(make("tictactoe")).startswith("60de25769f96")
    assert fingerprint(make("hex", size=5, swap=True)).startswith("628f552c48af")
    assert fingerprint(make("go", size=5)).startswith("3241fd7bc681")


def test_rules_written_anew_keep_it(monkeypatch):
    before = fingerprint(make("tictactoe"))
    assert _played(with_rules(monkeypatch, legal=legal_backwards)) == before


@pytest.mark.parametrize("kernel", OTHER)
def test_rules_that_do_something_else_lose_it(monkeypatch, kernel):
    before = fingerprint(make("tictactoe"))
    assert fingerprint(with_rules(monkeypatch, **{kernel: OTHER[kernel]})) != before


def test_views_and_settings_are_part_of_it():
    known = {fingerprint(make("hex", size=size, swap=swap)) for size in (3, 4) for swap in (False, True)}
    game = make("tictactoe")
    game.views = np.stack([game.views[0], game.views[0][::-1]])
    assert len(known) == 4 and _played(game) != fingerprint(make("tictactoe"))


def test_games_of_openspiel_have_one_too():
    pytest.importorskip("pyspiel")
    game = make("openspiel", id="breakthrough(rows=4,columns=4)")
    assert _played(game) == fingerprint(game) != fingerprint(make("openspiel", id="breakthrough(rows=5,columns=4)"))


def test_a_snapshot_of_other_rules_is_refused(tmp_path, monkeypatch):
    game, path = make("tictactoe"), tmp_path / "000.safetensors"
    save_snapshot(path, game, make_network("fc", game, width=4, depth=1), {"index": 0})
    assert describe(path)["rules_sha256"] == fingerprint(game)
    with_rules(monkeypatch, apply=apply_misere)
    with pytest.raises(NetworkError, match=r"000.safetensors was trained under other rules of tictactoe3 .* restore"):
        load_snapshot(path)
    weights = safetensors.torch.load(path.read_bytes())
    older = {key: value for key, value in describe(path).items() if key != "rules_sha256"}
    path.write_bytes(safetensors.torch.save(weights, {"isoelo": json.dumps(older)}))
    assert load_snapshot(path).record == {"index": 0}


def test_a_run_does_not_go_on_under_other_rules(tmp_path, monkeypatch):
    def run():
        network = {"name": "fc", "width": 4, "depth": 1}
        settings = Training(positions=64, games=4, budget=2, batch=4, replay_positions=50)
        return Run(Recipe(make("tictactoe"), network, Puct(), settings, 0), tmp_path)

    run().save_checkpoint()
    run()
    with_rules(monkeypatch, observe=observe_by_players)
    with pytest.raises(CheckpointError, match="was trained under other rules of tictactoe3 than it has now"):
        run()
