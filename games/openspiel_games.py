"""Which of OpenSpiel's games fit the contract, and what they are called here.

OpenSpiel has games of chance, of hidden information, of one player or many; `load` refuses what does not fit and says
why. It is the one door to `pyspiel.load_game`, whose errors and shared tables need some care.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Iterator

import pyspiel

from games.core import GameError

LONGEST = 20_000
"""Moves that a state holds at most. OpenSpiel's own bound, further off in two games, is one that nobody comes near."""

SIZES = ("board_size", "size", "m", "rows", "num_rows", "num_houses_per_player")
"""The parameter that orders the sizes of a game; games without one take the height of their board."""

SHARED_TABLES = ("havannah", "y")
LARGEST_SHARED = 64
"""OpenSpiel 2.0.2 keeps the neighbours of all board sizes of such a game in one growing table, to whose former place
the positions made before go on pointing: a larger board made later crashes them. Here the table is grown once, below,
to the largest size that is offered."""

ONE_SIZE = ("twixt",)
"""OpenSpiel 2.0.2 keeps one table for such a game, that of the board size made last; positions of another one crash."""

TYPES = pyspiel.GameType
EXPECTED = {
    "dynamics": (TYPES.Dynamics.SEQUENTIAL, "moves at the same time", "turns"),
    "chance_mode": (TYPES.ChanceMode.DETERMINISTIC, "chance", "a game without"),
    "information": (TYPES.Information.PERFECT_INFORMATION, "hidden information", "all to be seen"),
    "utility": (TYPES.Utility.ZERO_SUM, "payoffs that do not cancel", "a zero-sum game"),
    "reward_model": (TYPES.RewardModel.TERMINAL, "rewards during the game", "a result at its end"),
}

WRAPPERS = ("add_noise", "misere", "start_at", "zerosum")
"""Games made of another one, which they show as it is."""

for _name in SHARED_TABLES:
    pyspiel.load_game(f"{_name}(board_size={LARGEST_SHARED})").new_initial_state()


_taken: dict[str, int] = {}  # board size by game of ONE_SIZE


def load_game(text: str) -> pyspiel.Game:
    """As `pyspiel.load_game`, for board sizes that one process can have. Raises GameError for others."""
    for found in re.finditer(rf"\b({'|'.join(SHARED_TABLES + ONE_SIZE)})\b(\([^()]*\))?", text):
        _refuse_size(text, found[1], pyspiel.load_game(found[0]).get_parameters()["board_size"])
    return pyspiel.load_game(text)


def _refuse_size(text, name, size):
    """Before any position is made, as some games made of another one do when they are loaded."""
    if name in SHARED_TABLES and size > LARGEST_SHARED:
        raise GameError(f"openspiel: {text!r} cannot be: board_size={size}, expected at most {LARGEST_SHARED}")
    if name in ONE_SIZE and _taken.setdefault(name, size) != size:
        raise GameError(f"openspiel: {text!r} cannot be here: OpenSpiel keeps one board size of {name} in a process, "
                        f"that of the first, {_taken[name]}; choose one size")  # fmt: skip


def shown(game: pyspiel.Game) -> tuple[str, dict]:
    """Name and parameters of the game whose positions are seen: of misere(game=hex(board_size=3)) those of Hex."""
    while game.get_type().short_name in WRAPPERS:
        inner = dict(game.get_parameters()["game"])
        game = pyspiel.load_game(inner.pop("name"), inner)
    return game.get_type().short_name, game.get_parameters()


def load(text: str) -> pyspiel.Game:
    """The game of OpenSpiel called `text`. Raises GameError for one that does not exist or does not fit."""
    name, bracket, _ = text.partition("(")
    kinds = {kind.short_name: kind for kind in pyspiel.registered_games()}
    if name not in kinds:
        fitting = [kind.short_name for kind in kinds.values() if fits(kind)]
        near = difflib.get_close_matches(name, fitting, 5, 0.5) or ["breakthrough", "havannah(board_size=4)", "hex"]
        raise GameError(f"openspiel: OpenSpiel has no game {name!r}: expected one such as {', '.join(near)}")
    if bracket and not text.endswith(")"):
        raise GameError(f"openspiel: {text!r} cannot be: expected a closing bracket at its end")
    if kinds[name].dynamics == TYPES.Dynamics.SIMULTANEOUS:  # before it is made, which may take for ever
        _check_facts(text, kinds[name])
    try:
        with _silent():
            game = load_game(text)
            if shown(game)[0] == "hex":
                game = pyspiel.load_game(name, _plain(name, game.get_parameters()))
            _check(text, game)
    except (pyspiel.SpielError, ValueError, MemoryError) as error:
        if isinstance(error, GameError):
            raise
        said = " ".join(str(error).partition(" Available games")[0].split())
        raise GameError(f"openspiel: {text!r} cannot be: OpenSpiel says {said!r}") from None
    return game


def _plain(name: str, parameters: dict) -> dict:
    """Parameters for Hex, or a game made of it, whose observation does not tell what is connected."""
    if name == "hex":
        return {**parameters, "plain_obs_tensor": True}
    inner = parameters["game"]
    return {**parameters, "game": _plain(inner["name"], inner)}


def fits(kind: pyspiel.GameType) -> bool:
    """Whether a game of this type may be offered; sizes are another question."""
    facts = all(getattr(kind, fact) == wanted for fact, (wanted, _, _) in EXPECTED.items())
    return facts and kind.min_num_players <= 2 <= kind.max_num_players and kind.provides_observation_tensor


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """OpenSpiel writes an error to the file descriptor of stderr before it raises it; ours alone is to be read."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _check(text, game):
    """Raise GameError for a game that this contract has no words for."""
    kind = game.get_type()
    if game.num_players() != 2:
        raise GameError(f"openspiel: {text!r} has {game.num_players()} players: expected a game for 2")
    _check_facts(text, kind)
    if not kind.provides_observation_tensor:
        raise GameError(f"openspiel: {text!r} has no observation as numbers, which networks need: choose another game")
    for what, number, most in (("moves in a game", game.max_game_length(), 2**31 - 1),
                               ("actions", game.num_distinct_actions(), 2**15 - 1)):  # fmt: skip
        if not 1 <= number <= most:
            raise GameError(
                f"openspiel: {text!r} has up to {number} {what}: expected from 1 to {most}; choose another size"
            )
    name, parameters = shown(game)
    if name == "hex" and parameters["num_rows"] != parameters["num_cols"]:
        raise GameError(f"openspiel: {text!r} cannot be seen: OpenSpiel 2.0.2 writes what it shows of Hex boards that "
                        "are no squares to wrong places; take game=hex with rows and columns")  # fmt: skip
    begin = game.new_initial_state()
    if begin.is_chance_node():
        raise GameError(f"openspiel: {text!r} begins with chance: expected a game without; choose another game")
    if begin.current_player() not in (0, 1) or not begin.legal_actions() or min(game.observation_tensor_shape()) < 1:
        raise GameError(f"openspiel: {text!r} has no move to begin with: choose another size")


def _check_facts(text, kind):
    for fact, (wanted, what, instead) in EXPECTED.items():
        if getattr(kind, fact) != wanted:
            found = getattr(kind, fact).name.lower()
            raise GameError(f"openspiel: {text!r} has {what} ({found}): expected {instead}; choose another game")


def longest(game: pyspiel.Game) -> int:
    """The longest game that can be played here; OpenSpiel 2.0.2 does not count the swap in Hex."""
    name, parameters = shown(game)
    swap = name == "hex" and parameters["swap"]
    return min(game.max_game_length() + int(swap), LONGEST)


def describe(text: str, game: pyspiel.Game) -> tuple[str, int | None]:
    """Name without the size, and the size if a parameter says it.

    hex(board_size=5,swap=True) is openspiel-hex-swap_True, 5.
    """
    parameters = game.get_parameters()
    given = text.partition("(")[2].removesuffix(")").split(",")
    keys = [key for key in SIZES if isinstance(parameters.get(key), int)]
    key = next((key for key in keys if any(part.partition("=")[0] == key for part in given)), next(iter(keys), None))
    others = [part.replace("=", "_") for part in given if part and part.partition("=")[0] != key]
    words = "-".join(["openspiel", text.partition("(")[0], *others])
    return re.sub(r"[^\w-]+", "_", words), None if key is None else parameters[key]
