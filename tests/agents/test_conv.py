"""Convolutional networks: FLOPs as torch counts them, rows and boards, layouts of actions, one set of weights."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from agents.network import NetworkError, NetworkEvaluator, make_network
from agents.snapshot import load_snapshot, save_snapshot
from games import make

GAMES = [
    ("tictactoe", {}), ("hex", {"size": 3}), ("hex", {"size": 5, "swap": True}), ("hex", {"rows": 4, "columns": 6}),
    ("othello", {"size": 6}), ("go", {"size": 5}), ("mnk", {"rows": 4, "columns": 5, "k": 3}), ("y", {"size": 4}),
    ("connect_four", {"rows": 5, "columns": 7}), ("breakthrough", {"rows": 6, "columns": 5}), ("pentago", {}),
]  # fmt: skip


def network_of(game, seed=1, width=8, depth=2, alpha=0.5):
    network = make_network("conv", game, seed=seed, width=width, depth=depth)
    for block in network.blocks:
        block.alpha.data.fill_(alpha)
    return network


def board(game, count, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (count, *game.observation_shape)).astype(np.float32)


@pytest.fixture
def torch_threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("name, settings", GAMES, ids=str)
def test_flops_are_those_that_torch_counts(name, settings):
    game = make(name, **settings)
    planes = torch.from_numpy(board(game, 8))
    for width, depth in ((1, 1), (5, 2), (32, 3)):
        network = make_network("conv", game, width=width, depth=depth)
        with FlopCounterMode(display=False) as forward:
            logits, value = network(planes)
        assert logits.shape == (8, game.num_actions) and value.shape == (8,)
        assert forward.get_total_flops() == 8 * network.forward_flops
        with FlopCounterMode(display=False) as learner:
            logits, value = network(planes)
            (logits.sum() + value.sum()).backward()
        assert learner.get_total_flops() == 8 * network.learner_flops


@pytest.mark.parametrize("name, settings", GAMES, ids=str)
def test_the_evaluator_computes_what_the_network_computes(name, settings):
    """The compiled pass against torch's layers, over more than one chunk, and after an update of the weights."""
    game = make(name, **settings)
    for width in (1, 8, 33):
        network = network_of(game, width=width)
        evaluate, planes = NetworkEvaluator(network), board(game, 9 if width == 1 else 120)
        for _ in range(2):
            logits, value = evaluate(planes)
            expected_logits, expected_value = network(torch.from_numpy(planes))
            np.testing.assert_allclose(logits, expected_logits.detach(), atol=2e-6)
            np.testing.assert_allclose(value, expected_value.detach(), atol=2e-6)
            for parameter in network.parameters():
                parameter.data.mul_(1.1)


@pytest.mark.parametrize("width, depth", [(1, 1), (3, 2), (16, 2), (17, 1), (32, 2), (64, 1)])
@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_does_not_depend_on_its_batch_or_its_place_in_it(size, width, depth, threads, torch_threads):
    """Measured, not proven: it holds of torch's convolutions on the processor that runs this, agents/convolution.py.

    It fails without the padding of small batches: with one thread, widths 1, 3, 32 and 64 answer a lone row otherwise.
    """
    torch_threads(threads)
    game = make("hex", size=size)
    evaluate, planes = NetworkEvaluator(network_of(game, width=width, depth=depth)), board(game, 300)
    logits, value = evaluate(planes)
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 24, 33, 64, 100, 255, 256, 299):
        rows = rng.permutation(300)[:count]
        some_logits, some_value = evaluate(planes[rows])
        np.testing.assert_array_equal(some_logits, logits[rows])
        np.testing.assert_array_equal(some_value, value[rows])


# ---- where actions lie ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, settings", GAMES, ids=str)
def test_a_layout_agrees_with_the_symmetries_and_the_views(name, settings):
    """A symmetry that takes one cell to another takes an action on the one to an action on the other."""
    game = make(name, **settings)
    per_cell, per_column, per_board, entries = game.layout
    _, rows, columns = game.observation_shape
    cells = rows * columns
    total = per_cell * cells + per_column * columns + per_board
    assert sorted(entries) == list(range(total)) and total == game.num_actions
    for actions, places in zip(*game.symmetries, strict=True):
        for a in range(game.num_actions):
            here, there = entries[a], entries[actions[a]]
            if here < per_cell * cells:
                assert there % cells == places[here % cells]
            elif here < per_cell * cells + per_column * columns:
                column = (here - per_cell * cells) % columns
                assert (there - per_cell * cells) % columns == places[column] % columns
            else:
                assert there == here


def test_games_with_several_actions_per_cell_say_which_is_where():
    """Breakthrough numbers all moves of a direction together, Pentago all turns of a cell."""
    breakthrough = make("breakthrough", rows=6, columns=5)
    for action, plane, cell in ((0, 0, 0), (29, 0, 29), (30, 1, 0), (61, 2, 1)):
        assert breakthrough.layout.entries[action] == plane * 30 + cell
    for text, plane, cell in (("a1s", 0, 0), ("a1z", 7, 0), ("b1t", 1, 1), ("f6y", 6, 35)):
        action = next(a for a in range(288) if make("pentago").action_text(a) == text)
        assert make("pentago").layout.entries[action] == plane * 36 + cell


@pytest.mark.parametrize("name, settings", [
    ("hex", {"size": 11}), ("go", {"size": 9}), ("breakthrough", {"rows": 11, "columns": 11}),
    ("connect_four", {"rows": 11, "columns": 11}),
], ids=str)  # fmt: skip
def test_the_same_stones_elsewhere_give_the_same_logits_elsewhere(name, settings):
    """Far from the edge a group of stones that moves takes its logits along: one block sees 3 cells away."""
    game = make(name, **settings)
    planes = np.zeros((2, *game.observation_shape), np.float32)
    rows, columns = game.observation_shape[1:]
    stones = board(game, 1)[0][:, :2, :2]
    planes[0, :, 3:5, 3:5], planes[1, :, 3:5, 4:6] = stones, stones
    network = network_of(game, depth=1)
    with torch.no_grad():
        network.input.weight[:, -1] = 0  # without the plane of ones, empty cells near the edge look like all others
        network.input.bias.zero_()
        logits = network(torch.from_numpy(planes))[0].numpy()
    per_cell, per_column, _, entries = game.layout
    numbers = np.empty_like(logits)
    numbers[:, entries] = logits
    places = per_cell * rows * columns
    here, moved = numbers[:, :places].reshape(2, per_cell, rows, columns)
    # Zeros around the board do matter to the second convolution of the block; 1 cell from the edge they cannot be seen.
    inside = np.s_[:, 1:-1, 1:-2], np.s_[:, 1:-1, 2:-1]
    np.testing.assert_allclose(here[inside[0]], moved[inside[1]], atol=1e-6)
    if per_cell:
        assert np.abs(here[inside[0]] - moved[inside[0]]).max() > 1e-3
    if per_column:
        here, moved = numbers[:, places : places + columns]
        np.testing.assert_allclose(here[1:-2], moved[2:-1], atol=1e-6)
        assert np.abs(here - moved).max() > 1e-4


def test_news_cross_the_board_in_one_block():
    """A stone in one corner changes the logit of the far corner, which no convolution of one block can see."""
    game = make("hex", size=11)
    planes = np.zeros((2, *game.observation_shape), np.float32)
    planes[1, 0, 0, 0] = 1
    network = network_of(game, depth=1)
    logits, _ = NetworkEvaluator(network)(planes)
    assert logits[0, -1] != logits[1, -1]
    network.blocks[0].pooled.weight.data.zero_()
    logits, _ = NetworkEvaluator(network)(planes)
    assert logits[0, -1] == logits[1, -1]


def test_a_game_that_does_not_say_where_its_actions_lie_is_refused():
    game = make("hex", size=3)
    game.layout = None
    with pytest.raises(NetworkError, match="cannot play hex3: it does not say where on the board its 9 actions lie"):
        make_network("conv", game)


# ---- one set of weights for all sizes ------------------------------------------------------------------------------


def test_a_network_on_another_size_has_the_same_weights_and_that_size_s_flops():
    small, large = make("hex", size=3), make("hex", size=7)
    network = network_of(small)
    other, fresh = network.on(large), network_of(large)
    assert [a.data_ptr() for a in network.parameters()] == [b.data_ptr() for b in other.parameters()]
    assert (other.forward_flops, other.learner_flops) == (fresh.forward_flops, fresh.learner_flops)
    assert network.forward_flops == network_of(small).forward_flops < other.forward_flops
    planes = board(large, 20)
    np.testing.assert_array_equal(NetworkEvaluator(other)(planes)[0], NetworkEvaluator(fresh)(planes)[0])
    with pytest.raises(NetworkError, match="has weights for one size: hex7 needs one of its own"):
        make_network("fc", small).on(large)


def test_pooling_means_the_same_on_every_board():
    """A board of equal cells has the same pooled numbers at every size."""
    from agents.networks.conv import pool

    x = torch.randn(1, 5, 1, 1, generator=torch.Generator().manual_seed(0))
    for rows, columns in ((3, 3), (4, 9)):
        torch.testing.assert_close(pool(x.expand(1, 5, rows, columns), (2, 3)), torch.cat([x, x], 1)[:, :, 0, 0])


def test_a_snapshot_plays_every_size_of_its_game(tmp_path):
    small, large = make("connect_four", rows=4, columns=5), make("connect_four", rows=6, columns=7)
    network, path = network_of(small), tmp_path / "000.safetensors"
    save_snapshot(path, small, network, {"index": 0})
    assert load_snapshot(path).game.title == small.title
    loaded = load_snapshot(path, large)
    assert loaded.game is large and loaded.network.forward_flops == network_of(large).forward_flops
    planes = board(large, 9)
    expected = NetworkEvaluator(network.on(large))(planes)
    for part, other in zip(NetworkEvaluator(loaded.network)(planes), expected, strict=True):
        np.testing.assert_array_equal(part, other)


@pytest.mark.parametrize("trained, played", [
    (("hex", {"size": 4, "swap": True}), ("hex", {"size": 4})),
    (("connect_four", {"connect": 4}), ("connect_four", {"connect": 3})),
    (("mnk", {"k": 3}), ("tictactoe", {})),
    (("go", {"size": 3, "komi": "7.5"}), ("go", {"size": 3, "komi": "0.5"})),
], ids=str)  # fmt: skip
def test_other_rules_are_another_game(trained, played, tmp_path):
    own, other = (make(name, **settings) for name, settings in (trained, played))
    save_snapshot(tmp_path / "000.safetensors", own, network_of(own), {})
    with pytest.raises(NetworkError, match=f"plays {own.title}, not {other.title}"):
        load_snapshot(tmp_path / "000.safetensors", other)


def test_names_and_counts():
    network = make_network("conv", make("hex", size=4, swap=True), width=4, depth=2)
    assert network.title == "4x2"
    # planes: own, other, swap, ones; heads: by cell, by board (swap), value
    assert network.forward_flops == 2 * (9 * 4 * 4 * 16 + 2 * (2 * 9 * 4 * 4 * 16 + 8 * 4) + 4 * 16 + 8 + 8 * 4 + 4)


@pytest.mark.parametrize("settings, message", [
    ({"width": 0}, "width=0 cannot be: expected an integer from 1 to 512"),
    ({"depth": 21}, "depth=21 cannot be: expected an integer from 1 to 20"),
    ({"heads": 2}, "no setting 'heads': it takes width, depth"),
])  # fmt: skip
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(NetworkError, match=message):
        make_network("conv", make("tictactoe"), **settings)
