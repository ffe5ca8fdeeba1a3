"""Stored results of solvers: named arrays in one .npz file each, in a folder outside the project.

The folder is that of the environment variable ISOELO_CACHE, by default `~/.cache/isoelo`; everything in it may be
deleted at any time. A file is written beside its final name and then renamed, so readers see the old file or the new
one, and of several writers the last one wins. Reading runs no code from the file.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import tempfile
import time
import warnings
import zipfile
import zlib

import numpy as np

DAMAGED = (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error, NotImplementedError)


STALE_SECONDS = 600  # no file takes that long to write


def folder() -> pathlib.Path:
    """Where results are stored; it need not exist. A user without a home has a folder among the temporary ones."""
    place = os.path.expanduser(os.environ.get("ISOELO_CACHE") or "~/.cache/isoelo")
    if place.startswith("~"):
        place = os.path.join(tempfile.gettempdir(), f"isoelo-{os.getuid()}")
    return pathlib.Path(place)


def load(path: pathlib.Path, label: str, names: tuple[str, ...]) -> dict[str, np.ndarray] | None:
    """The arrays stored under `label`, or None: silently if there is no file, with a warning if it is unusable."""
    try:
        with open(path, "rb") as handle:
            file = np.load(handle, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("it is no .npz file")
            found = str(file["label"])
            if found != label:
                raise ValueError(f"it holds {found!r}, not {label!r}")
            return {name: file[name] for name in names}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except DAMAGED as error:
        ignore(path, error)
        return None


def ignore(path: pathlib.Path, reason: object) -> None:
    """Warn that a file is not used."""
    warnings.warn(f"stored results {path} are ignored and will be written anew: {reason}", stacklevel=3)


def save(path: pathlib.Path, label: str, arrays: dict[str, np.ndarray]) -> bool:
    """Store the arrays; False, with a warning, if the folder cannot be written."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        with open(temporary, "xb") as file:
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
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sweep(path: pathlib.Path) -> None:
    """Remove what writers of this file left behind when they were killed."""
    for left in path.parent.glob(f"{path.name}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink()
