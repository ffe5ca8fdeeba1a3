"""Stored results of solvers: named arrays in one .npz file each, in a folder outside the project.

The folder is that of the environment variable ISOELO_CACHE, by default `~/.cache/isoelo`; everything in it may be
deleted at any time. A file is written beside its final name and then renamed, so readers see the old file or the new
one, and of several writers the last one wins. Reading runs no code from the file.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
import warnings
import zipfile
import zlib

import numpy as np

DAMAGED = (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def folder() -> pathlib.Path:
    """Where results are stored; it need not exist."""
    return pathlib.Path(os.environ.get("ISOELO_CACHE") or "~/.cache/isoelo").expanduser()


def load(path: pathlib.Path, label: str, names: tuple[str, ...]) -> dict[str, np.ndarray] | None:
    """The arrays stored under `label`, or None: silently if there is no file, with a warning if it is unusable."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = str(file["label"])
            if found != label:
                raise ValueError(f"it holds {found!r}, not {label!r}")
            return {name: file[name] for name in names}
    except FileNotFoundError:
        return None
    except DAMAGED as error:
        ignore(path, error)
        return None


def ignore(path: pathlib.Path, reason: object) -> None:
    """Warn that a file is not used."""
    warnings.warn(f"stored results {path} are ignored and will be written anew: {reason}", stacklevel=3)


def save(path: pathlib.Path, label: str, arrays: dict[str, np.ndarray]) -> bool:
    """Store the arrays; False, with a warning, if the folder cannot be written."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=path.stem + ".", suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, label=np.array(label), **arrays)
        os.replace(temporary, path)
        return True
    except OSError as error:
        warnings.warn(
            f"results cannot be stored in {path.parent} ({error}); play goes on without. Set ISOELO_CACHE to a folder "
            f"that can be written, or free some space",
            stacklevel=3,
        )
        return False
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
