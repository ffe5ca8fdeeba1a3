"""Checkpoints: the complete state of a run in one file, so that a run cut off goes on as if nothing had happened.

The file is safetensors: weights, optimiser, replay, games in flight, random streams, and the ledger as JSON.
It is replaced in one step; a checkpoint that was being written when the power went never counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch

from games.files import write_bytes

_KEY = "isoelo-checkpoint"


class CheckpointError(ValueError):
    """A checkpoint that is damaged or of another run; the message names file and remedy."""


Arrays = Mapping[str, torch.Tensor | np.ndarray]


def save_checkpoint(path: Path, parts: Mapping[str, Arrays], record: dict) -> None:
    """Write the live arrays of all parts and the record. Raises OSError, leaving the former checkpoint."""
    tensors = {f"{part}/{name}": _tensor(array).cpu().contiguous() for part, name, array in _walk(parts)}
    write_bytes(path, safetensors.torch.save(tensors, {_KEY: json.dumps(record)}))


def load_checkpoint(path: Path, parts: Mapping[str, Arrays]) -> dict:
    """Copy a checkpoint into the live arrays and return its record.

    Raises CheckpointError for a damaged file or arrays of another shape.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            record = json.loads((file.metadata() or {})[_KEY])
            for part, name, array in _walk(parts):
                live, stored = _tensor(array), file.get_tensor(f"{part}/{name}")
                if live.shape != stored.shape or live.dtype != stored.dtype:
                    raise CheckpointError(
                        f"{path}: {part}/{name} is {tuple(stored.shape)}, expected {tuple(live.shape)}"
                    )
                live.copy_(stored)
    except (safetensors.SafetensorError, KeyError, TypeError, json.JSONDecodeError, OSError) as error:
        raise CheckpointError(f"checkpoint {path} is damaged ({error}): delete it to begin this run again") from None
    return record


def _walk(parts: Mapping[str, Arrays]):
    return ((part, name, array) for part, arrays in parts.items() for name, array in arrays.items())


def _tensor(array) -> torch.Tensor:
    """A tensor over the same memory; unsigned 64-bit numbers travel as signed ones."""
    if isinstance(array, torch.Tensor):
        return array
    return torch.from_numpy(array.view(np.int64) if array.dtype == np.uint64 else array)
