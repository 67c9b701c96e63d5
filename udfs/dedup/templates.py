"""Which prompts are one text but for a slot: "Write an introduction of 200 words for <X>."

A template is the first i and the last j tokens of a prompt (:mod:`udfs.tokens`; a number counts as "0", whatever its
digits); what stands between is its slot. Found without comparing prompts: hashes of their beginnings and ends are
counted, pairs of those that occur often are counted again, and each prompt takes the pair that explains the most tokens
of all prompts.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import uint64

from udfs.compiled import compiled, freeze, mix
from udfs.dedup import blocks
from udfs.tokens import tokenise

DIGITS = r"\p{Nd}+"
NUMBER = re.compile(r"\d+")
LENGTHS = np.unique([*range(1, 33), *(int(32 * 1.25**step) for step in range(1, 19))])
"""The lengths of beginnings and ends, in tokens: all up to 32, then every fourth more, up to 1,776."""
MAX_PAIRS = 64
"""How many templates a prompt can be tried for; those that could explain the most tokens."""
GIVEN = pa.schema([("key", pa.binary()), ("template", pa.string()), ("coverage", pa.float64())])
"""The template that a prompt is given."""
_PREFIX, _SUFFIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


class Shape(NamedTuple):
    """What makes a template: so many fixed tokens, and that share of a prompt's tokens."""

    min_fixed: int
    min_coverage: float


class Ends(NamedTuple):
    """Hashes of the beginnings and ends of n prompts.

    Those of prompt i are ``prefixes[offsets[i]:offsets[i + 1]]`` and ``suffixes[...]`` (uint64, never 0), of the first
    of :data:`LENGTHS`; ``tokens`` int64 (n), the tokens of each prompt.
    """

    prefixes: np.ndarray
    suffixes: np.ndarray
    offsets: np.ndarray
    tokens: np.ndarray


def ends(prompts: pa.Array) -> Ends:
    """The beginnings and ends of each prompt, as long as the prompt at most."""
    masked = pc.replace_substring_regex(pc.fill_null(prompts, ""), DIGITS, "0")
    tokens, offsets = tokenise(masked, np.arange(len(prompts) + 1))
    counts = np.diff(offsets)
    bounds = np.concatenate([[0], np.cumsum(np.searchsorted(LENGTHS, counts, side="right"))])
    starts = freeze(bounds, np.int64)
    prefixes, suffixes = _hash_ends(freeze(tokens, np.uint64), freeze(offsets, np.int64), _lengths(), starts)
    return Ends(prefixes, suffixes, starts, freeze(counts, np.int64))


def count(batches: Iterable[pa.RecordBatch], parts: int) -> Iterator[pa.RecordBatch]:
    """Distinct prompts (``prompt``) -> how often each beginning and end occurs, as :mod:`udfs.dedup.blocks`."""
    for batch in batches:
        found = ends(batch.column("prompt"))
        both = np.concatenate([found.prefixes, found.suffixes])
        yield blocks.pack(*blocks.summed(both, np.ones(len(both), np.int64)), parts)


def pair(
    batches: Iterable[pa.RecordBatch], frequent: tuple[np.ndarray, np.ndarray], shape: Shape
) -> Iterator[pa.RecordBatch]:
    """Distinct prompts (``key``, ``prompt``) -> the templates each may have: ``key, prefix, suffix, fixed, coverage``.

    ``frequent``: hashes (uint64, ascending) that occur often, and how often (int64). A row a pair of a frequent
    beginning and a frequent end that do not overlap, 0 for none. Where a longer beginning occurs as often, the shorter
    one is no candidate.
    """
    hashes, counts = freeze(frequent[0], np.uint64), freeze(frequent[1], np.int64)
    for batch in batches:
        found = ends(batch.column("prompt"))
        often = [_look_up(side, hashes, counts) for side in (found.prefixes, found.suffixes)]
        needed = np.maximum(np.ceil(shape.min_coverage * found.tokens), shape.min_fixed).astype(np.int64)
        row, first, last, fixed = _pair((*often, found.offsets, found.tokens), _lengths(), needed).T
        columns = {
            "key": batch.column("key").take(pa.array(row)),
            "prefix": pa.array(np.append(found.prefixes.view(np.int64), 0)[first]),
            "suffix": pa.array(np.append(found.suffixes.view(np.int64), 0)[last]),
            "fixed": pa.array(fixed),
            "coverage": pa.array(fixed / found.tokens[row]),
        }
        yield pa.RecordBatch.from_pydict(columns)


def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Families with two prompts of each, ``example`` and ``other`` -> the same with ``form``, last, for ``other``."""
    for batch in batches:
        texts = [batch.column(name).to_pylist() for name in ("family", "example", "other")]
        forms = pa.array([form(*row) for row in zip(*texts, strict=True)], pa.string())
        rest = {name: batch.column(name) for name in batch.schema.names if name != "other"}
        yield pa.RecordBatch.from_pydict({**rest, "form": forms})


def form(family: str, example: str, other: str) -> str:
    """A family in words: a prompt of it with ``…`` for the slot, ``#`` for numbers if another prompt has others there.

    The prompt itself where ``family`` is not a template of both.
    """
    fixed, others = _split(family, example), _split(family, other)
    if fixed is None or others is None:
        return example
    slot = " … " if fixed[1] or others[1] else ""
    written = (fixed[0].strip() + slot + fixed[2].strip()).strip()
    numbers, other_numbers = (NUMBER.findall(f"{parts[0]} {parts[2]}") for parts in (fixed, others))
    return written if numbers == other_numbers else NUMBER.sub("#", written)


def _split(family: str, prompt: str) -> tuple[str, str, str] | None:
    """A prompt of a template in three: its beginning, its slot, its end; None if it is not of this template."""
    found = ends(pa.array([prompt]))
    lengths = []
    for half, side in ((family[:16], found.prefixes), (family[16:], found.suffixes)):
        places = np.flatnonzero(side == int(half, 16))
        if not len(places) and int(half, 16):
            return None
        lengths.append(int(LENGTHS[places[0]]) if len(places) else 0)
    size = len(prompt)
    head = _reach(lambda taken: prompt[:taken], size, lengths[0])
    tail = max(head, size - _reach(lambda taken: prompt[size - taken :], size, lengths[1]))
    return prompt[:head], prompt[head:tail], prompt[tail:]


def _reach(part: Callable[[int], str], size: int, tokens: int) -> int:
    """How many characters a part of a text may have, of ``size``, and no more than so many tokens."""
    return bisect_right(range(size + 1), tokens, key=lambda taken: _count_tokens(part(taken))) - 1


def _count_tokens(text: str) -> int:
    return len(tokenise(pa.array([text]), np.arange(2))[0])


def _lengths() -> np.ndarray:
    return freeze(LENGTHS, np.int64)


def _look_up(found: np.ndarray, hashes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """How often each hash occurs; 0 if not often."""
    if not len(hashes):
        return np.zeros(len(found), np.int64)
    place = np.minimum(np.searchsorted(hashes, found), len(hashes) - 1)
    return np.where(hashes[place] == found, counts[place], 0)


@compiled
def _hash_ends(tokens: Any, offsets: Any, lengths: Any, bounds: Any) -> tuple[Any, Any]:
    prefixes, suffixes = np.empty(bounds[-1], np.uint64), np.empty(bounds[-1], np.uint64)
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        first, last, place = uint64(_PREFIX), uint64(_SUFFIX), 0
        for at, length in enumerate(lengths[: bounds[row + 1] - bounds[row]]):
            while place < length:
                first = mix(first * uint64(_PREFIX) + tokens[start + place])
                last = mix(last * uint64(_SUFFIX) + tokens[end - 1 - place])
                place += 1
            prefixes[bounds[row] + at], suffixes[bounds[row] + at] = first | uint64(1), last | uint64(1)
    return prefixes, suffixes


@compiled
def _pair(often: Any, lengths: Any, needed: Any) -> Any:
    """Row, place of its beginning and of its end (-1: none), fixed tokens (int64, one line a template to try)."""
    prefixes, suffixes, bounds, tokens = often
    found = [np.empty((0, 4), np.int64)]
    for row in range(len(tokens)):
        begin, end = bounds[row], bounds[row + 1]
        heads, tails = _list_closed(prefixes, begin, end, lengths), _list_closed(suffixes, begin, end, lengths)
        if len(heads) + len(tails) > 2:
            tried = _combine(heads, tails, needed[row], tokens[row])
            tried[:, 0] = row
            found.append(tried)
    lines, count = np.empty((sum([len(tried) for tried in found]), 4), np.int64), 0
    for tried in found:
        lines[count : count + len(tried)] = tried
        count += len(tried)
    return lines


@compiled
def _list_closed(counts: Any, begin: int, end: int, lengths: Any) -> Any:
    """Place, length and count of the ends of one prompt that occur often, and more often than the next longer one; the
    first is none at all: -1, 0 and a count that never is the lesser one."""
    found, size = np.empty((end - begin + 1, 3), np.int64), 1
    found[0] = (-1, 0, 2**31)
    for place in range(begin, end):
        if counts[place] > 0 and (place + 1 == end or counts[place + 1] < counts[place]):
            found[size] = (place, lengths[place - begin], counts[place])
            size += 1
    return found[:size]


@compiled
def _combine(heads: Any, tails: Any, least: int, most: int) -> Any:
    """The pairs of ``least`` to ``most`` tokens; of too many, those that could explain the most tokens."""
    found, scores, size = np.empty((len(heads) * len(tails), 4), np.int64), np.empty(len(heads) * len(tails)), 0
    for head in range(len(heads)):
        for tail in range(len(tails)):
            fixed = heads[head, 1] + tails[tail, 1]
            if least <= fixed <= most:
                found[size] = (0, heads[head, 0], tails[tail, 0], fixed)
                scores[size] = -fixed * min(heads[head, 2], tails[tail, 2])
                size += 1
    return found[np.argsort(scores[:size], kind="mergesort")[:MAX_PAIRS]]
