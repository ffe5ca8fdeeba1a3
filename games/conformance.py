"""Does a game keep the promises of games.core? Every promise is one check in games.promises.

As a command, for a game of this collection or your own:

    python -m games.conformance hex size=5 swap=true
    python -m games.conformance my_package.my_game:MyGame

In your tests:

    @parametrize_with_checks([MyGame(size=4), MyGame(size=7)])
    def test_promises(game, check):
        check(game, seed=0)

or all at once: `check_game(MyGame(size=4))`.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator

from numba.core.errors import NumbaError

from games.compiling import cause
from games.core import Game, GameError, make, parse_settings
from games.promises import CHECKS, PromiseBroken, check_declared_facts, check_plain_python
from games.promises.memory import check_leftovers, check_looking, check_own_rows
from games.promises.rules import check_header, check_legal, check_length, check_reset, check_result, check_same_again
from games.promises.text import check_settings
from games.promises.views import check_observation, check_symmetries, check_views
from games.registry import name_of
from games.terminal import end_with
from games.watching import watched

__all__ = ["CHECKS", "PromiseBroken", "check_game", "doubt", "parametrize_with_checks", "refuse_unsound",
           "run_checks"]  # fmt: skip

Check = Callable[[Game, int], None]

# What these find can crash the process or make nonsense of the others, so they come first and the rest waits.
GROUNDS: tuple[Check, ...] = (check_declared_facts, check_plain_python)
FIRST_LOOK: tuple[Check, ...] = (
    *GROUNDS, check_header, check_legal, check_length, check_result, check_reset, check_same_again, check_observation,
    check_leftovers, check_own_rows, check_looking, check_symmetries, check_settings,
)  # fmt: skip


def run_checks(game: Game, seed: int = 0, skip: Iterable[str] = ()) -> Iterator[tuple[str, str | None]]:
    """Run all checks but those named in `skip`; yields each name with None if kept, else with what is wrong.

    Stops after a failure that makes the later checks meaningless or dangerous. A kernel that never ends ends the
    program with status 2.
    """
    unknown = set(skip) - {check.__name__ for check in CHECKS}
    if unknown:
        raise GameError(f"no check is called {', '.join(sorted(unknown))}: they are in games.promises.CHECKS")
    for check in CHECKS:
        if check.__name__ in skip:
            continue
        try:
            _run(check, game, seed)
        except Exception as error:
            yield check.__name__, _told(error)
        else:
            yield check.__name__, None
            continue
        if check in GROUNDS:
            return


def _run(check: Check, game: Game, seed: int) -> None:
    with watched(f"{_words(game)}: {check.__name__}"):
        check(game, seed)


def _words(game: Game) -> str:
    """A game as the command line names it."""
    return " ".join([name_of(type(game), "games"), *(f"{key}={value}" for key, value in game.settings.items())])


def _told(error: Exception) -> str:
    """What is wrong, from the error of a check."""
    if isinstance(error, PromiseBroken):
        return str(error)
    if isinstance(error, NumbaError):
        undecorated = "; a rule is without its decorator @kernel" if "<class 'function'>" in str(error) else ""
        return f"a kernel does not compile: {cause(error)}{undecorated}"
    return f"{type(error).__name__}: {error}"


def refuse_unsound(game: Game) -> None:
    """A quick look at a game from outside, before work is spent on it.

    Raises GameError if it breaks a promise without which a search would crash or find nonsense.
    """
    if broken := _first_broken(game, FIRST_LOOK):
        raise GameError(f"{game.title} breaks a promise, {broken}")


def doubt(game: Game) -> str | None:
    """What looks wrong in a game from outside and is right in a few: whose pieces come first in what is seen."""
    broken = _first_broken(game, (check_views,))
    return broken and f"{game.title} seems to break a promise, which is right only where the sides differ, {broken}"


def _first_broken(game: Game, checks: Iterable[Check]) -> str | None:
    """The first of these promises that a game from outside breaks, in a line."""
    outside = ":" in name_of(type(game), "games")
    for check in checks if outside else ():
        try:
            _run(check, game, 0)
        except Exception as error:
            first = _told(error).splitlines()[0].removesuffix(" Position:")
            return f"{check.__name__}: {first} See python -m games.conformance {_words(game)}"
    return None


def check_game(game: Game | Callable[[], Game], seed: int = 0, skip: Iterable[str] = ()) -> None:
    """Raise PromiseBroken naming every promise that `game`, or the game that it builds, does not keep.

    `skip` states by name which promises the game does not make, such as check_observation_tells_legal where
    information is hidden on purpose.
    """
    game = game if isinstance(game, Game) else game()
    broken = [f"{name}: {reason}" for name, reason in run_checks(game, seed, tuple(skip)) if reason is not None]
    if broken:
        raise PromiseBroken(f"{game.title} breaks {len(broken)} of {len(CHECKS)} promises\n" + "\n".join(broken))


def parametrize_with_checks(games: Iterable[Game | Callable[[], Game]]):
    """Decorator for a pytest function with the arguments `game` and `check`: one test per game and promise."""
    import pytest

    built = [game if isinstance(game, Game) else game() for game in games]
    cases = [pytest.param(game, check, id=f"{game.title}-{check.__name__}") for game in built for check in CHECKS]
    return pytest.mark.parametrize(("game", "check"), cases)


# ---- command -------------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 if all promises are kept, 1 if not, 2 if there is no such game or one of its kernels never ends."""
    parser = argparse.ArgumentParser(
        prog="python -m games.conformance", description="Check that a game keeps the promises of games.core."
    )
    parser.add_argument("game", help="a file of games/ such as hex, or my_package.my_game:MyGame")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings of the game: size=5 swap=true")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random games (default 0)")
    options = parser.parse_args(arguments)
    try:
        game = make(options.game, **parse_settings(options.settings))
    except (GameError, ImportError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return _report(game, options.seed)


def _report(game, seed):
    done, failed = 0, 0
    for name, reason in run_checks(game, seed):
        done += 1
        failed += reason is not None
        print(f"{name:<32} {'ok' if reason is None else f'FAILED: {reason}'}", flush=True)
    left = f", {len(CHECKS) - done} not run" if done < len(CHECKS) else ""
    print(f"{game.title}: {done - failed} of {len(CHECKS)} promises kept{left}")
    return 1 if failed else 0


if __name__ == "__main__":
    end_with(main)
