"""Cells of Hex that need no search: dead, captured and vulnerable ones.

A cell on no shortest way between a player's edges, however the board is filled, is dead: its colour never matters.
Two empty cells are captured by a player if either dies once he has the other: he answers one with the other, so both
are his. (Hayward, van Rijswijck: "Hex and combinatorics", 2006.) A move is vulnerable if a reply of the opponent makes
it dead: then he has moved for nothing, so that it need not be tried (Björnsson, Hayward, Johanson, van Rijswijck: "Dead
cell analysis in Hex and the Shannon game", 2007). All are seen from the ring of six neighbours alone: 0 above, 1 above
right, 2 right, 3 below, 4 below left, 5 left.
"""

from games.core import kernel
from games.hex_bits import NOTHING, U, lowest

# The first words of a frame of the search: the position, filled in; the cells each player captured by that.
OWN, OPP, OWN_GAIN, OPP_GAIN = range(4)


@kernel
def look_around(board, own, opp, p, q):
    """p[i], q[i]: cells whose neighbour i is the mover's, the other's; edges belong to the player they serve."""
    p[0], q[0] = (own << U(8)) | board.top, opp << U(8)
    p[1], q[1] = (own << U(7)) | board.top, ((opp << U(7)) | board.right) & ~board.top
    p[2], q[2] = own >> U(1), (opp >> U(1)) | board.right
    p[3], q[3] = (own >> U(8)) | board.bottom, opp >> U(8)
    p[4], q[4] = (own >> U(7)) | board.bottom, ((opp >> U(7)) | board.left) & ~board.bottom
    p[5], q[5] = own << U(1), (opp << U(1)) | board.left


@kernel
def useless(p, q):
    """Cells on no shortest way of the player whose ring is p.

    A way through a cell enters from one neighbour and leaves by another. It can be cut short if they touch each other
    or if the ring between them, on one side, is all his.
    """
    used = NOTHING
    for i in range(6):
        j, k, m, n, o = (i + 1) % 6, (i + 2) % 6, (i + 3) % 6, (i + 4) % 6, (i + 5) % 6
        used |= ~q[i] & ~q[k] & ~(p[j] | (p[m] & p[n] & p[o]))
        if i < 3:
            used |= ~q[i] & ~q[m] & ~((p[j] & p[k]) | (p[n] & p[o]))
    return ~used


@kernel
def dead_beside(p, q, i):
    """Cells that are dead once neighbour i belongs to the player whose ring is p."""
    before_p, before_q = p[i], q[i]
    p[i], q[i] = ~NOTHING, NOTHING
    dead = useless(p, q) | useless(q, p)
    p[i], q[i] = before_p, before_q
    return dead


@kernel
def captured(p, q, empty):
    """Some pairs of empty cells captured by the player whose ring is p; 0 if there are none."""
    up = dead_beside(p, q, 0) & (dead_beside(p, q, 3) << U(8)) & empty & (empty << U(8))
    if up:
        return up | (up >> U(8))
    up = dead_beside(p, q, 1) & (dead_beside(p, q, 4) << U(7)) & empty & (empty << U(7))
    if up:
        return up | (up >> U(7))
    left = dead_beside(p, q, 2) & (dead_beside(p, q, 5) >> U(1)) & empty & (empty >> U(1))
    return left | (left << U(1))


@kernel
def fill_in(board, frame, rings):
    """Give dead cells to the mover and captured ones to their owner until there are none; note what was captured.

    Dead stones become the mover's too, one at a time since each was found dead among the others as they are: positions
    that differ only there are then one.
    """
    p, q = rings[0], rings[1]
    own, opp, done = frame[OWN], frame[OPP], NOTHING
    frame[OWN_GAIN], frame[OPP_GAIN] = NOTHING, NOTHING
    while True:
        look_around(board, own, opp, p, q)
        empty = board.full & ~(own | opp)
        dead = (useless(p, q) | useless(q, p)) & board.full & ~done
        if dead:
            dead = dead & empty if dead & empty else lowest(dead)
            done |= dead
            own, opp = own | dead, opp & ~dead
            continue
        cells = captured(p, q, empty)
        if cells:
            own |= cells
            frame[OWN_GAIN] |= cells
            continue
        cells = captured(q, p, empty)
        if not cells:
            break
        opp |= cells
        frame[OPP_GAIN] |= cells
    frame[OWN], frame[OPP] = own, opp


@kernel
def vulnerable(p, q, moves, empty):
    """Those of the moves of the player whose ring is p that a reply makes dead, and these replies."""
    cells = dead_beside(q, p, 0) & moves & (empty << U(8))
    found, replies = cells, cells >> U(8)
    cells = dead_beside(q, p, 1) & moves & (empty << U(7)) & ~found
    found, replies = found | cells, replies | (cells >> U(7))
    cells = dead_beside(q, p, 2) & moves & (empty >> U(1)) & ~found
    found, replies = found | cells, replies | (cells << U(1))
    cells = dead_beside(q, p, 3) & moves & (empty >> U(8)) & ~found
    found, replies = found | cells, replies | (cells << U(8))
    cells = dead_beside(q, p, 4) & moves & (empty >> U(7)) & ~found
    found, replies = found | cells, replies | (cells << U(7))
    cells = dead_beside(q, p, 5) & moves & (empty << U(1)) & ~found
    return found | cells, replies | (cells >> U(1))
