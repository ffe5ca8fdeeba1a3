"""Answers about Hex positions from proofs: winning moves, the stubborn player's moves, batches of states.

An extra stone never hurts its owner in Hex. That is what the rules for sets of winning moves rest on.

Where the search was stopped (see games.hex_proof) answers are 0, and asked again they go on: what is proven is known.
"""

from games.core import HEADER, OVER, RESULT, TO_MOVE, kernel
from games.hex_bits import NOTHING, U, lowest, popcount, transpose
from games.hex_proof import prove
from games.hex_table import CELLS, KNOWN, MOVES, WON, recall, remember

# ---- sets of moves -------------------------------------------------------------------------------------------------


@kernel
def winning_moves(board, own, opp, most, work):
    """KNOWN and the mover's winning moves; may leave out some once there are more than `most`.

    Moves outside a carrier with which the opponent would win if it were his turn lose. Where he would lose even then,
    the mover has a stone to spare and every move wins.
    """
    own_t, opp_t = transpose(own), transpose(opp)
    left = board.full & ~(own | opp)
    entry = prove(board, opp_t, own_t, work)
    if not entry:
        return NOTHING
    if not entry & WON:
        return KNOWN | left
    left &= transpose(entry & CELLS)
    found = NOTHING
    while left and popcount(found) <= most:
        move = lowest(left)
        left ^= move
        entry = prove(board, opp_t, own_t | transpose(move), work)
        if not entry:
            return NOTHING
        if entry & WON:
            left &= transpose(entry & CELLS)
        else:
            found |= move
    return KNOWN | found


@kernel
def stubborn_moves(board, own, opp, carrier, work):
    """KNOWN and, in a lost position, the moves after which the opponent has the fewest winning moves.

    Outside the carrier of the opponent's win every reply wins: none of them takes anything from him.
    """
    empty = board.full & ~(own | opp)
    fewest, best = popcount(empty) - 1, empty & ~carrier
    left = carrier
    while left:
        move = lowest(left)
        left ^= move
        entry = winning_moves(board, transpose(opp), transpose(own | move), fewest, work)
        if not entry:
            return NOTHING
        replies = popcount(entry & CELLS)
        if replies < fewest:
            fewest, best = replies, NOTHING
        if replies == fewest:
            best |= move
    return KNOWN | best


@kernel
def answer(board, own, opp, stubborn, work):
    """Entry with the winning moves of a won position; of a lost one, where asked for, the stubborn moves."""
    entry = recall(board, work.answers, own, opp)
    if entry & MOVES or (entry and not stubborn):
        return entry
    proof = prove(board, own, opp, work)
    moves = KNOWN
    if proof & WON:
        moves = MOVES | winning_moves(board, own, opp, 64, work)
    elif stubborn and proof:
        moves = MOVES | stubborn_moves(board, own, opp, proof & CELLS, work)
    if not proof or not moves & KNOWN:
        return NOTHING
    entry = (proof & ~CELLS) | moves
    remember(board, work.answers, own, opp, entry)
    return entry


# ---- batches of states ---------------------------------------------------------------------------------------------
# States are games.hex's: header, size * size cells (0 empty, else odd for player 0, even for player 1), and with swap
# one word: 0 empty board, 1 the mover may swap, 2 later. After `swap` the position is the one before it with the
# players' roles exchanged and the other player to move: swapping wins exactly where playing on loses.
#
# `fill_...` returns how many of the rows are done: all, unless the search was stopped.

LATER = 2


@kernel
def read(board, state):
    """The mover's and the other player's stones, in the mover's frame."""
    own, opp = NOTHING, NOTHING
    odd = state[TO_MOVE] == 0
    for row in range(board.size):
        for col in range(board.size):
            code = state[HEADER + row * board.size + col]
            if code:
                bit = U(1) << (U(8 * row + col) if odd else U(8 * col + row))
                if (code & 1) == odd:
                    own |= bit
                else:
                    opp |= bit
    return own, opp


@kernel
def swap_word(board, state, swap):
    return state[HEADER + board.size * board.size] if swap else LATER


@kernel
def write(board, state, moves, value, out):
    """out[action] = value for each of `moves`."""
    if state[TO_MOVE]:
        moves = transpose(moves)
    while moves:
        bit = popcount(lowest(moves) - U(1))
        out[(bit >> 3) * board.size + (bit & 7)] = value
        moves &= moves - U(1)


@kernel
def fill_values(board, swap, states, out, work):
    """out [B]: value for the player to move."""
    for b in range(len(states)):
        state = states[b]
        word = swap_word(board, state, swap)
        if state[OVER]:
            out[b] = state[RESULT] * (1 - 2 * state[TO_MOVE])
        elif word < LATER:
            out[b] = 2 * word - 1
        else:
            own, opp = read(board, state)
            entry = prove(board, own, opp, work)
            if not entry:
                return b
            out[b] = 1 if entry & WON else -1
    return len(states)


@kernel
def fill_action_values(board, swap, states, out, work):
    """out [B, A], filled with ILLEGAL before: value of each legal action for the mover."""
    for b in range(len(states)):
        state = states[b]
        if state[OVER]:
            continue
        own, opp = read(board, state)
        write(board, state, board.full & ~(own | opp), -1, out[b])
        word = swap_word(board, state, swap)
        if word == 0:
            continue
        entry = answer(board, own, opp, False, work)
        if not entry:
            return b
        if entry & WON:
            write(board, state, entry & CELLS, 1, out[b])
        if word == 1:
            out[b, board.size * board.size] = -1 if entry & WON else 1
    return len(states)


@kernel
def fill_perfect_moves(board, swap, states, out, work):
    """out [B, A], zero before: 1 where the stubborn perfect player may move."""
    for b in range(len(states)):
        state = states[b]
        if state[OVER]:
            continue
        own, opp = read(board, state)
        word = swap_word(board, state, swap)
        entry = answer(board, own, opp, word == LATER, work) if word else swap_openings(board, work)
        if not entry:
            return b
        if word == 1 and not entry & WON:
            out[b, board.size * board.size] = 1
        else:
            write(board, state, entry & CELLS, 1, out[b])
    return len(states)


@kernel
def swap_openings(board, work):
    """First moves under the swap rule that leave one winning reply, the fewest: all lose, and some reply wins.

    After a winning opening that reply is `swap`; after a losing one `swap` loses and the other moves are counted.
    """
    if not work.openings[0]:
        left, found = board.full, NOTHING
        while left:
            move = lowest(left)
            left ^= move
            entry = prove(board, NOTHING, transpose(move), work)
            replies = winning_moves(board, NOTHING, transpose(move), 1, work) if entry & WON else entry
            if not replies:
                return NOTHING
            if not entry & WON or popcount(replies & CELLS) == 1:
                found |= move
        work.openings[0] = found
    return work.openings[0]
