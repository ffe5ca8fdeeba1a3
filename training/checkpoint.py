"""Checkpoints: the complete state of a run in one file, so that a run cut off goes on as if nothing had happened.

The file is safetensors: weights, optimiser, replay, games in flight, random streams, and the ledger as JSON.
It is replaced in one step; a checkpoint that was being written when the power went never counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import safetensors
import torch

from games.files import write_bytes

_KEY = "isoelo-checkpoint"
_DIGEST = "record_sha256"


class CheckpointError(ValueError):
    """A checkpoint that is damaged or of another run; the message names file and remedy."""


Arrays = Mapping[str, torch.Tensor | np.ndarray]


def save_checkpoint(path: Path, parts: Mapping[str, Arrays], record: dict) -> None:
    """Write the live arrays of all parts and the record. Raises OSError, leaving the former checkpoint.

    The arrays go to the file as they stand in memory, where the library would first copy them all; those of the
    largest items first, so that each is aligned.
    """
    told = json.dumps(record)
    header: dict[str, dict] = {"__metadata__": {_KEY: told, _DIGEST: _digest(told)}}
    data, end = [], 0
    for part, name, array in sorted(_walk(parts), key=lambda entry: -_tensor(entry[2]).element_size()):
        stored = _tensor(array).cpu().contiguous().numpy()
        begin, end = end, end + stored.nbytes
        header[f"{part}/{name}"] = {"dtype": _dtype(stored), "shape": stored.shape, "data_offsets": [begin, end]}
        data.append(stored.reshape(-1).view(np.uint8).data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write_bytes(path, len(text).to_bytes(8, "little"), text, *data)


def load_checkpoint(path: Path, parts: Callable[[dict], Mapping[str, Arrays]]) -> dict:
    """Copy a checkpoint into the live arrays, `parts` of its record, and return the record.

    Raises CheckpointError for a damaged file or arrays of another shape.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            record = json.loads(metadata[_KEY])
            if metadata.get(_DIGEST) not in (None, _digest(metadata[_KEY])):  # older ones have none
                raise TypeError("its record is not the one that was written")
            for part, name, array in _walk(parts(record)):
                live, stored = _tensor(array), file.get_tensor(f"{part}/{name}")
                if live.shape != stored.shape or live.dtype != stored.dtype:
                    shapes = f"{stored.dtype} {tuple(stored.shape)}, expected {live.dtype} {tuple(live.shape)}"
                    raise CheckpointError(
                        f"checkpoint {path} is of other settings, or of a game or program since changed ({part}/{name} "
                        f"is {shapes}): restore them, or delete the checkpoint to begin this run again"
                    )
                live.copy_(stored)
    except (safetensors.SafetensorError, KeyError, TypeError, json.JSONDecodeError, OSError) as error:
        raise CheckpointError(f"checkpoint {path} is damaged ({error}): delete it to begin this run again") from None
    return record


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _walk(parts: Mapping[str, Arrays]):
    return ((part, name, array) for part, arrays in parts.items() for name, array in arrays.items())


def _dtype(array: np.ndarray) -> str:
    """As safetensors names it: BOOL, I16, F32, ..."""
    return "BOOL" if array.dtype == np.bool_ else f"{array.dtype.kind.upper()}{8 * array.itemsize}"


def _tensor(array) -> torch.Tensor:
    """A tensor over the same memory; unsigned 64-bit numbers travel as signed ones."""
    if isinstance(array, torch.Tensor):
        return array
    return torch.from_numpy(array.view(np.int64) if array.dtype == np.uint64 else array)
