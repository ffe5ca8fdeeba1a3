"""What does not fit into the memory that is free is refused before it is asked for, since the system would kill."""

from __future__ import annotations

import psutil

from training.settings import SettingsError


def refuse_beyond_free(needed: float, what: str, remedy: str) -> None:
    """Raises SettingsError where `what` needs more bytes than are free."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise SettingsError(f"{what} need {needed / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free; {remedy}")
