"""The kernels as written: where they are defined, and what they do in plain Python."""

import types

import numpy as np

from games.core import Game, Rules
from games.promises.sampling import PromiseBroken, after, random_games


def check_kernels_of_one_file(game: Game, seed: int) -> None:
    """The rules and all they call are plain functions of one file, closing over nothing: the cache's terms."""
    files: dict[str, str] = {}
    for name, function in game.rules._asdict().items():
        for helper in _reached(function):
            if helper.__closure__:
                raise PromiseBroken(
                    f"{name} uses {helper.__name__}, which closes over {helper.__code__.co_freevars}: the cache of "
                    "compiled code may hand out another game's version. Define it at the top of the file and pass "
                    "sizes and variants in `params`"
                )
            files.setdefault(helper.__code__.co_filename, helper.__name__)
    if len(files) > 1:
        raise PromiseBroken(
            f"the rules call functions of several files ({', '.join(files.values())}): when one file changes, "
            "compiled code of the other stays in the cache. Copy the helper into the game's file"
        )


def _reached(function):
    """The kernel behind `function` as plain Python functions, with the compiled helpers it calls."""
    seen: dict = {}
    todo = [function]
    while todo:
        plain = _source(todo.pop())
        if plain not in seen:
            seen[plain] = None
            names = plain.__code__.co_names
            called = [plain.__globals__.get(name) for name in names]
            called += [getattr(f, name, None) for f in called if isinstance(f, types.ModuleType) for name in names]
            todo += [f for f in called if hasattr(f, "py_func")]
    return list(seen)


def _source(function):
    return getattr(function, "py_func", function)


def _plain(function, done):
    """`function` as plain Python, and all compiled functions that it calls too."""
    if function not in done:
        source = _source(function)
        namespace = dict(source.__globals__)
        copy = types.FunctionType(source.__code__, namespace, source.__name__, source.__defaults__, source.__closure__)
        done[function] = copy
        for name in source.__code__.co_names:
            if hasattr(namespace.get(name), "py_func"):
                namespace[name] = _plain(namespace[name], done)
    return done[function]


class Interpreted:
    """The batch methods of a game with its kernels run as plain Python on words of 64 bits."""

    def __init__(self, game: Game):
        self.rules = Rules(*(_plain(function, {}) for function in game.rules))
        self.params, self.num_actions, self.max_length = game.params, game.num_actions, game.max_length
        self.state_words, self.observation_shape = game.state_words, game.observation_shape

    def reset(self, count):
        states = np.zeros((count, self.state_words), np.int64)
        return self._each("reset", self.rules.reset, states, states)

    def legal(self, states):
        masks = np.zeros((len(states), self.num_actions), np.bool_)
        return self._each("legal", self.rules.legal, masks, states, masks)

    def advance(self, states, actions):
        self._each("apply", self.rules.apply, states, states, actions)

    def observe(self, states):
        planes = np.zeros((len(states), *self.observation_shape), np.float32)
        return self._each("observe", self.rules.observe, planes, states, planes)

    def _each(self, name, function, written, states, *others):
        for row in zip(states, *others, strict=True):
            try:
                function(row[0], self.params, *row[1:])
            except Exception as error:
                hint = FOREIGN if isinstance(error, IndexError) else "A kernel must run uncompiled too."
                raise PromiseBroken(
                    f"{name} as plain Python raises {type(error).__name__}: {error}. {hint} State {row[0].tolist()}"
                ) from error
        return written


def check_plain_python(game: Game, seed: int) -> None:
    """The kernels read as plain Python agree with their compiled selves.

    Plain Python refuses indices that compiled code follows out of the array, and has words wide enough here for any
    value, so that one that does not fit `state_dtype` shows.
    """
    plain = Interpreted(game)
    games = random_games(plain, seed, count=3)  # type: ignore[arg-type]
    wide = games.positions(PLAIN)
    narrow: np.ndarray = wide.astype(game.state_dtype)
    before, actions = games.moves(PLAIN)
    compared = {
        "reset": (plain.reset(1), game.reset(1)),
        "legal": (plain.legal(wide), game.legal(narrow)),
        "observe": (plain.observe(wide), game.observe(narrow)),
        "apply": (after(plain, before, actions), after(game, before.astype(game.state_dtype), actions)),
    }
    for name, (expected, got) in compared.items():
        differs = (expected != got) & ~(np.isnan(expected) & np.isnan(got))
        if differs.any():
            where = tuple(int(i) for i in np.argwhere(differs)[0])[1:]
            raise PromiseBroken(
                f"{name} gives {got[differs][0]} compiled and {expected[differs][0]} as plain Python at {where}: "
                f"a value that {np.dtype(game.state_dtype)} cannot hold, arithmetic that depends on integer width, "
                "chance, or a global variable that changed after the kernel was compiled"
            )


PLAIN = 400  # positions compared
FOREIGN = "Compiled, an index out of range reads or writes foreign memory without a word."
