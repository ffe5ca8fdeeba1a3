"""Networks, and everything that picks moves.

network         what a family promises, and asking a network for the search
networks        the families, one file each; dense, convolution: their forward passes on the processor
conformance     every promise of a family as one named check
snapshot        weights with the game and network that they belong to
agent           the interface: strategies, their decisions, agents
strategies      one file each
search_strategy a network and tree search as a strategy, whatever the rule; rule_check: a look at a rule from elsewhere
openspiel       our games as OpenSpiel knows them; openspiel_guest: those that it does not have
openspiel_bot   our agents as OpenSpiel's bots
"""

import games  # noqa: F401  before all else: Ctrl-C ends a command that is still being loaded without a traceback
