"""Complete trees of every rule on a few positions, as text, so that a change of any of them is seen.

    python tests/mcts/golden.py            compare with tests/mcts/golden.txt, name the first difference
    python tests/mcts/golden.py --write    write it again; then look at what git says has changed

A line is one node: its action, visits, mean value for its player to move, prior, and "exact" where it is proven or the
game is over; children stand indented below their parent, in the order in which they were tried.
"""

import pathlib
import sys

import numpy as np
from evaluators import EXACT, HashEvaluator
from trees import children

from games import make
from mcts import Gumbel, Puct, Regularised, search
from mcts.streams import seed_streams

FILE = pathlib.Path(__file__).with_suffix(".txt")
POSITIONS = [
    ("tictactoe", {}, []),
    ("tictactoe", {}, [4, 0, 8, 2, 1]),
    ("hex", {"size": 3, "swap": True}, [1]),
]
RULES = [
    Puct(),
    Puct(solve=True, c_log=0.45),
    Puct(forced_playouts=2.0, noise=0.25),
    Puct(root_symmetries=True),
    Gumbel(),
    Gumbel(noise=1.0, considered=4, rescale=True, solve=True),
    Regularised(),
    Regularised(solve=True),
]
BUDGET = 40


def text() -> str:
    parts = []
    for rule in RULES:
        for name, settings, moves in POSITIONS:
            game = make(name, **settings)
            states = game.play(game.reset(1)[0], *moves)[None]
            evaluate = HashEvaluator(game.num_actions, seed=1, grain=EXACT)
            found = search(game, states, evaluate, BUDGET, rule, seed_streams(0))
            lines = [f"{rule}", f"{game.title} {moves}, plays {game.action_text(found.choose()[0])}"]
            parts.append("\n".join([*lines, *_lines(found.tree, 0, 0)]))
    return "\n\n".join(parts) + "\n"


def _lines(tree, index, depth):
    node = tree.nodes[0, index]
    value = node.value_sum / np.float32(node.visits)
    exact = " exact" if node.settled else ""
    prior = f"{node.edge_prior:.6f}" if index else "-"
    yield f"{'  ' * depth}{node.action if index else 'root'} {node.visits} {value:.6f} {prior}{exact}"
    for child in children(tree, 0, index):
        yield from _lines(tree, child, depth + 1)


def differences(found: str, expected: str):
    """Lines that differ in more than the sixth digit of a number."""
    pairs = list(zip(found.splitlines(), expected.splitlines(), strict=False))
    for number, (new, old) in enumerate(pairs, start=1):
        if new != old and not _near(new, old):
            yield f"line {number}: {new!r}, expected {old!r}"
    if found.count("\n") != expected.count("\n"):
        yield f"{found.count(chr(10))} lines, expected {expected.count(chr(10))}"


def _near(new, old):
    new, old = new.split() or [""], old.split() or [""]
    is_node = new[0].isdecimal() or new[0] == "root"
    return is_node and len(new) == len(old) and all(map(_same, new, old))


def _same(new, old):
    return new == old or ("." in new and "." in old and abs(float(new) - float(old)) < 3e-6)


if __name__ == "__main__":
    if "--write" in sys.argv:
        FILE.write_text(text())
    else:
        print(next(differences(text(), FILE.read_text()), "the same"))
