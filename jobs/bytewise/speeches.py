"""Who says what in one text for a whole conversation, like ``Human: ...\\n\\nAssistant: ...``? Kernels over bytes."""

import numpy as np

from udfs.compiled import byte_at, compiled, find_byte


@compiled
def _speaker_end(data, at, end, speakers):
    """The speaker whose name, colon and maybe blank stand at ``at``, and where they end; ``at`` itself if none."""
    names, bounds = speakers
    for speaker in range(2):
        size = np.uint64(bounds[speaker + 1] - bounds[speaker])
        if at + size >= end or byte_at(data, at + size) != 58:
            continue
        i = np.uint64(0)
        while i < size and byte_at(data, at + i) == names[np.uint64(bounds[speaker]) + i]:
            i += np.uint64(1)
        if i == size:
            after = at + size + np.uint64(1)
            return speaker, after + np.uint64(after < end and byte_at(data, after) == 32)
    return 0, at


@compiled
def _speech_end(data, at, end, speakers, has_returns):
    """Where what is said from ``at`` on ends, who speaks next, and from where on (``end``: nobody)."""
    one = np.uint64(1)
    at = find_byte(data, at, end, 10)
    while at < end:
        line = at + one
        if has_returns and line < end and byte_at(data, line) == 13:
            line += one
        if line < end and byte_at(data, line) == 10:
            speaker, after = _speaker_end(data, line + one, end, speakers)
            if after != line + one:
                return at, speaker, after
        at = find_byte(data, at + one, end, 10)
    return end, -1, end


@compiled
def speeches(data, offsets, speakers, has_returns, table):
    """What two speakers say in each text: text, speaker, begin and end, a row of ``table`` each; returns how many.

    A name with a colon begins a message at the text's start, but for line feeds, and after an empty line
    (``has_returns``: of LF, or of CR and LF); a blank after the colon is not part of it. A text that does not begin
    with one is given no message.
    """
    count, address = 0, np.uint64(data.ctypes.data)
    for text in range(len(offsets) - 1):
        at, end = np.uint64(offsets[text]), np.uint64(offsets[text + 1])
        while at < end and byte_at(address, at) == 10:
            at += np.uint64(1)
        speaker, begin = _speaker_end(address, at, end, speakers)
        if begin == at:
            continue
        while speaker >= 0:
            stop, follower, after = _speech_end(address, begin, end, speakers, has_returns)
            table[count, 0], table[count, 1] = text, speaker
            table[count, 2], table[count, 3] = np.int64(begin), np.int64(stop)
            count, speaker, begin = count + 1, follower, after
    return count
