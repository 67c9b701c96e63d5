"""Which prompts are one text but for a slot: "Write an introduction of 200 words for <X>."

A template is the first i and the last j tokens of a prompt (:mod:`udfs.tokens`; numbers count as one token, "0",
whatever their digits); what stands between is its slot. Found without comparing prompts: the hashes of their beginnings
and ends are counted, pairs of those that occur often are counted again, and each prompt takes the pair that explains the
most tokens of all prompts.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import uint64

from udfs import blocks
from udfs.compiled import compiled, freeze, mix
from udfs.tokens import tokenise

DIGITS = r"\p{Nd}+"
LENGTHS = np.unique([*range(1, 33), *(int(32 * 1.25**step) for step in range(1, 19))])
"""The lengths of beginnings and ends, in tokens: all up to 32, then every fourth more, up to 1,776."""
MAX_PAIRS = 64
"""How many templates a prompt can be tried for; those that could explain the most tokens."""
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
    hashed = _hash_ends(freeze(tokens, np.uint64), freeze(offsets, np.int64), _lengths(), freeze(bounds, np.int64))
    return Ends(*hashed, bounds, counts)


def count(batches: Iterable[pa.RecordBatch], parts: int) -> Iterator[pa.RecordBatch]:
    """Distinct prompts (``prompt``) -> how often each beginning and end occurs, as :mod:`udfs.blocks`."""
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
        prefixes, suffixes = (_look_up(side, hashes, counts) for side in (found.prefixes, found.suffixes))
        often = (prefixes, suffixes, freeze(found.offsets, np.int64), freeze(found.tokens, np.int64))
        rows, first, last, fixed = _pair(often, _lengths(), shape.min_fixed, shape.min_coverage)
        columns = {
            "key": batch.column("key").take(pa.array(rows)),
            "prefix": pa.array(np.where(first < 0, 0, found.prefixes.view(np.int64)[first])),
            "suffix": pa.array(np.where(last < 0, 0, found.suffixes.view(np.int64)[last])),
            "fixed": pa.array(fixed),
            "coverage": pa.array(fixed / found.tokens[rows]),
        }
        yield pa.RecordBatch.from_pydict(columns)


def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Families with two prompts of each, ``example`` and ``other`` -> the same with its ``form`` in place of ``other``."""
    for batch in batches:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        texts = [columns[name].to_pylist() for name in ("family", "example", "other")]
        forms = pa.array([form(*row) for row in zip(*texts, strict=True)], pa.string())
        ordered = {"level": columns["level"], "family": columns["family"], "form": forms, "example": columns["example"]}
        yield pa.RecordBatch.from_pydict({**ordered, **{name: columns[name] for name in ("rows", "removed", "prompts")}})


def form(family: str, example: str, other: str) -> str:
    """A family in words: a prompt of it with ``…`` for the slot, ``#`` for numbers if another prompt has others there.

    The prompt itself where ``family`` names no template of its beginnings and ends.
    """
    fixed, others = _fixed(family, example), _fixed(family, other)
    if fixed is None or others is None:
        return example
    numbers, other_numbers = (re.findall(r"\d+", " ".join(parts)) for parts in (fixed, others))
    written = " … ".join(part for part in (fixed[0].strip(), fixed[1].strip()))
    return (written if numbers == other_numbers else re.sub(r"\d+", "#", written)).strip()


def _fixed(family: str, prompt: str) -> tuple[str, str] | None:
    """The beginning and the end of a prompt that its family has in common; the end is empty if there is no slot."""
    found = ends(pa.array([prompt]))
    lengths = []
    for half, side in ((family[:16], found.prefixes), (family[16:], found.suffixes)):
        places = np.flatnonzero(side == int(half, 16))
        if not len(places) and int(half, 16):
            return None
        lengths.append(int(LENGTHS[places[0]]) if len(places) else 0)
    heads = [prompt[:cut] for cut in range(len(prompt) + 1)]
    tails = [prompt[cut:] for cut in range(len(prompt) + 1)]
    head = int(np.flatnonzero(_count_tokens(heads) <= lengths[0])[-1])
    tail = int(np.flatnonzero(_count_tokens(tails) <= lengths[1])[0])
    return prompt[:head], prompt[max(head, tail) :]


def _count_tokens(texts: list[str]) -> np.ndarray:
    return np.diff(tokenise(pa.array(texts, pa.string()), np.arange(len(texts) + 1))[1])


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
def _pair(often: Any, lengths: Any, min_fixed: int, min_coverage: float) -> tuple[Any, Any, Any, Any]:
    """Row, place of the beginning, place of the end (-1: none) and fixed tokens of each candidate."""
    prefixes, suffixes, bounds, tokens = often
    rows, firsts, lasts, fixed = [0], [0], [0], [0]
    for row in range(len(tokens)):
        begin, end = bounds[row], bounds[row + 1]
        found, scores = [(0, 0, 0)], [0]
        for first in range(begin - 1, end):
            if first >= begin and not _is_closed(prefixes, first, end):
                continue
            head = lengths[first - begin] if first >= begin else 0
            for last in range(begin - 1, end):
                if last >= begin and not _is_closed(suffixes, last, end):
                    continue
                both = head + (lengths[last - begin] if last >= begin else 0)
                if both > tokens[row]:
                    break
                if both < min_fixed or both < min_coverage * tokens[row]:
                    continue
                most = min(
                    prefixes[first] if first >= begin else suffixes[last],
                    suffixes[last] if last >= begin else prefixes[first],
                )
                found.append((first if first >= begin else -1, last if last >= begin else -1, both))
                scores.append(most * both)
        chosen = np.argsort(-np.array(scores[1:]), kind="mergesort")[:MAX_PAIRS]
        for place in chosen:
            first, last, both = found[place + 1]
            rows.append(row)
            firsts.append(first)
            lasts.append(last)
            fixed.append(both)
    return np.array(rows[1:]), np.array(firsts[1:]), np.array(lasts[1:]), np.array(fixed[1:])


@compiled
def _is_closed(counts: Any, place: int, end: int) -> bool:
    """Does this end occur often, and more often than the next longer one?"""
    return counts[place] > 0 and (place + 1 == end or counts[place + 1] < counts[place])
