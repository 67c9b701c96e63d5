"""Which records cannot be read? Each with the reason a strict reader gives for it, as raw bytes of one record."""

import csv
import io
import json
from dataclasses import replace
from random import Random

from jobs import refusals
from jobs.sample.conversations import Chat, compose
from jobs.sample.formats import JSON, Record, csv_row

Broken = tuple[str, bytes]
"""Reason code and bytes."""


def json_records(part: str, rng: Random) -> list[Broken]:
    """Eight to ten broken records of one JSON part."""
    good, other = (_dumps(JSON[part](compose(part, rng))) for _ in range(2))
    first = good[1 : good.index(":")]
    texts = [
        (refusals.MALFORMED_JSON, good.replace('": ', '" ', 1)),
        (refusals.MALFORMED_JSON, good.replace('"', "'", 2)),
        (refusals.TWO_VALUES, f"{good} {other}"),
        (refusals.TRAILING_GARBAGE, f"{good} // end of part"),
        (refusals.DUPLICATE_KEY, f'{{{first}: "twice", {good[1:]}'),
        (refusals.LONE_SURROGATE, json.dumps(JSON[part](_ending(compose(part, rng), " \ud83d")))),
    ]
    records = [(reason, text.encode()) for reason, text in texts]
    raw = _dumps(JSON[part](_ending(compose(part, rng), " \udcff\udcfe"))).encode("utf-8", "surrogateescape")
    return [*records, (refusals.INVALID_UTF8, raw), *_shapes(part, rng)]


def csv_records(rng: Random) -> list[Broken]:
    """Broken rows: too many fields, too few, bytes that are no UTF-8."""
    prompt, response = csv_row(compose("csv", rng))
    return [
        (refusals.MALFORMED_CSV, csv_line([prompt, response, "extra"])),
        (refusals.MALFORMED_CSV, csv_line([prompt, response, "", ""])),
        (refusals.MALFORMED_CSV, csv_line([prompt])),
        (refusals.INVALID_UTF8, csv_line([prompt, "caf\udce9"])),
        (refusals.INVALID_UTF8, csv_line(["\udcc3(" + prompt, response])),
    ]


def csv_line(row: list[str]) -> bytes:
    """One row of RFC 4180, with a plain line feed at the end; a lone surrogate U+DCxx stands for the byte xx."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue().encode("utf-8", "surrogateescape")


def _shapes(part: str, rng: Random) -> list[Broken]:
    """Sound JSON that is no conversation."""
    chat = compose(part, rng)
    if part == "alpaca":
        record = JSON[part](chat)
        bad = [(refusals.WRONG_TYPE, record | {"output": 42}), (refusals.MISSING_FIELD, {"input": record["input"]})]
    else:
        turns = list(JSON[part](chat))[1]
        bad = [
            (refusals.WRONG_TYPE, JSON[part](chat) | {turns: 42}),
            (refusals.EMPTY_CONVERSATION, JSON[part](replace(chat, messages=[]))),
        ]
    if part in ("sharegpt", "messages"):
        narrated = replace(chat, messages=[("narrator", "Night fell."), *chat.messages])
        bad.append((refusals.UNKNOWN_ROLE, JSON[part](narrated)))
    return [(reason, _dumps(record).encode()) for reason, record in bad]


def _ending(chat: Chat, tail: str) -> Chat:
    role, text = chat.messages[-1]
    return replace(chat, messages=[*chat.messages[:-1], (role, text + tail)])


def _dumps(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False)
