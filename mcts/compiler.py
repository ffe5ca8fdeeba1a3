"""Compiling this package. Its kernels call kernels of other files, which numba's cache on disk does not look at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

_FILES = sorted(Path(__file__).parent.glob("*.py"))
_STAMP = tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in _FILES)


def kernel(function: Callable) -> Any:
    """Decorator: compiled on first use and kept on disk until any file of the package changes."""
    compiled: Any = numba.njit(cache=True, nogil=True)(function)
    if compiled is not function:  # the compiler is switched on
        compiled._cache._cache_file._source_stamp = _STAMP
    return compiled
