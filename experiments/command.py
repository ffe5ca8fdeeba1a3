"""How the commands of experiments/ end when something is wrong: one line on stderr and status 1, no traceback."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments import outside
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
            print("stopped; what is finished is kept", file=sys.stderr)
            sys.exit(130)
        except (ValueError, OSError, OmegaConfBaseException, HydraException) as error:
            print(f"error: {one_line(error)}", file=sys.stderr)
            sys.exit(1)
        except Exception as error:
            # A worker told to stop before it listens just dies, and so does one that the system kills for its memory.
            if (told := interrupt.told()) is not None:
                print(f"\nstopped by {told}; what is finished is kept, and the same command goes on", file=sys.stderr)
                sys.exit(130)
            if type(error).__name__ == "TerminatedWorkerError":
                print("\nerror: a worker process was killed, most often for want of memory; what is finished is "
                      "kept: the same command goes on; lower jobs for fewer processes", file=sys.stderr)  # fmt: skip
                sys.exit(1)
            raise

    return wrapped


def one_line(error: BaseException) -> str:
    """What went wrong, without the configuration library's hints about its own internals."""
    noise = ("To append", "full_key:", "object_type=", "Config search path", "Set hydra.verbose")
    lines = [line.strip() for line in str(error).splitlines()]
    text = " ".join(line for line in lines if line and not line.startswith(noise)) or type(error).__name__
    if text.startswith("Could not override"):
        text += " There is no such setting: correct its name; --cfg job lists all of them"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        text += "; what is finished is kept: make room, then the same command goes on"
    key = getattr(error, "full_key", None)
    return f"{key}: {text}" if key else text


def typed(schema: type, config: DictConfig) -> Any:
    """The composed settings as an instance of the dataclass `schema`; wrong types and unknown keys raise."""
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), config))


def run_application(main: Callable) -> None:
    """Call a Hydra application so that its composition errors (an unknown or mistyped setting) end in one line too."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra would print and exit on its own

    @one_line_errors
    def application():
        outside.offer(sys.argv[1:])
        main()

    application()
