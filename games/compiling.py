"""Compiled kernels on disk, in a folder per state of the source.

Numba's cache notices changes of a kernel's own file, but not of the files whose functions it calls: after an edit of
one, the machine code of the other would go on doing what it did before, silently. So the folder's name is a digest of
all files with kernels; any edit of one compiles anew.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import pathlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable

import numba
from numba.core.caching import IndexDataCacheFile
from numba.core.errors import NumbaError

from games.exact_store import folder

STALE_SECONDS = 14 * 86400


def use_cache_of_this_source() -> None:
    """Point numba at the folder of this source, under NUMBA_CACHE_DIR if that is set.

    If it cannot be written numba looks for a place of its own, beside the source first; if that cannot be written
    either, the kernels are compiled for this process and its workers alone.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    place = (pathlib.Path(chosen) if chosen else folder() / "kernels") / f"isoelo-{source_digest()}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        os.utime(place)
        _drop_stale(place.parent)
        if not (chosen or os.environ.get("ISOELO_CACHE")) and folder().stat().st_uid != os.getuid():
            raise PermissionError(f"{folder()} belongs to somebody else, whose machine code is not run")
    except OSError as error:
        if not os.access(pathlib.Path(__file__).parent, os.W_OK):
            numba.config.CACHE_DIR = _for_this_process(error)  # type: ignore[attr-defined]
        return
    numba.config.CACHE_DIR = str(place)  # type: ignore[attr-defined]


def _for_this_process(reason: OSError) -> str:
    """A folder that goes with this process, and that its workers are told of. Ends the program if there is none."""
    remedy = "set ISOELO_CACHE to a folder that can be written"
    try:
        place = tempfile.mkdtemp(prefix="isoelo-")
    except OSError as error:
        sys.exit(f"error: kernels can be compiled nowhere ({reason}; {error}): {remedy}")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = place
    print(f"kernels are compiled anew by each command ({reason}): {remedy}", file=sys.stderr)
    return place


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


def _where_there_is_room(save: Callable) -> Callable:
    """A kernel that finds no room on the disk works for this process alone.

    Its index goes, which may name what was not written; in that place may lie the machine code of an older source.
    """

    def tried(self, key, data):
        try:
            save(self, key, data)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(self._index_path)

    return tried


IndexDataCacheFile._load_index = _without_the_lost(IndexDataCacheFile._load_index)  # type: ignore[method-assign]
IndexDataCacheFile.save = _where_there_is_room(IndexDataCacheFile.save)  # type: ignore[method-assign]


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


def cause(error: NumbaError) -> str:
    """What numba names as the cause of code that does not compile, and where, in one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    first = next((line for line in lines if line and not line.startswith("Failed in")), "no reason given")
    place = next((line.rstrip(":") for line in lines if line.startswith("File ")), "")
    return f"{first[:120]} {place}".strip()
