"""How commands meet the terminal: a position read as text, Ctrl-C, and a reader such as `| head` that has left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from games.core import GameError


def read_text(source: str) -> str:
    """The text of a file, or of standard input for -. Raises GameError for what is no text, OSError for no file."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
        text.encode()
    except UnicodeError:
        name = "standard input" if source == "-" else source
        raise GameError(f"{name} is no text in UTF-8: expected a position as the game draws it") from None
    return text.removeprefix("\ufeff")


def leave_output() -> None:
    """After BrokenPipeError: write the rest nowhere, which the interpreter would try again at its end."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def end_with(main: Callable[[], int]) -> None:
    """End the program with the status of `main`: 130 after Ctrl-C, and 1, without a word, if nobody reads on."""
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        leave_output()
        status = 1
    sys.exit(status)
