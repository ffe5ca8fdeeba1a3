"""The check of network families: the collection's own keep their promises, and each fault is seen and told."""

import numpy as np
import pytest
import torch

from agents.conformance import CHECKS, main, refuse_unsound, run_checks
from agents.network import Network, NetworkError, make_network
from games import make


class Sound(Network):
    """One linear map; a fault changes one thing of it."""

    name = "sound"

    def __init__(self, game, width: int = 4):
        super().__init__()
        self.settings = {"width": width}
        planes, height, columns = game.observation_shape
        self.layer = torch.nn.Linear(planes * height * columns, game.num_actions + 1)
        self.forward_flops = 2 * self.layer.weight.numel()
        self.learner_flops = 2 * self.forward_flops

    def forward(self, planes):
        answer = self.layer(planes.flatten(1))
        return answer[:, :-1], torch.tanh(answer[:, -1])


def faulty(**changes):
    """Sound with other attributes or, as `forward`, a function of its answers."""

    class Faulty(Sound):
        def __init__(self, game, width: int = 4):
            super().__init__(game, width)
            for key, value in changes.items():
                if key != "forward":
                    setattr(self, key, value)

        def forward(self, planes):
            answer = super().forward(planes)
            return changes["forward"](*answer) if "forward" in changes else answer

    return Faulty


class Unused(Sound):
    def __init__(self, game, width: int = 4):
        super().__init__(game, width)
        self.idle = torch.nn.Linear(2, 2)


class Batches(Sound):
    def __init__(self, game, width: int = 4):
        super().__init__(game, width)
        self.norm = torch.nn.BatchNorm2d(game.observation_shape[0])
        self.learner_flops = 3 * self.forward_flops

    def forward(self, planes):
        return super().forward(self.norm(planes))


class Sized(Sound):
    any_size = True


class Hasty(Sound):
    def forward_pass(self, precision="float32"):
        return lambda planes: tuple(part.detach().numpy() + 1 for part in self.forward(torch.from_numpy(planes)))


FAULTS = [
    (faulty(forward_flops=None), "check_declared", "self.forward_flops is None: expected a whole number"),
    (faulty(learner_flops=1.5), "check_declared", "self.learner_flops is 1.5"),
    (faulty(forward_flops=np.int64(360)), "check_declared", "Python's own int"),
    (faulty(settings={"breadth": 4}), "check_declared", "is {'breadth': 4}: expected a dict of width"),
    (Sized, "check_declared", "no method `on`"),
    (faulty(forward=lambda p, v: p), "check_answers", "returns Tensor: expected a tuple of logits and value"),
    (faulty(forward=lambda p, v: (p[:, 1:], v)), "check_answers", r"[32, 8] for 32 positions: expected [32, 9]"),
    (faulty(forward=lambda p, v: (p, v[:, None])), "check_answers", "value of shape [32, 1]"),
    (faulty(forward=lambda p, v: (p / 0, v)), "check_answers", "logits that are no finite numbers"),
    (faulty(forward=lambda p, v: (p, v * 50)), "check_answers", "expected one in [-1, 1]"),
    (faulty(forward=lambda p, v: (p @ p, v)), "check_answers", "forward fails on planes of shape [32, 2, 3, 3]"),
    (faulty(forward=lambda p, v: (p + torch.rand(1), v)), "check_same_again", "may draw no random numbers"),
    (faulty(forward=lambda p, v: (p - p.mean(0), v)), "check_rows", "when others share its batch"),
    (faulty(forward_flops=180), "check_enough_flops", "forward_flops is 180, where torch counts 360"),
    (faulty(learner_flops=360), "check_enough_flops", "learner_flops is 360, where torch counts 720"),
    (faulty(forward_flops=12345), "check_flops", "forward_flops is 12345, where torch counts 360"),
    (Unused, "check_weights", "idle.weight, idle.bias take no part"),
    (Batches, "check_weights", "norm has statistics of batches"),
    (Hasty, "check_forward_pass", "forward_pass differs from forward by 1"),
]  # fmt: skip


@pytest.mark.parametrize("family, check, words", FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_fault_is_seen(family, check, words):
    game = make("tictactoe")
    *_, (name, reason) = run_checks(family(game), game)
    assert name == check and words in reason


@pytest.mark.parametrize("name, settings", [("fc", {"width": 8, "depth": 2}), ("conv", {"width": 4, "depth": 1})])
@pytest.mark.parametrize("game", [make("hex", size=4, swap=True), make("connect_four", rows=4, columns=5)])
def test_the_collections_own_families_keep_all_promises(name, settings, game):
    assert list(run_checks(make_network(name, game, **settings), game)) == [(c.__name__, None) for c in CHECKS]


def test_families_from_outside_are_refused_before_work_is_spent_on_them():
    game = make("tictactoe")
    refuse_unsound(Sound(game), game)
    with pytest.raises(NetworkError, match=r"network .*:Sized breaks a promise, check_declared: any_size is set"):
        refuse_unsound(Sized(game), game)


def test_the_command_prints_one_line_per_promise(capsys):
    assert main(["conv", "width=4", "game=connect_four", "game.rows=4"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "conv on connect_four4x7: 8 of 8 promises kept"
    assert main([f"{__name__}:Sized", "width=8"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == f"{__name__}:Sized on hex5: 0 of 8 promises kept, 7 not run"
    for wrong in (["conv", "breadth=4"], ["convv"], ["conv", "game=hexx"], ["conv", "game.sise=3"], ["conv", "width"]):
        assert main(wrong) == 2
        assert capsys.readouterr().err.startswith("error: ")
