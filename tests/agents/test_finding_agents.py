"""Networks, strategies and games are found by name; one's own live outside the repository and need no central edit."""

import sys
import textwrap

import numpy as np
import pytest

from agents.agent import Agent, AgentError, Strategy, make_strategy
from agents.network import Network, NetworkError, NetworkEvaluator, make_network
from agents.snapshot import load_snapshot, save_snapshot
from games import GameError, make, registry
from mcts.streams import seed_streams

OWN = """
    import numpy as np
    import torch

    from agents.agent import Decision, Strategy
    from agents.network import Network
    from games.core import OVER, RESULT, TO_MOVE, HEADER, Game, Rules, kernel


    class Greedy(Strategy):
        uses_budget = False

        def __init__(self, game, evaluator, temperature: float = 1.0):
            self.game, self.evaluator, self.temperature = game, evaluator, temperature

        def decide(self, states, budgets, streams):
            legal = self.game.legal(states)
            logits, value = self.evaluator(self.game.observe(states))
            masked = np.where(legal, logits / self.temperature, -1e9)
            return Decision(masked.argmax(1), masked, value, np.ones(len(states), np.int64))


    class Linear(Network):
        name = "linear"

        def __init__(self, game, scale: int = 1):
            super().__init__()
            self.settings = {"scale": scale}
            self.layer = torch.nn.Linear(int(np.prod(game.observation_shape)), game.num_actions + 1)
            self.forward_flops = 2 * self.layer.weight.numel()
            self.learner_flops = 2 * self.forward_flops

        def forward(self, planes):
            out = self.layer(planes.flatten(1)) * self.settings["scale"]
            return out[:, :-1], torch.tanh(out[:, -1])


    @kernel
    def reset(state, params):
        state[:] = 0


    @kernel
    def legal(state, params, mask):
        for action in range(3):
            mask[action] = (state[OVER] == 0) & (action < params[0] - state[HEADER])


    @kernel
    def apply(state, params, action):
        state[HEADER] += action + 1
        if state[HEADER] >= params[0]:
            state[OVER] = 1
            state[RESULT] = 1 - 2 * state[TO_MOVE]
        state[TO_MOVE] = 1 - state[TO_MOVE]


    @kernel
    def observe(state, params, planes):
        for i in range(params[0]):
            planes[0, 0, i] = i < state[HEADER]


    class Nim(Game):
        name = "nim"
        rules = Rules(reset, legal, apply, observe)

        def __init__(self, size: int = 7):
            super().__init__(settings={"size": size}, size=size, params=[size], state_words=HEADER + 1, num_actions=3,
                             observation_shape=(1, 1, size), max_length=size)


    class NotAGame:
        pass


    class Alone(Greedy):
        def __init__(self, game):
            pass


    class Demanding(Greedy):
        uses_network = False

        def __init__(self, game, depth):
            pass


    class Named(Greedy):
        def __init__(self, *, game, evaluator):
            pass


    class Deaf(Greedy):
        uses_history = True


    class Bare(Linear):
        def __init__(self):
            pass


    class Open(Linear):
        def __init__(self, game, **settings):
            super().__init__(game)
            self.settings = settings
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A package of one's own, importable as `own_agents.things`."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "own_agents").mkdir()
    (folder / "own_agents" / "__init__.py").write_text("")
    (folder / "own_agents" / "things.py").write_text(textwrap.dedent(OWN))
    sys.path.insert(0, str(folder))
    yield "own_agents.things"
    sys.path.remove(str(folder))


def test_a_game_a_network_and_a_strategy_of_ones_own_work_together(own):
    game = make(f"{own}:Nim", size=9)
    network = make_network(f"{own}:Linear", game, seed=1, scale=2)
    greedy = make_strategy(f"{own}:Greedy", game, NetworkEvaluator(network), temperature=0.5)
    searching = make_strategy("puct", game, NetworkEvaluator(network))
    for strategy in (greedy, searching):
        decision = Agent(strategy, 8).act(game.reset(4), seed_streams(0, np.arange(4)))
        assert (decision.actions == decision.actions[0]).all()


def test_a_snapshot_finds_a_game_and_a_network_of_ones_own_again(own, tmp_path):
    game = make(f"{own}:Nim", size=9)
    network = make_network(f"{own}:Linear", game, seed=1, scale=2)
    save_snapshot(tmp_path / "000.safetensors", game, network, {"index": 0})
    snapshot = load_snapshot(tmp_path / "000.safetensors")
    assert type(snapshot.game) is type(game) and snapshot.game.settings == {"size": 9}
    assert type(snapshot.network) is type(network) and snapshot.network.settings == {"scale": 2}
    load_snapshot(tmp_path / "000.safetensors", game)


@pytest.mark.parametrize("base, package, error, known", [
    (Network, "agents.networks", NetworkError, "known are .*fc"),
    (Strategy, "agents.strategies", AgentError, "known are .*perfect.*puct.*random"),
])  # fmt: skip
def test_unknown_names_are_refused_with_what_there_is(own, base, package, error, known):
    for name in ("nothing", "", "a b", "../fc", "agents.networks.fc", "no.such.module:Thing", f"{own}:Missing",
                 f"{own}:NotAGame", "1", None):  # fmt: skip
        with pytest.raises(error, match=known):
            registry.find(name, package, base, error)


def test_known_names_are_the_files():
    assert set(registry.names("agents.networks", Network)) >= {"fc"}
    assert set(registry.names("agents.strategies", Strategy)) >= {"perfect", "puct", "random"}


def test_unknown_games_and_settings_are_refused():
    with pytest.raises(GameError, match="no game 'chess': known are"):
        make("chess")
    with pytest.raises(GameError, match="game 'hex' has no setting 'sise': it takes size, swap"):
        make("hex", sise=3)
    with pytest.raises(NetworkError, match="no network 'cnn': known are"):
        make_network("cnn", make("tictactoe"))
    with pytest.raises(AgentError, match="no strategy 'alphabeta"):
        make_strategy("alphabeta9", make("tictactoe"))


@pytest.mark.parametrize("name, said", [
    ("Alone", r"too many positional arguments: its constructor takes \(game\); expected game, evaluator first, then"),
    ("Demanding", r"missing a required argument: 'depth': its constructor takes \(game, depth\); expected game first"),
    ("Named", r"its constructor takes \(\*, game, evaluator\); expected game, evaluator first, then settings with"),
])  # fmt: skip
def test_a_strategy_built_otherwise_is_refused(own, name, said):
    with pytest.raises(AgentError, match=f"strategy '{own}:{name}' cannot be built, .*{said}"):
        make_strategy(f"{own}:{name}", make("tictactoe"), lambda planes: None)


def test_a_strategy_that_decides_otherwise_is_refused(own):
    said = r"too many positional arguments: expected decide\(self, states, budgets, streams, histories\), as in"
    with pytest.raises(AgentError, match=said):
        make_strategy(f"{own}:Deaf", make("tictactoe"), lambda planes: None)


def test_a_network_built_otherwise_is_refused(own):
    game = make("tictactoe")
    with pytest.raises(NetworkError, match=r"Bare' cannot be built, too many .*; expected game first, then settings"):
        make_network(f"{own}:Bare", game)
    assert make_network(f"{own}:Open", game, breadth=3).settings == {"breadth": 3}
