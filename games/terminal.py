"""How commands meet the terminal: a position read as text, Ctrl-C, and a reader such as `| head` that has left."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from games import stopping
from games.core import GameError


def read_text(source: str) -> str:
    """The text of a file, or of standard input for -. Raises GameError for what is no text, OSError for no file."""
    if source == "-" and sys.stdin is None:
        raise GameError("standard input is closed: expected a position as the game draws it")
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
        text.encode()
    except UnicodeError:
        name = "standard input" if source == "-" else source
        raise GameError(f"{name} is no text in UTF-8: expected a position as the game draws it") from None
    return text.removeprefix("\ufeff")


class Unread:
    """A stream whose reader may leave, or whose disk may fill: from then on nothing is shown, and the work goes on."""

    def __init__(self, stream: Any):
        self._stream = stream
        self.lost: OSError | None = None  # why what somebody wanted to read could not be written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._unless_left(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._unless_left(self._stream.flush)

    def _unless_left(self, act: Callable, *args) -> None:
        try:
            act(*args)
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.lost = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def unread_output() -> Iterator[None]:
    """What is printed within goes on being printed while somebody reads it; status 1 where it could not be written."""
    with contextlib.ExitStack() as stack:
        nowhere = stack.enter_context(open(os.devnull, "w"))  # for a stream that was closed before the program began
        out = stack.enter_context(contextlib.redirect_stdout(Unread(sys.stdout or nowhere)))
        stack.enter_context(contextlib.redirect_stderr(Unread(sys.stderr or nowhere)))
        try:
            yield
        finally:
            out.flush()
        if out.lost is not None:
            print(f"error: what was printed could not be written: {out.lost.strerror}", file=sys.stderr)
            sys.exit(1)


def end_with(main: Callable[[], int]) -> None:
    """End the program with the status of `main`, whether anybody reads what it prints or not; 130 if told to stop."""
    with unread_output():
        try:
            with stopping.as_ctrl_c():
                status = main()
        except (Exception, KeyboardInterrupt) as error:
            if stopping.heard is None and not isinstance(error, KeyboardInterrupt):
                raise
            print("stopped", file=sys.stderr)
            status = 130
    sys.exit(status)
