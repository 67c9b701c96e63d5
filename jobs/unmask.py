"""Personal data put back where pseudonyms stand, for who has the key; and a key made. Starts no Spark.

Examples:
    winnow make-key ~/pii.key
    winnow unmask 5b1c... --lake lake --key ~/pii.key
"""

from argparse import Namespace
from typing import Any

from pyarrow import dataset as ds

from conf import tables
from jobs import terminal, versions
from jobs.errors import LakeDamaged, UsageError
from udfs import keyfile, pii, sealing
from udfs.delta.lake import WRONG_CHOICE, LakeError, read_rows, read_table_log
from udfs.delta.versions import resolve
from udfs.sealing import Key

Message = dict[str, Any]


def unmasked(lake: str, key: Key, name: str, pin: str | None = None) -> list[Message]:
    """The messages of conversation ``name`` as ``annotate`` left them, with what their pseudonyms stand for put back.

    They are those of the newest table ``conversations``, or of the one that the pinned dataset was made from. Raises
    :class:`UsageError` where there is no such conversation, where it was masked without a key, or with another.
    """
    version = _version(lake, pin)
    row = _row(lake, version, name)
    messages: list[Message] = row["messages"]
    if row["sealed"] is None:
        _require_unmasked(name, messages, version)
        return messages
    try:
        texts = sealing.unmask(key, name, [message["content"] for message in messages], row["sealed"])
    except sealing.CannotUnseal as error:
        raise UsageError(f"{error}. Check --key, or --pin if the lake was annotated with several keys.") from error
    return [{**message, "content": text} for message, text in zip(messages, texts, strict=True)]


def add_commands(subparsers: Any) -> None:
    """Register ``unmask`` and ``make-key``; each sets ``run``, a function of the parsed arguments."""
    does, example = "print a conversation with its personal data put back", "5b1c... --lake lake --key ~/pii.key"
    parser = versions.command(subparsers, "unmask", run_unmask, does, example)
    parser.add_argument("name", metavar="ID", help="conversation_id; of a row cut or joined, one in its made_of")
    parser.add_argument("--key", required=True, metavar="FILE", help="the key it was masked with (rules.pii_key)")
    parser.add_argument("--pin", metavar="NAME", help="as this version of the dataset had it; default: the newest")

    making = subparsers.add_parser(
        "make-key",
        help="make a key, with which masked personal data can be put back",
        description="Make a key file for rules.pii_key. Keep it outside the lake, with a copy in a safe place.",
        epilog="Example: winnow make-key ~/pii.key",
    )
    making.add_argument("file", metavar="FILE", help="a new file; only you can read it")
    making.set_defaults(run=run_make_key)


def run_unmask(args: Namespace) -> int:
    """``winnow unmask``."""
    messages = unmasked(args.lake, _key(args), args.name, args.pin)
    print(terminal.as_transcript(args.name, messages))
    return 0


def run_make_key(args: Namespace) -> int:
    """``winnow make-key``."""
    try:
        key = keyfile.make(args.file)
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(f"{args.file} is a new key, fingerprint {key.fingerprint}")
    return 0


def _key(args: Namespace) -> Key:
    try:
        return keyfile.read(args.key, args.lake)
    except ValueError as error:
        raise UsageError(f"--key: {error}") from error


def _version(lake: str, pin: str | None) -> int:
    """The newest version of table ``conversations``, or the one that the pinned dataset was made from."""
    version = read_table_log(lake, tables.CONVERSATIONS).newest
    if pin is not None:
        version = resolve(lake, pin).inputs.get(tables.CONVERSATIONS, -1)
    if version < 0:
        raise LakeError(f"{lake} has no annotated conversations: run `winnow annotate` first.", WRONG_CHOICE)
    return version


def _row(lake: str, version: int, name: str) -> dict[str, Any]:
    is_it = ds.field("conversation_id") == name
    found = read_rows(lake, tables.CONVERSATIONS, version, is_it, ["messages", "sealed"])
    if not found:
        raise LakeError(
            f"no conversation {name} in version {version} of table {tables.CONVERSATIONS}. A row of the "
            "dataset that was cut or joined is made of the conversations in its made_of: name one of those.",
            WRONG_CHOICE,
        )
    if len(found) > 1:
        raise LakeDamaged(f"{len(found)} conversations are called {name} in table {tables.CONVERSATIONS}, expected one")
    return found[0]


def _require_unmasked(name: str, messages: list[Message], version: int) -> None:
    labels = {label for message in messages for label in message["edits"] if label.startswith(pii.PREFIX)}
    if labels:
        raise UsageError(
            f"{name} was masked without a key in version {version} of table {tables.CONVERSATIONS} "
            f"({', '.join(sorted(labels))}): what its pseudonyms stand for was not kept. With rules.pii_key set, "
            f"`winnow annotate` keeps it; table {tables.CONVERSATIONS_RAW} has what was received."
        )
