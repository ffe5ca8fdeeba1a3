"""How the commands of experiments/ end when something is wrong: one line on stderr and status 1, no traceback."""

from __future__ import annotations

import errno
import functools
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from tqdm import tqdm

from experiments import outside
from games.stopping import as_ctrl_c
from games.terminal import unread_output
from training import interrupt


def one_line_errors(command: Callable) -> Callable:
    """Decorator of a command's body: errors that name their cause end the program with one line.

    Everything that the project raises on bad input is a ValueError; OSError covers full disks and missing rights. Other
    exceptions are faults of the program and keep their traceback.
    """

    @functools.wraps(command)
    def wrapped(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            _tell("stopped; what is finished is kept")
            sys.exit(130)
        except Exception as error:
            # A worker told to stop before it listens just dies, and so does one that the system kills for its memory;
            # libraries make errors of their own of a KeyboardInterrupt.
            if (told := interrupt.told()) is not None and not isinstance(error, OSError):
                _tell(f"stopped by {told}; what is finished is kept, and the same command goes on")
                sys.exit(130)
            if isinstance(error, ValueError | OSError | OmegaConfBaseException | HydraException):
                _tell(f"error: {one_line(error)}")
                sys.exit(1)
            if type(error).__name__ == "TerminatedWorkerError":
                _tell("error: a worker process was killed, most often for want of memory; what is finished is kept: "
                      "the same command goes on; lower jobs for fewer processes")  # fmt: skip
                sys.exit(1)
            if (said := _of_cluster(error)) is not None:
                _tell(f"error: from the cluster: {said}; logs lie in .submitit of the study; what is finished is "
                      "kept: the same command goes on")  # fmt: skip
                sys.exit(1)
            raise

    return wrapped


def _of_cluster(error: Exception) -> str | None:
    """What went wrong with its jobs, where the error is one of the launcher for clusters."""
    text = str(error)
    if type(error).__module__.startswith("submitit.") or text.startswith('Could not detect "srun"'):
        return " ".join(line.strip() for line in text.splitlines()[:2])
    return None


def _tell(text: str) -> None:
    """Print a last line to stderr, below the bars that still stand."""
    for bar in list(getattr(tqdm, "_instances", ())):
        bar.close()
    print(text, file=sys.stderr)


def one_line(error: BaseException) -> str:
    """What went wrong and what would be right, without the configuration library's hints about its own internals."""
    if isinstance(error, OSError) and error.filename is not None:
        return _of_file(error)
    noise = ("To append", "full_key:", "object_type=", "reference_type=", "Config search path", "provider=",
             "Set hydra.verbose")  # fmt: skip
    lines = [line.strip() for line in str(error).splitlines()]
    text = " ".join(line for line in lines if line and not line.startswith(noise)) or type(error).__name__
    if text.startswith("Could not override"):
        part = "hydra" if "'hydra." in text else "job"
        text += f" There is no such setting: correct its name; --cfg {part} lists all of them"
    if isinstance(error, OSError) and error.errno in FULL:
        text += ROOM
    key = getattr(error, "full_key", None)
    for pattern, clear in REWORDED:
        if found := re.search(pattern, text):
            return clear(key, *found.groups())
    return f"{key}: {text}" if key else text


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ROOM = "; what is finished is kept: make room, then the same command goes on"


def _of_file(error: OSError) -> str:
    if error.errno in FULL:
        remedy = ROOM
    elif error.errno in (errno.EEXIST, errno.ENOTDIR):
        remedy = ", and no folder: choose another path"
    else:
        remedy = ": correct the path, or the rights to its folder"
    return f"{error.filename}: {error.strerror}{remedy}"


def _no_choice(_: str | None, group: str, name: str, known: str) -> str:
    return f"{group}={name} cannot be: expected one of {', '.join(known.split())}{_ONES_OWN.get(group, '')}"


_CALLED = "; one of your own is called 'package.module:Class'"
_ONES_OWN = {
    "game": _CALLED,
    "network": _CALLED,
    "search": "; one of your own is search.rule=package.module:Class",
    "hydra/launcher": "; those of a cluster come with pip install -e '.[cluster]' (docs/cluster.md)",
}


def _no_number(key: str | None, value: str, kind: str) -> str:
    wanted = {"Integer": "a whole number", "Float": "a number", "bool": "true or false"}.get(kind, kind)
    return f"{key}={value} cannot be: expected {wanted}"


def _no_list(key: str | None) -> str:
    return f"{key} cannot be a single value: expected a list such as [1,4]"


def _not_given(_: str | None, key: str) -> str:
    return f"{key} is not given: add {key}=...; --help shows an example"


def _no_quotes(_: str | None, key: str, value: str) -> str:
    return f"{key}={value} cannot be read: a value with brackets has quotes of its own: '{key}=\"{value}\"'"


def _no_setting(_: str | None, word: str) -> str:
    return f"{word!r} is no setting: expected key=value; a value with spaces stands in quotes: 'key=a b'"


def _not_closed(_: str | None, word: str) -> str:
    return f"{word} cannot be read: expected every quote and bracket to be closed"


def _several(_: str | None, key: str, value: str) -> str:
    return (f"{key}={value} are several values: expected one, or '{key}=\"{value}\"' for one with commas; only a "
            "study, experiments.train -m, takes them in turns")  # fmt: skip


REWORDED: list[tuple[str, Callable[..., str]]] = [
    (r"Could not find '([\w/]+)/([^'/]+)' Available options in '[^']*': (.*)", _no_choice),
    (r"Value (.*) of type '\w+' could not be converted to (\w+)", _no_number),
    (r"Value (.*) is not a valid (bool)\b", _no_number),
    (
        r"is not a ListConfig, list or tuple",
        _no_list,
    ),
    (r"Error parsing override '([^=']+)=([^']*)' .*Unknown function", _no_quotes),
    (r"Error parsing override '([^']*)' missing EQUAL", _no_setting),
    (r"LexerNoViableAltException: (.*?) \^", _not_closed),
    (r"no viable alternative at input '(.*)'", _not_closed),
    (r"Ambiguous value for argument '([^=']+)=([^']*)'", _several),
    (
        r"(?i)missing mandatory value: ([\w.]+)",
        _not_given,
    ),
]
"""What the configuration library says, as a pattern, and how to say it: functions of the setting and of the groups."""


def typed(schema: type, config: DictConfig) -> Any:
    """The composed settings as an instance of the dataclass `schema`; wrong types and unknown keys raise."""
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), config))


GRAMMAR = frozenset("=,;(){}[] '")
"""Characters that mean something to the grammar of overrides."""
REFUSED = frozenset("!#&<>^`~")
"""Characters that it refuses outside quotes, as it does all beyond ASCII."""


def quoted(word: str) -> str:
    """`key=VALUE` with the quotes that the overrides' grammar wants around a path (runs of a study have its characters)
    and around a word with letters of all alphabets."""
    key, _, value = word.partition("=")
    characters = set(value)
    path = bool(characters & GRAMMAR) and os.path.exists(value)
    strange = not characters & (GRAMMAR - {" "}) and (not value.isascii() or bool(characters & REFUSED))
    return f'{key}="{value}"' if '"' not in value and (path or strange) else word


def run_application(main: Callable) -> None:
    """Call a Hydra application so that its composition errors (an unknown or mistyped setting) end in one line too."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra would print and exit on its own

    words = sorted(sys.argv[1:], key=lambda word: word not in ("-m", "--multirun"))  # it may stand anywhere
    sys.argv[1:] = [quoted(word) for word in words]

    @one_line_errors
    def application():
        with as_ctrl_c():
            outside.offer(sys.argv[1:])
            main()

    with unread_output():
        application()
