"""The promises of a game (see games.core), one check each; games.conformance runs them.

A check takes a game and a seed, returns nothing, and raises PromiseBroken with the likely mistake. Checks know nothing
about the rules: they play seeded random games and compare what the kernels say with itself under changes that must
not matter (other memory, another batch, plain Python, a symmetry), and with what the game declares.

Axis letters: T plies, B games, S state words, A actions, P planes, F entries of an observation.
"""

from games.promises.facts import check_declared_facts
from games.promises.memory import check_batch, check_leftovers, check_looking, check_own_rows
from games.promises.rules import check_header, check_legal, check_length, check_reset, check_result, check_same_again
from games.promises.sampling import PromiseBroken
from games.promises.source import check_kernels_of_one_file, check_plain_python
from games.promises.text import check_play, check_settings, check_text
from games.promises.views import check_observation, check_observation_tells_legal, check_symmetries, check_views

CHECKS = [
    check_declared_facts,
    check_kernels_of_one_file,
    check_plain_python,
    check_reset,
    check_same_again,
    check_header,
    check_legal,
    check_length,
    check_result,
    check_own_rows,
    check_looking,
    check_leftovers,
    check_batch,
    check_observation,
    check_observation_tells_legal,
    check_views,
    check_symmetries,
    check_play,
    check_text,
    check_settings,
]

__all__ = ["CHECKS", "PromiseBroken"]
