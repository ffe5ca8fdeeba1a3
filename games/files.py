"""Writing files so that they appear whole or not at all."""

import errno
import os
from pathlib import Path


def write_bytes(path: Path, *data: bytes | memoryview) -> None:
    """Write a file, piece by piece, under its final name only once it is complete and on the disk.

    Raises OSError naming the file (a full disk, say) with nothing left behind; what stood there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def refuse_unwritable(folder: Path) -> None:
    """Raises OSError, naming the folder, where nothing could be written into it: before the work, not after it."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if not os.access(there, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def sweep_up(folder: Path) -> None:
    """Remove what killed processes were writing below `folder`; for folders that nobody else writes to."""
    for temporary in folder.rglob(".*.tmp"):
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, UTF-8."""
    write_bytes(path, text.encode())
