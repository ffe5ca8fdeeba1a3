"""What a game declares."""

import re

import numpy as np

from games.core import HEADER, ActionLayout, Game, Rules
from games.promises.sampling import PromiseBroken, is_table


def check_declared_facts(game: Game, seed: int) -> None:
    """The facts are there, with the types and shapes that the contract names."""
    A = game.num_actions
    facts = {
        "name must be a word": isinstance(game.name, str) and re.fullmatch(r"[\w-]+", game.name),
        "title must be a word: it names files": isinstance(game.title, str) and re.fullmatch(r"[\w.-]+", game.title),
        "rules must be Rules(reset, legal, apply, observe)": isinstance(game.rules, Rules),
        "state_dtype must be an integer type": np.issubdtype(game.state_dtype, np.integer),
        "can_draw must be True or False": isinstance(game.can_draw, bool),
        "params must be integers in one row": game.params.dtype == np.int64 and game.params.ndim == 1,
        f"state_words must be an integer of {HEADER} or more (the header)": is_count(game.state_words, HEADER),
        "num_actions must be a positive integer": is_count(A, 1),
        "max_length must be a positive integer": is_count(game.max_length, 1),
        "size must be an integer": is_count(game.size, 0),
        "observation_shape must be three positive integers P, H, W": isinstance(game.observation_shape, tuple)
        and len(game.observation_shape) == 3
        and all(is_count(n, 1) for n in game.observation_shape),
        "settings must be a dict of names to integers, booleans or text": isinstance(game.settings, dict)
        and all(isinstance(k, str) and isinstance(v, int | bool | str) for k, v in game.settings.items()),
        f"views must be integers [2, {A}]": is_table(game.views, A) and len(game.views) == 2,
    }
    for fact, holds in facts.items():
        if not holds:
            raise PromiseBroken(fact)
    if game.layout is not None and not has_places(game.layout, A, game.observation_shape):
        raise PromiseBroken(
            f"layout.entries must give each of the {A} actions a place of its own among the counts of the layout"
        )


def has_places(layout: ActionLayout, actions: int, shape: tuple[int, int, int]) -> bool:
    """Whether `actions` different entries lie within the rows of numbers that the layout counts."""
    per_cell, per_column, per_board, entries = layout
    places = (per_cell * shape[1] + per_column) * shape[2] + per_board
    return (
        is_table(np.asarray(entries)[None], actions) and len(np.unique(entries)) == actions
        and np.min(entries) >= 0 and np.max(entries) < places
    )  # fmt: skip


def is_count(value, low):
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= low
