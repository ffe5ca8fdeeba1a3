"""Finding games, network families and strategies by name, so that a new one is a new file and nothing else.

A plain name is a module of the collection's own package; `package.module:Class` is anything that can be imported.
"""

import importlib
import inspect
import pathlib
import re
import traceback
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def find(name: str, package: str, base: type[T], error: type[Exception]) -> type[T]:
    """The subclass of `base` called `name`: the one in the module `PACKAGE.NAME`, or `package.module:Class`.

    Raises `error` if there is none, naming what there is.
    """
    what = base.__name__.lower()
    known = f"known are {', '.join(names(package, base))}; one of your own is called 'package.module:Class'"
    module_name, _, attribute = str(name).partition(":")
    if not re.fullmatch(r"[A-Za-z_][\w.]*", module_name) or ("." in module_name and not attribute):
        raise error(f"no {what} {name!r}: {known}")
    target = module_name if attribute else f"{package}.{module_name}"
    try:
        module = importlib.import_module(target)
    except ModuleNotFoundError as missing:
        if missing.name is None or not target.startswith(missing.name):
            raise error(f"{what} {name!r} cannot be imported: {missing}") from missing
        where = f"there is no module {missing.name}, seen from here and PYTHONPATH; " if attribute else ""
        raise error(f"no {what} {name!r}: {where}{known}") from None
    except Exception as broken:
        raise error(f"{what} {name!r} cannot be imported: {told(broken)}") from broken
    candidates = [getattr(module, attribute, None)] if attribute else _defined_in(module)
    classes = [c for c in candidates if inspect.isclass(c) and issubclass(c, base)]
    if len(classes) != 1:
        there = [c.__name__ for c in _defined_in(module) if issubclass(c, base)]
        raise error(f"no {what} {name!r}: {target} has the subclasses {there} of {base.__name__}; {known}")
    return classes[0]


def name_of(cls: type, package: str) -> str:
    """The name under which `find` finds `cls` again: that of its file in PACKAGE, or `package.module:Class`."""
    folder, _, module = cls.__module__.rpartition(".")
    return module if folder == package else f"{cls.__module__}:{cls.__qualname__}"


def names(package: str, base: type) -> list[str]:
    """The modules of `package` that define a subclass of `base`, read from their text without importing them."""
    folder = pathlib.Path(importlib.import_module(package).__file__ or "").parent
    pattern = re.compile(rf"^class \w+\(\w*{base.__name__}\)", re.MULTILINE)
    return sorted(file.stem for file in folder.glob("*.py") if pattern.search(file.read_text()))


def check_settings(what: str, cls: type, settings: dict, error: type[Exception], given: Sequence[str] = ()) -> None:
    """Raise `error` for a setting that `cls` does not take, or if it cannot be called with these and `given` before."""
    signature = inspect.signature(cls)
    known = list(signature.parameters.values())[len(given) :]
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known)
    takes = ", ".join(parameter.name for parameter in known) or "none"
    for key in [] if open_ended else settings:
        if key not in {parameter.name for parameter in known}:
            raise error(f"{what} has no setting {key!r}: it takes {takes}")
    try:
        signature.bind(*given, **settings)
    except TypeError as refusal:
        first = f"{', '.join(given)} first, then " if given else ""
        raise error(f"{what} cannot be built, {refusal}: its constructor takes {signature}; expected {first}settings "
                    "with defaults, as in docs/adding_a_game.md") from None  # fmt: skip


def told(error: Exception) -> str:
    """An error of somebody else's code in one line, with the place where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = "" if isinstance(error, SyntaxError) else f" ({last.filename}, line {last.lineno})"
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def _defined_in(module):
    return [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
