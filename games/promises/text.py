"""One position, as people handle it: moves, text, settings."""

import numpy as np

from games import core
from games.core import Game, GameError
from games.promises.sampling import PromiseBroken, after, random_games, show


def check_play(game: Game, seed: int) -> None:
    """`play` refuses illegal actions with GameError, plays legal ones like `advance`, and leaves its argument alone."""
    states = random_games(game, seed).positions(100)
    for state in states:
        mask = game.legal(state[None])[0]
        for action in [-1, game.num_actions, *np.flatnonzero(~mask)[:20].tolist()]:
            try:
                game.play(state, action)
            except GameError:
                continue
            raise PromiseBroken(f"play accepts the illegal action {action}. Position:{show(game, state)}")
        for action in np.flatnonzero(mask)[:5].tolist():
            kept = state.copy()
            played = game.play(state, action)
            if not (kept == state).all():
                raise PromiseBroken("play changes the state it is given: it must work on a copy")
            if not (played == after(game, state[None], np.array([action]))[0]).all():
                raise PromiseBroken(f"play and advance differ for action {action}. Position:{show(game, state)}")


def check_text(game: Game, seed: int) -> None:
    """`parse` reads back exactly what `draw` wrote, and refuses what is no position with GameError."""
    for state in random_games(game, seed).positions(TEXTS):
        text = game.draw(state)
        try:
            back = game.parse(text)
        except GameError as error:
            raise PromiseBroken(f"parse refuses what draw wrote: {error}\n{text}") from error
        if back.dtype != state.dtype or back.shape != state.shape or not (back == state).all():
            raise PromiseBroken(
                f"parse reads another position from what draw wrote: {back.tolist()} for {state.tolist()}. The text "
                f"must tell everything, the player to move and the end included:\n{text}"
            )
    for text in ("", "no position", "\n" * 40, "x" * 10000):
        try:
            game.parse(text)
        except GameError:
            continue
        except Exception as error:
            raise PromiseBroken(f"parse raises {type(error).__name__} for {text[:20]!r}, not GameError") from error
        raise PromiseBroken(f"parse takes {text[:20]!r} for a position: it must raise GameError")
    names = [game.action_text(action) for action in range(game.num_actions)]
    first: dict[str, int] = {}
    for action, name in enumerate(names):
        if first.setdefault(name, action) != action:
            raise PromiseBroken(
                f"action_text gives two actions the same name: {first[name]} and {action} are {name!r}; those that are "
                "never legal need one too"
            )


TEXTS = 300  # positions drawn and read


def check_settings(game: Game, seed: int) -> None:
    """The class called with `settings`, or `make(name, **settings)`, builds the same game again."""
    cls: type = type(game)
    collected = cls.__module__ == f"games.{game.name}"
    try:
        twin = core.make(game.name, **game.settings) if collected else cls(**game.settings)
    except (GameError, TypeError) as error:
        raise PromiseBroken(f"the game cannot be made again from its settings {game.settings}: {error}") from error
    for fact in ("title", "size", "settings", "state_words", "num_actions", "observation_shape", "max_length"):
        if getattr(twin, fact) != getattr(game, fact):
            raise PromiseBroken(
                f"made again from its settings {game.settings}, the game has {fact} {getattr(twin, fact)!r} instead of "
                f"{getattr(game, fact)!r}: `settings` must hold every setting, defaults included"
            )
    for fact in ("params", "views"):
        if not np.array_equal(getattr(twin, fact), getattr(game, fact)):
            raise PromiseBroken(f"made again from its settings {game.settings}, the game has other {fact}")
