"""Compiled kernels on disk, in a folder per state of the source.

Numba's cache notices changes of a kernel's own file, but not of the files whose functions it calls: after an edit of
one, the machine code of the other would go on doing what it did before, silently. So the folder's name is a digest of
all files with kernels; any edit of one compiles anew.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import time
from collections.abc import Callable

import numba
from numba.core.caching import IndexDataCacheFile

from games.exact_store import folder

STALE_SECONDS = 14 * 86400


def use_cache_of_this_source() -> None:
    """Point numba at the folder of this source, under NUMBA_CACHE_DIR if that is set; not if it cannot be written."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    place = (pathlib.Path(chosen) if chosen else folder() / "kernels") / f"isoelo-{source_digest()}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        os.utime(place)
        _drop_stale(place.parent)
    except OSError:
        return
    numba.config.CACHE_DIR = str(place)  # type: ignore[attr-defined]


def _without_the_lost(load: Callable) -> Callable:
    """A kernel's index also names types of selection rules from elsewhere; one whose module is gone ends in no error.

    The kernel is compiled anew then, and takes its place.
    """

    def known(self):
        try:
            return load(self)
        except (ImportError, AttributeError):
            return {}

    return known


IndexDataCacheFile._load_index = _without_the_lost(IndexDataCacheFile._load_index)  # type: ignore[method-assign]


def source_digest(root: pathlib.Path | None = None) -> str:
    """A digest of the files with kernels, by name and content."""
    root = root or pathlib.Path(__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted([*root.glob("games/*.py"), *root.glob("mcts/*.py"), *root.glob("agents/**/*.py")]):
        content = file.read_bytes()
        if b"numba" in content or b"kernel" in content:  # @kernel, @lean_kernel, @inlined_kernel
            digest.update(file.name.encode() + content)
    return digest.hexdigest()[:16]


def _drop_stale(parent: pathlib.Path) -> None:
    """Remove the folders of source that nobody has run for two weeks."""
    for old in parent.glob("isoelo-*"):
        if time.time() - old.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
