"""The trees of tests/mcts/golden.txt, node by node."""

import golden


def test_trees_are_the_golden_ones():
    assert list(golden.differences(golden.text(), golden.FILE.read_text())) == []


def test_a_changed_tree_is_seen():
    text = golden.FILE.read_text()
    assert not list(golden.differences(text, text))
    node = next(line for line in text.splitlines() if line.startswith("  4 "))
    action, visits, value, prior, *rest = node.split()
    changed = [("5", visits, value, prior), (action, str(int(visits) + 1), value, prior),
               (action, visits, f"{float(value) + 1e-5:.6f}", prior), (action, visits, value, "0.5")]  # fmt: skip
    for fields in changed:
        assert list(golden.differences(text.replace(node, "  " + " ".join([*fields, *rest]), 1), text))
    assert list(golden.differences(text + "  8 1 0.000000 0.100000\n", text))
