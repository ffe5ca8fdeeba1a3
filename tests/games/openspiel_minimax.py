"""Perfect play as slowly and plainly as possible: minimax over OpenSpiel's own positions, each once."""

import numpy as np


class Minimax:
    """Of one game of OpenSpiel, whose text of a position tells all that matters."""

    def __init__(self):
        self.known = {}

    def value(self, state):
        """For player 0."""
        key = str(state), state.current_player()
        if key not in self.known:
            if state.is_terminal():
                self.known[key] = int(np.sign(state.returns()[0]))
            else:
                pick = max if state.current_player() == 0 else min
                self.known[key] = pick(self.value(state.child(action)) for action in state.legal_actions())
        return self.known[key]

    def action_values(self, state):
        """For the player to move: dict action -> value."""
        sign = 1 - 2 * state.current_player()
        return {action: sign * self.value(state.child(action)) for action in state.legal_actions()}

    def perfect_moves(self, state):
        """The moves that keep the value; where all lose, those that leave the opponent the fewest winning ones."""
        values = self.action_values(state)
        best = max(values.values())
        if best > -1:
            return {action for action, value in values.items() if value == best}
        left = {action: self.winning_moves(state.child(action)) for action in values}
        return {action for action, count in left.items() if count == min(left.values())}

    def winning_moves(self, state):
        """How many; more than any if the game has been lost already."""
        return np.inf if state.is_terminal() else list(self.action_values(state).values()).count(1)
