"""Snapshots: what is written comes back, the same weights give the same bytes, and what is no snapshot is refused."""

import json
import pickle

import numpy as np
import pytest
import safetensors.torch
import torch

from agents.network import NetworkError, NetworkEvaluator, make_network
from agents.snapshot import describe, find_snapshot, game_of, load_snapshot, save_snapshot
from games import GameError, make


@pytest.fixture
def game():
    return make("hex", size=4, swap=True)


@pytest.fixture
def network(game):
    return make_network("fc", game, seed=7, width=8, depth=2)


@pytest.fixture
def path(tmp_path, game, network):
    path = tmp_path / "000.safetensors"
    save_snapshot(path, game, network, {"index": 0, "ledger": {"train_flops": 123}})
    return path


def test_a_flipped_bit_in_the_weights_is_noticed(path):
    data = bytearray(path.read_bytes())
    for place in (-1, -100, 8 + int.from_bytes(data[:8], "little")):  # the last bytes and the first of the weights
        data[place] ^= 1
        path.write_bytes(data)
        with pytest.raises(NetworkError, match="is damaged: its weights are not those that were written"):
            load_snapshot(path)
        data[place] ^= 1
    path.write_bytes(data)
    load_snapshot(path)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.bool])
def test_weights_of_another_type_are_noticed(path, dtype):
    with safetensors.safe_open(path, "pt") as file:
        described = file.metadata()
    weights = {name: tensor.to(dtype) for name, tensor in safetensors.torch.load_file(path).items()}
    safetensors.torch.save_file(weights, path, described)
    with pytest.raises(NetworkError, match="is damaged: its weights are not those that were written"):
        load_snapshot(path)


def test_a_snapshot_without_a_digest_is_read(path, game, network):
    """Older ones have none."""
    weights = safetensors.torch.load(path.read_bytes())
    description = {key: value for key, value in describe(path).items() if key != "weights_sha256"}
    path.write_bytes(safetensors.torch.save(weights, {"isoelo": json.dumps(description)}))
    assert load_snapshot(path, game).record == {"index": 0, "ledger": {"train_flops": 123}}


def test_a_snapshot_comes_back_whole(path, game, network):
    snapshot = load_snapshot(path, game)
    assert (snapshot.game.name, snapshot.game.settings) == ("hex", {"size": 4, "swap": True})
    assert snapshot.network.settings == {"width": 8, "depth": 2}
    assert snapshot.record == {"index": 0, "ledger": {"train_flops": 123}}
    planes = np.random.default_rng(0).random((5, *game.observation_shape)).astype(np.float32)
    for a, b in zip(NetworkEvaluator(network)(planes), NetworkEvaluator(snapshot.network)(planes), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_text_beside_it_says_the_same(path):
    assert json.loads(path.with_suffix(".json").read_text()) == describe(path)
    assert sorted(file.name for file in path.parent.iterdir()) == ["000.json", "000.safetensors"]


def test_the_same_weights_give_the_same_bytes(path, game, tmp_path):
    again = tmp_path / "elsewhere" / "000.safetensors"
    same = make_network("fc", game, seed=7, width=8, depth=2)
    save_snapshot(again, game, same, {"index": 0, "ledger": {"train_flops": 123}})
    assert again.read_bytes() == path.read_bytes()
    same.input.bias.data[0] = torch.nextafter(same.input.bias.data[0], torch.tensor(9.0))
    save_snapshot(again, game, same, {"index": 0, "ledger": {"train_flops": 123}})
    assert again.read_bytes() != path.read_bytes()


def test_saving_a_loaded_snapshot_gives_the_same_bytes(path, tmp_path):
    snapshot = load_snapshot(path)
    save_snapshot(tmp_path / "again.safetensors", snapshot.game, snapshot.network, snapshot.record)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_a_truncated_snapshot_is_refused_wherever_it_was_cut(path):
    whole = path.read_bytes()
    for length in (0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(NetworkError, match="is no snapshot of Isoelo, or is damaged"):
            load_snapshot(path)


def test_a_snapshot_may_be_named_by_its_description_its_number_or_the_folder_of_its_run(tmp_path, game, network):
    run, last = tmp_path / "run", tmp_path / "run" / "snapshots" / "001.safetensors"
    last.parent.mkdir(parents=True)
    with pytest.raises(NetworkError, match=r"there is no snapshot in .*run: expected the folder of a run"):
        find_snapshot(run)
    for index in (0, 1):
        save_snapshot(last.with_stem(f"{index:03}"), game, network, {"index": index})
    for name in (last, last.with_suffix(".json"), last.with_suffix(""), run, last.parent):
        assert find_snapshot(name) == last
    assert find_snapshot(last.with_stem("000").with_suffix(".json")).stem == "000"
    assert find_snapshot(tmp_path / "nothing.json") == tmp_path / "nothing.json"


def test_a_missing_snapshot_is_named(tmp_path):
    with pytest.raises(NetworkError, match=r"nothing.safetensors does not exist"):
        load_snapshot(tmp_path / "nothing.safetensors")


class Trap:
    """A pickle of this writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_is_refused_and_nothing_in_it_runs(tmp_path):
    trap = tmp_path / "trap"
    file = tmp_path / "000.safetensors"
    file.write_bytes(pickle.dumps(Trap(trap)))
    pickle.loads(file.read_bytes())
    assert trap.exists()  # the trap works
    trap.unlink()
    torch.save({"weights": torch.zeros(3), "more": Trap(trap)}, tmp_path / "001.safetensors")
    for name in ("000", "001"):
        with pytest.raises(NetworkError, match="is no snapshot"):
            load_snapshot(tmp_path / f"{name}.safetensors")
    assert not trap.exists()


def foreign(path, text):
    path.write_bytes(safetensors.torch.save({"a": torch.zeros(3)}, {"isoelo": text} if text is not None else None))


@pytest.mark.parametrize("text", [
    None, "", "not json", "[]", "3", "null", "{}", '{"version": 1}', '{"version": 1, "game": {"name": "hex"}}',
    '{"version": 1, "game": [], "network": {"name": "fc"}}', '{"version": 1, "game": {}, "network": {"name": "fc"}}',
    '{"version": 1, "game": {"name": "hex"}, "network": "fc"}',
    '{"version": 1, "game": {"name": "hex"}, "network": {"width": 8}}',
])  # fmt: skip
def test_safetensors_of_something_else_are_refused(tmp_path, text):
    path = tmp_path / "foreign.safetensors"
    foreign(path, text)
    with pytest.raises(NetworkError, match="is no snapshot of Isoelo, or is damaged"):
        load_snapshot(path)


def test_random_bytes_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "random.safetensors"
    for length in (10, 1000, 50_000):
        for _ in range(20):
            path.write_bytes(rng.bytes(length))
            with pytest.raises(NetworkError, match="is no snapshot"):
                load_snapshot(path)


def test_a_folder_in_its_place_is_refused(tmp_path):
    with pytest.raises(NetworkError, match="does not exist"):
        load_snapshot(tmp_path)


def test_a_later_format_is_refused_with_its_number(tmp_path):
    path = tmp_path / "later.safetensors"
    foreign(path, '{"version": 2, "game": {"name": "hex"}, "network": {"name": "fc"}}')
    with pytest.raises(NetworkError, match="has format 2: this version reads 1"):
        load_snapshot(path)


def test_another_game_is_refused(path):
    for other, title in ((make("hex", size=5), "hex5"), (make("hex", size=4), "hex4"), (make("tictactoe"), "tictac")):
        with pytest.raises(NetworkError, match=f"plays hex4-swap, not {title}"):
            load_snapshot(path, other)


def test_a_board_with_other_planes_is_refused_as_such(tmp_path):
    """Rectangles of Hex have a plane more than squares."""
    path, square = tmp_path / "000.safetensors", make("hex", size=3)
    save_snapshot(path, square, make_network("conv", square, 0, width=2, depth=1), {})
    with pytest.raises(NetworkError, match=r"cannot play hex3x4 too: its planes .* are \(3, 1, 0, 0\)"):
        load_snapshot(path, make("hex", rows=3, columns=4))


def test_weights_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    foreign(path, '{"version": 1, "game": {"name": "hex"}, "network": {"name": "fc"}}')
    with pytest.raises(NetworkError, match=r"do not fit 64x2 on hex5 \(a is \[3\], expected none\): its description"):
        load_snapshot(path)
    small = make_network("fc", make("hex", size=3), 0, width=2, depth=1)
    text = '{"version": 1, "game": {"name": "hex", "size": 5}, "network": {"name": "fc", "width": 2, "depth": 1}}'
    path.write_bytes(safetensors.torch.save(small.state_dict(), {"isoelo": text}))
    with pytest.raises(NetworkError, match=r"heads.bias is \[10\], expected \[26\]\)"):
        load_snapshot(path)


def test_unknown_games_and_networks_are_named(tmp_path):
    path = tmp_path / "foreign.safetensors"
    foreign(path, '{"version": 1, "game": {"name": "chess"}, "network": {"name": "fc"}}')
    for load in (load_snapshot, game_of):
        with pytest.raises(GameError, match=f"snapshot {path}: no game 'chess'"):
            load(path)
    foreign(path, '{"version": 1, "game": {"name": "hex"}, "network": {"name": "transformer"}}')
    with pytest.raises(NetworkError, match="no network 'transformer'"):
        load_snapshot(path)


def test_a_full_disk_leaves_the_former_snapshot(path, game, network, monkeypatch):
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("games.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_snapshot(path, game, network, {"index": 1, "ledger": {}})
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["000.json", "000.safetensors"]
