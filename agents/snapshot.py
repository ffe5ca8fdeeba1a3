"""Snapshots: weights with a description of the game and network they belong to. Loading one runs no code from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from agents.fingerprint import fingerprint
from agents.network import Network, NetworkError, make_network
from games import Game, GameError, make, registry
from games.files import write_bytes

_KEY = "isoelo"
_VERSION = 1
_DIGEST = "weights_sha256"
_FINGERPRINT = "rules_sha256"


@dataclass(frozen=True)
class Snapshot:
    """A loaded snapshot: the game, the network with its weights, and what was recorded with them."""

    game: Game
    network: Network
    record: dict  # index, ledger counts and whatever the training run adds


def save_snapshot(path: Path, game: Game, network: Network, record: dict) -> None:
    """Write PATH (safetensors) and, for the eye, PATH with .json; both appear whole or not at all."""
    description = {
        "version": _VERSION,
        "game": {"name": registry.name_of(type(game), "games"), **game.settings},
        "network": {"name": registry.name_of(type(network), "agents.networks"), **network.settings},
        **record,
    }
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    text = json.dumps(description | {_FINGERPRINT: fingerprint(game), _DIGEST: _digest(weights)}, indent=1)
    write_bytes(path.with_suffix(".json"), text.encode())
    write_bytes(path, safetensors.torch.save(weights, {_KEY: text}))


def find_snapshot(path: Path) -> Path:
    """The file of weights that `path` stands for: itself, that beside its .json, or the last one of a run's folder.

    Raises NetworkError if there is none.
    """
    if path.is_dir():
        files = sorted([*path.glob("snapshots/*.safetensors"), *path.glob("*.safetensors")])
        if not files:
            raise NetworkError(f"there is no snapshot in {path}: expected the folder of a run, such as "
                               "studies/NAME/runs/RUN, or one file of its snapshots/")  # fmt: skip
        return files[-1]
    beside = path.with_suffix(".safetensors")
    return beside if path.suffix in ("", ".json") and beside.is_file() else path


def describe(path: Path) -> dict:
    """What a snapshot says of itself, without its weights.

    Raises NetworkError if it is missing or no snapshot, OSError if it may not be read.
    """
    if not path.is_file():
        raise NetworkError(f"snapshot {path} does not exist")
    with open(path, "rb"):
        pass  # of a file that it may not read, safetensors says that it is not there
    try:
        with safetensors.safe_open(path, "pt") as file:
            description = json.loads((file.metadata() or {})[_KEY])
        if description["version"] != _VERSION:
            raise NetworkError(f"snapshot {path} has format {description['version']}: this version reads {_VERSION}")
        for part in ("game", "network"):
            if not isinstance(description[part], dict) or "name" not in description[part]:
                raise TypeError(f"its {part} has no name")
    except (safetensors.SafetensorError, KeyError, TypeError, json.JSONDecodeError, OSError) as error:
        raise NetworkError(
            f"{path} is no snapshot of Isoelo, or is damaged ({error}): train again or restore it"
        ) from None
    return description


def game_of(path: Path, given: dict | None = None) -> Game:
    """A snapshot's game with the settings `given` in place of its own; wholly another one where these have a name.

    Raises NetworkError for what is no snapshot and GameError for impossible settings.
    """
    given = given or {}
    if not given:
        return _make(path, describe(path)["game"])
    return make(**(given if "name" in given else describe(path)["game"] | given))


def own_game(path: Path, description: dict) -> Game:
    """The game that a snapshot was trained on; older snapshots do not tell what its rules did.

    Raises NetworkError if it no longer does what it did when the snapshot was written.
    """
    game = _make(path, description["game"])
    if description.get(_FINGERPRINT) not in (None, fingerprint(game)):
        raise NetworkError(f"snapshot {path} was trained under other rules of {game.title} than those of "
                           f"{description['game']['name']} now, as random games show: restore the game as it was, or "
                           "train again")  # fmt: skip
    return game


def _make(path: Path, described: dict) -> Game:
    try:
        return make(**described)
    except GameError as error:
        raise GameError(f"snapshot {path}: {error}") from None


def load_snapshot(path: Path, game: Game | None = None) -> Snapshot:
    """Read a snapshot; with `game`, fit it to that size if its family plays any size, and refuse one of another game.

    Raises NetworkError for a missing, damaged or foreign file, for weights that do not fit, and for rules that are no
    longer those of the training.
    """
    description = describe(path)
    own = own_game(path, description)
    known = ("version", "game", "network", _FINGERPRINT, _DIGEST)
    record = {key: value for key, value in description.items() if key not in known}
    family = registry.find(description["network"]["name"], "agents.networks", Network, NetworkError)
    game = own if game is None else game
    if _rules(own, family.any_size) != _rules(game, family.any_size):
        raise NetworkError(f"snapshot {path} plays {own.title}, not {game.title}: choose one trained on {game.title}")
    network = make_network(game=own, **description["network"])
    weights = safetensors.torch.load(path.read_bytes())
    if description.get(_DIGEST) not in (None, _digest(weights)):
        raise NetworkError(f"snapshot {path} is damaged: its weights are not those that were written; train again or "
                           "restore it")  # fmt: skip
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        raise NetworkError(f"snapshot {path}: its weights do not fit {network.title} on {own.title} "
                           f"({_misfit(network.state_dict(), weights)}): its description belongs to others; restore it "
                           "or train again") from None  # fmt: skip
    return Snapshot(game, network if game.settings == own.settings else network.on(game), record)


def _misfit(expected: dict[str, torch.Tensor], weights: dict[str, torch.Tensor]) -> str:
    """The first array that is missing, or of another shape than expected."""
    shapes = [{name: list(tensor.shape) for name, tensor in arrays.items()} for arrays in (expected, weights)]
    name = next(name for name in sorted(expected | weights) if shapes[0].get(name) != shapes[1].get(name))
    return f"{name} is {shapes[1].get(name, 'missing')}, expected {shapes[0].get(name, 'none')}"


def _digest(weights: dict[str, torch.Tensor]) -> str:
    """Of names, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        content = tensor.flatten().view(torch.uint8).numpy().tobytes()  # numpy does not have all types of torch
        digest.update(f"{name}{tuple(tensor.shape)}".encode() + content)
    return digest.hexdigest()


def _rules(game: Game, any_size: bool) -> tuple[str, dict]:
    """What a network must have been trained for: the game's name and its settings, without the size for any_size."""
    ignored = game.size_settings if any_size else ()
    return game.name, {key: value for key, value in game.settings.items() if key not in ignored}
