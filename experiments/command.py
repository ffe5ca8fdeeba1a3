"""How the commands of experiments/ end when something is wrong: one line on stderr and status 1, no traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException


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
            lines = str(error).strip().splitlines() or [type(error).__name__]
            key = getattr(error, "full_key", None)
            print(f"error: {f'{key}: ' if key else ''}{lines[0]}", file=sys.stderr)
            sys.exit(1)

    return wrapped


def typed(schema: type, config: DictConfig) -> Any:
    """The composed settings as an instance of the dataclass `schema`; wrong types and unknown keys raise."""
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), config))
