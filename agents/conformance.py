"""Does a network family keep the promises of agents.network? Every promise is one check.

As a command, for a family of this collection or your own, on the game that it shall play:

    python -m agents.conformance conv width=8 depth=2 game=hex game.size=4
    python -m agents.conformance my_package.my_network:MyNetwork game=go game.size=5

A check takes a network and its game, returns nothing, and raises PromiseBroken with the likely mistake.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from agents.network import Network, NetworkError, NetworkEvaluator, make_network
from games import Game, GameError, make, registry
from games.core import parse_settings
from games.promises import PromiseBroken
from games.terminal import end_with

ROWS = 32  # positions looked at
NEAR = 1e-4  # differences of rounding stay below


def check_declared(network: Network, game: Game) -> None:
    """FLOPs are whole numbers, and a snapshot can be built again from `settings`."""
    for name in ("forward_flops", "learner_flops"):
        flops = getattr(network, name, None)
        if isinstance(flops, bool) or not isinstance(flops, int) or flops < 1:
            raise PromiseBroken(f"self.{name} is {flops!r}: expected a whole number, 2 for each multiply-add, as "
                                "Python's own int, which can be written to a snapshot and never overflows")  # fmt: skip
    parameters = list(inspect.signature(type(network)).parameters.values())[1:]
    takes = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
    settings = getattr(network, "settings", None)
    open_ended = len(takes) < len(parameters)  # **settings may be anything
    if not isinstance(settings, dict) or not set(takes) <= set(settings) <= set(settings if open_ended else takes):
        raise PromiseBroken(f"self.settings is {settings!r}: expected a dict of {', '.join(takes) or 'nothing'}, the "
                            "parameters after game, from which a snapshot's network is built again")  # fmt: skip
    if network.any_size and type(network).on is Network.on:
        raise PromiseBroken("any_size is set, but there is no method `on`, which makes the network of another size")


def check_answers(network: Network, game: Game) -> None:
    """Logits [B, A] and value [B], finite, the value in [-1, 1]."""
    answer = _forward(network, _planes(game))
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise PromiseBroken(f"forward returns {type(answer).__name__}: expected a tuple of logits and value")
    for name, part, shape in zip(("logits", "value"), answer, ((ROWS, game.num_actions), (ROWS,)), strict=True):
        found = tuple(getattr(part, "shape", ()))
        if found != shape:
            raise PromiseBroken(f"forward returns {name} of shape {list(found)} for {ROWS} positions: expected "
                                f"{list(shape)}")  # fmt: skip
        if not torch.isfinite(part).all():
            raise PromiseBroken(f"forward returns {name} that are no finite numbers")
    if answer[1].abs().max() > 1:
        raise PromiseBroken(f"forward returns a value of {answer[1].abs().max():.3g}: expected one in [-1, 1], as "
                            "torch.tanh makes it")  # fmt: skip


def check_same_again(network: Network, game: Game) -> None:
    """No chance: the same planes get the same answers."""
    planes = _planes(game)
    if _difference(_forward(network, planes), _forward(network, planes)) > 0:
        raise PromiseBroken("the same planes get other answers when asked again: a network may draw no random numbers")


def check_rows(network: Network, game: Game) -> None:
    """A row's answer does not depend on the others of its batch, but for rounding."""
    planes = _planes(game)
    half = ROWS // 2
    answer, first = _forward(network, planes), _forward(network, planes[:half])
    if (difference := _difference(tuple(part[:half] for part in answer), first)) > NEAR:
        raise PromiseBroken(f"a position gets another answer (by {difference:.2g}) when others share its batch")


def check_enough_flops(network: Network, game: Game) -> None:
    """No fewer FLOPs are declared than torch counts."""
    for name, declared, counted in _flops(network, game):
        if declared < counted:
            raise PromiseBroken(f"{name} is {declared}, where torch counts {counted:.10g} of one position")


def check_flops(network: Network, game: Game) -> None:
    """The FLOPs are those that torch counts, which knows products, convolutions and attention."""
    for name, declared, counted in _flops(network, game):
        if declared != counted:
            raise PromiseBroken(f"{name} is {declared}, where torch counts {counted:.10g} of one position (it knows "
                                "products, convolutions and attention; recurrent layers it does not)")  # fmt: skip


def check_weights(network: Network, game: Game) -> None:
    """Every parameter takes part, and nothing but parameters is learnt."""
    network.zero_grad()
    _learn(network, _planes(game))
    idle = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    network.zero_grad()
    if idle:
        raise PromiseBroken(f"{', '.join(idle)} take no part in the answers: leave them out")
    if counted := [name for name, _ in network.named_buffers() if name.endswith("num_batches_tracked")]:
        raise PromiseBroken(f"{counted[0].rpartition('.')[0]} has statistics of batches, which stay as they began: "
                            "networks are in eval mode throughout; use a LayerNorm or none")  # fmt: skip


def check_forward_pass(network: Network, game: Game) -> None:
    """The quick way, where there is one, answers as `forward` does."""
    planes = _planes(game)
    quick = tuple(torch.from_numpy(np.array(part)) for part in NetworkEvaluator(network)(planes.numpy()))
    if (difference := _difference(quick, _forward(network, planes))) > NEAR:
        raise PromiseBroken(f"forward_pass differs from forward by {difference:.2g}")


FIRST_LOOK = (check_declared, check_answers, check_same_again, check_rows, check_enough_flops)
CHECKS = (*FIRST_LOOK, check_flops, check_weights, check_forward_pass)


def run_checks(network: Network, game: Game) -> Iterator[tuple[str, str | None]]:
    """Run the checks to the first broken one; yields each name with None if kept, else with what is wrong."""
    for check in CHECKS:
        try:
            check(network, game)
        except PromiseBroken as broken:
            yield check.__name__, str(broken)
            return
        yield check.__name__, None


def refuse_unsound(network: Network, game: Game) -> None:
    """A quick look at a network of a family from outside, before work is spent on it.

    Raises NetworkError if it breaks a promise without which training would crash or find nonsense.
    """
    name = registry.name_of(type(network), "agents.networks")
    for check in FIRST_LOOK if ":" in name else ():
        try:
            check(network, game)
        except PromiseBroken as broken:
            raise NetworkError(f"network {name} breaks a promise, {check.__name__}: {broken}. See docs/networks.md and "
                               f"python -m agents.conformance {name}") from None  # fmt: skip


def _planes(game: Game) -> torch.Tensor:
    """Random planes of 0 and 1, float32 [ROWS, P, H, W]."""
    shape = (ROWS, *game.observation_shape)
    return torch.from_numpy(np.random.default_rng(0).integers(0, 2, shape).astype(np.float32))


def _forward(network: Network, planes: torch.Tensor):
    try:
        with torch.no_grad():
            return network.eval()(planes)
    except Exception as error:
        said = str(error).splitlines()[0] if str(error) else ""
        raise PromiseBroken(f"forward fails on planes of shape {list(planes.shape)} with {type(error).__name__}: "
                            f"{said}") from None  # fmt: skip


def _learn(network: Network, planes: torch.Tensor) -> None:
    logits, value = network.eval()(planes)
    (logits.sum() + value.sum()).backward()


def _difference(one, other) -> float:
    """The largest of two answers' differences."""
    return max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))


def _flops(network: Network, game: Game) -> Iterator[tuple[str, int, float]]:
    """Name, number declared and number counted by torch, both of one position."""
    planes = _planes(game)
    with FlopCounterMode(display=False) as forward:
        _forward(network, planes)
    yield "forward_flops", network.forward_flops, forward.get_total_flops() / ROWS
    with FlopCounterMode(display=False) as learner:
        _learn(network, planes)
    network.zero_grad()
    yield "learner_flops", network.learner_flops, learner.get_total_flops() / ROWS


# ---- command -------------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 if all promises are kept, 1 if not, 2 if there is no such family, game or setting."""
    parser = argparse.ArgumentParser(
        prog="python -m agents.conformance", description="Check that a network keeps the promises of agents.network."
    )
    parser.add_argument("family", help="a file of agents/networks/ such as conv, or my_package.my_network:MyNetwork")
    parser.add_argument("settings", nargs="*", metavar="key=value",
                        help="settings of the family, and of the game: width=8 game=hex game.size=4")  # fmt: skip
    options = parser.parse_args(arguments)
    games = [word for word in options.settings if word.startswith(("game=", "game."))]
    try:
        chosen = parse_settings(word.replace("game.", "", 1).replace("game=", "name=", 1) for word in games)
        game = make(str(chosen.pop("name", "hex")), **chosen)
        settings = parse_settings(word for word in options.settings if word not in games)
        network = make_network(options.family, game, 0, **settings)
    except (GameError, NetworkError, ImportError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return _report(options.family, network, game)


def _report(family: str, network: Network, game: Game) -> int:
    reasons = dict(run_checks(network, game))
    for name, reason in reasons.items():
        print(f"{name:<32} {'ok' if reason is None else f'FAILED: {reason}'}")
    kept = sum(reason is None for reason in reasons.values())
    left = f", {len(CHECKS) - len(reasons)} not run" if len(reasons) < len(CHECKS) else ""
    print(f"{family} on {game.title}: {kept} of {len(CHECKS)} promises kept{left}")
    return 0 if kept == len(CHECKS) else 1


if __name__ == "__main__":
    end_with(main)
