"""Training one agent by self-play.

loop        the main loop, one screen
settings    what a run is told
boards      the sizes of its game that a run trains on
selfplay    games in lockstep
replay      the newest positions
learner     optimiser steps
ledger      compute spent
run         the parts together, their folder
checkpoint  the complete state in one file
monitor     progress, TensorBoard, interruptions
"""
