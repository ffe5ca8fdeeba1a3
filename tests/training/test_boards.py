"""One network on several sizes: turns, one set of weights, FLOPs by size, exact resumption, and what cannot be."""

from dataclasses import replace

import numpy as np
import pytest
from runs import bits, move, run_in_pieces, run_to_end, snapshot_bytes

from agents.network import NetworkError
from agents.snapshot import describe, load_snapshot
from games import GameError, make
from mcts import Puct
from training.boards import games_of
from training.checkpoint import CheckpointError
from training.run import Run
from training.selfplay import SelfPlay
from training.settings import SettingsError

SIZES = [{"size": 2}, {"size": 3}, {"size": 4}]


@pytest.fixture
def sized(recipe):
    """A run of a second on three sizes of Hex."""

    def make_one(boards=SIZES, **more):
        return recipe(boards=boards, **({"family": "conv", "width": 4, "games": 8, "positions": 720} | more))

    return make_one


def test_boards_take_turns_with_games_and_samples_of_their_own(sized, tmp_path):
    run = Run(sized(), tmp_path)
    assert [board.game.title for board in run.boards] == ["hex2", "hex3", "hex4"]
    for turn in range(30):
        assert run.board is run.boards[turn % 3]
        others = [bits_of(board) for board in run.boards if board is not run.board]
        before, moved = bits_of(run.board), run.board
        move(run)
        assert bits_of(moved) != before
        assert [bits_of(board) for board in run.boards if board is not moved] == others
    assert all(len(board.replay) > 20 for board in run.boards)


def bits_of(board):
    return [np.asarray(array).tobytes() for part in (board.selfplay, board.replay) for array in part.arrays().values()]


def test_boards_draw_from_streams_of_their_own(sized, hex3):
    first, second = (set(SelfPlay(hex3, sized().training, Puct(), 0, board).streams.tolist()) for board in (0, 1))
    assert len(first) == len(second) == 8 and not first & second


def test_all_boards_follow_one_set_of_weights(sized, tmp_path):
    run = Run(sized(), tmp_path)
    planes = [board.game.observe(board.game.reset(8)) for board in run.boards]
    before = [board.evaluator(view) for board, view in zip(run.boards, planes, strict=True)]
    while run.learner.steps[0] == 0:
        move(run)
    for board, view, answer in zip(run.boards, planes, before, strict=True):
        assert not np.array_equal(board.evaluator(view)[0], answer[0])
    addresses = [[weight.data_ptr() for weight in board.network.parameters()] for board in run.boards]
    assert addresses == [addresses[0]] * 3
    assert len(list(run.learner.optimizer.state)) == len(addresses[0])


def flops_by_hand(cells, width=4, planes=2):
    """Forward and learner FLOPs of a position of Hex at depth 1, from docs/compute.md."""
    entrance = 9 * (planes + 1) * width * cells
    block = 18 * width * width * cells + 2 * width * width
    heads = width * (cells + 2 * width + 1)
    forward = 2 * (entrance + block + heads)
    return forward, 3 * forward - 2 * entrance


def test_flops_are_those_of_the_board_played(sized, tmp_path):
    run = Run(sized(reuse=False), tmp_path)
    passes, steps = dict.fromkeys(range(3), 0), dict.fromkeys(range(3), 0)
    for number, board in enumerate(run.boards):
        board.evaluator = counting(board.evaluator, passes, number)
    while not run.finished:
        number, before = run.boards.index(run.board), run.learner.steps[0]
        move(run)
        steps[number] += int(run.learner.steps[0] - before)
    forward, learner = zip(*(flops_by_hand(cells) for cells in (4, 9, 16)), strict=True)
    assert run.ledger.evaluations == sum(passes.values()) and min(passes.values()) > 0 < min(steps.values())
    assert run.ledger.selfplay_flops == sum(passes[b] * forward[b] for b in range(3))
    assert run.ledger.learner_flops == sum(steps[b] * 24 * learner[b] for b in range(3))
    assert run.ledger.positions == 720


def counting(evaluate, passes, number):
    def counted(planes):
        passes[number] += len(planes)
        return evaluate(planes)

    return counted


def test_a_run_taken_up_at_any_move_ends_with_the_same_bytes(sized, tmp_path):
    whole = run_to_end(sized(), tmp_path / "whole")
    run, restarts = run_in_pieces(sized(), tmp_path / "apart")
    assert restarts > 8
    assert without_trees(run) == without_trees(whole) and run.ledger.counts() == whole.ledger.counts()
    assert snapshot_bytes(tmp_path / "apart") == snapshot_bytes(tmp_path / "whole")


def without_trees(run):
    """Kept trees have room that was never written to."""
    return {name: content for name, content in bits(run).items() if "tree" not in name}


@pytest.mark.parametrize("family", ["fc", "conv"])
def test_a_single_board_gives_the_bytes_of_a_game_of_that_size(sized, hex3, tmp_path, family):
    alone = replace(sized(boards=None, family=family), game=hex3)
    listed = replace(sized(boards=[{"size": 3}], family=family), game=make("hex", size=7))
    for name, wanted in (("alone", alone), ("listed", listed)):
        run_to_end(wanted, tmp_path / name)
    assert snapshot_bytes(tmp_path / "alone") == snapshot_bytes(tmp_path / "listed")


def test_the_first_board_plays_as_if_it_were_alone_until_weights_change(sized, tmp_path):
    several, alone = (Run(sized(boards=boards, reuse=False), tmp_path) for boards in (SIZES, [{"size": 2}]))
    move(several), move(alone)
    assert bits_of(several.boards[0]) == bits_of(alone.boards[0])


def test_a_snapshot_names_its_boards_and_plays_any(sized, tmp_path):
    run = Run(sized(), tmp_path)
    path = run.save_snapshot()
    assert describe(path)["boards"] == [{"size": size, "swap": False} for size in (2, 3, 4)]
    assert load_snapshot(path).game.title == "hex2"
    assert load_snapshot(path, make("hex", size=6)).network.forward_flops == flops_by_hand(36)[0]
    for other in (make("hex", size=4, swap=True), make("y", size=4)):
        with pytest.raises(NetworkError, match=f"plays hex2, not {other.title}: choose one trained on"):
            load_snapshot(path, other)
    assert "boards" not in describe(Run(sized(boards=[{"size": 3}]), tmp_path / "one").save_snapshot())


def test_a_checkpoint_of_other_boards_is_refused(sized, tmp_path):
    Run(sized(), tmp_path).save_checkpoint()
    for boards in ([{"size": 2}, {"size": 3}, {"size": 5}], [*SIZES, {"size": 5}]):
        with pytest.raises(CheckpointError):
            Run(sized(boards=boards), tmp_path)


# ---- which games ---------------------------------------------------------------------------------------------------


def test_boards_replace_the_settings_of_the_game_and_keep_its_rules():
    four = make("connect_four", rows=6, columns=7, connect=3)
    boards = games_of(four, [{"rows": 4}, {"rows": 5, "columns": 5}])
    assert [board.settings for board in boards] == [
        {"rows": 4, "columns": 7, "connect": 3}, {"rows": 5, "columns": 5, "connect": 3},
    ]  # fmt: skip
    assert games_of(four, None) == [four]
    assert [board.title for board in games_of(make("hex", swap=True), SIZES)] == ["hex2-swap", "hex3-swap", "hex4-swap"]


@pytest.mark.parametrize("name, boards, error, message", [
    ("hex", 3, SettingsError, "training.boards=3 cannot be: expected sizes of the game, such as"),
    ("hex", "size", SettingsError, "training.boards=size cannot be"),
    ("hex", [], SettingsError, r"training.boards=\[\] cannot be"),
    ("hex", [3, 4], SettingsError, r"training.boards=\[3, 4\] cannot be"),
    ("hex", [{}], SettingsError, r"training.boards=\[\{\}\] cannot be"),
    ("hex", [{"size": 3}, {"rows": 3, "columns": 3}], SettingsError, "hex3 occurs twice; drop one"),
    ("hex", [{"sise": 3}], SettingsError, "'sise' in {'sise': 3} is no size of a board of hex: expected size, rows"),
    ("hex", [{"size": 3, "swap": True}], SettingsError, "'swap' in .* rules are the same on all boards"),
    ("hex", [{"size": 3}, {"size": 1}], GameError, "hex: size=1 cannot be: expected an integer from 2 to 19"),
    ("hex", [{"size": None}], GameError, "size=None cannot be"),
    ("tictactoe", [{"size": 4}], GameError, "game 'tictactoe' has no setting 'size'"),
])  # fmt: skip
def test_boards_that_cannot_be_are_refused(name, boards, error, message):
    with pytest.raises(error, match=message):
        games_of(make(name), boards)


def test_networks_for_one_size_and_boards_of_other_planes_are_refused(sized, tmp_path):
    with pytest.raises(NetworkError, match="'fc' has weights for one size: hex3 needs one of its own, or a family"):
        Run(sized(family="fc"), tmp_path)
    with pytest.raises(NetworkError, match="'conv' cannot play hex3x4 too: its planes and its actions"):
        Run(sized(boards=[{"size": 3}, {"rows": 3, "columns": 4}]), tmp_path)
    assert not list(tmp_path.iterdir())
