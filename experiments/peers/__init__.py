"""Our search beside those of other programs: the same positions, network, budget and core, in turns.

compare     the comparison: children, turns, ratios
contests    holding several, and the table
worker      a child process, pinned to one core before it imports anything large
isoelo      our side
jax_search  mctx with pgx's Hex
openspiel   OpenSpiel's searches
"""
