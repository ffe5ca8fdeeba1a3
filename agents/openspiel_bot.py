"""Our agents as OpenSpiel's bots.

from agents.agent import Agent, make_strategy
from agents.network import NetworkEvaluator
from agents.openspiel_bot import OpenSpielBot
from agents.snapshot import load_snapshot

snapshot = load_snapshot(Path("studies/quick/runs/hex5-32x1-s0/snapshots/021.safetensors"))
strategy = make_strategy("puct", snapshot.game, NetworkEvaluator(snapshot.network))
bot = OpenSpielBot(Agent(strategy, budget=64), snapshot.game)

game = pyspiel.load_game(snapshot.game.openspiel_id)
pyspiel.evaluate_bots(game.new_initial_state(), [bot, pyspiel.make_uniform_random_bot(1, 0)], 0)
"""

from __future__ import annotations

import numpy as np
import pyspiel

from agents.agent import Agent, AgentError
from agents.openspiel import Counterpart
from games import Game
from mcts.streams import seed_streams


class OpenSpielBot(pyspiel.Bot):
    """Plays either side of `game` in OpenSpiel, from any position: all it needs is the position's history.

    `seed` decides what a strategy that draws lots plays; a restart does not go back to its beginning, so that games
    differ. Raises AgentError for a game without a counterpart, and for positions of another game or after the end.
    """

    def __init__(self, agent: Agent, game: Game, seed: int = 0):
        super().__init__()
        self.agent, self.game = agent, game
        self.counterpart = Counterpart(game)
        self.streams = seed_streams(seed, np.arange(1))

    def step(self, state: pyspiel.State) -> int:
        return self.step_with_policy(state)[1]

    def step_with_policy(self, state: pyspiel.State) -> tuple[list[tuple[int, float]], int]:
        """What the agent would sample from, as OpenSpiel's numbers of all legal actions with shares, and its choice."""
        own = self.counterpart.state(state)
        if self.game.over(own[None])[0]:
            raise AgentError(f"{self.game.title}: the game is over: there is nothing to play\n{state}")
        decision = self.agent.act(own[None], self.streams)
        ours, numbers = self.counterpart.ours, state.legal_actions()
        policy = [(number, float(decision.policy[0, ours[number]])) for number in numbers]
        return policy, self.counterpart.number(state, int(decision.actions[0]))

    def provides_policy(self) -> bool:
        return True

    def get_policy(self, state: pyspiel.State) -> list[tuple[int, float]]:
        """As `step_with_policy`, without using up random numbers."""
        kept = self.streams.copy()
        policy, _ = self.step_with_policy(state)
        self.streams = kept
        return policy

    # The position tells all there is to know.

    def inform_action(self, state: pyspiel.State, player: int, action: int) -> None: ...

    def restart(self) -> None: ...

    def restart_at(self, state: pyspiel.State) -> None: ...
