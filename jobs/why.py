"""Why is a conversation in a version of the dataset, or not? Starts no Spark.

Example:
    winnow why 5b1c... --lake lake --pin baseline
"""

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import dataset as ds

from conf import tables
from jobs import terminal, versions
from udfs.delta.contents import open_version, read_batches
from udfs.delta.lake import UNREADABLE, WRONG_CHOICE, LakeError, read_rows, read_table_log
from udfs.delta.log import read_commit
from udfs.delta.versions import Version, resolve

Row = dict[str, Any]


@dataclass(frozen=True)
class Why:
    """All that was decided on one conversation: its row of ``verdicts``; the rows of the dataset that are made of it;
    its rows of ``duplicates``, ``clusters`` and ``contamination``; the rows of ``duplicates`` that name it as kept, and
    which of them are only tagged; and, by id, it and the others that are named, as ``conversations`` has them (a row of
    another lake it has not)."""

    name: str
    verdict: Row
    published: list[Row]
    duplicates: list[Row]
    clusters: list[Row]
    contamination: list[Row]
    stays_for: list[Row]
    tagged: set[str]
    conversations: dict[str, Row]


def why(version: Version, name: str) -> Why:
    """What was decided on conversation ``name`` when this version was published, of the tables as they were then.
    Raises LakeError where it was not judged."""
    verdict = verdicts(version, [name]).get(name)
    if verdict is None:
        raise LakeError(
            f"no conversation {name} was judged for version {version.version}. Expected a conversation_id; of a row "
            "that was cut or joined, one in its made_of. What could not be read is in `winnow show --quarantine`.",
            WRONG_CHOICE,
        )
    duplicates = _rows(version, tables.DUPLICATES, [name])
    clusters = _rows(version, tables.CLUSTERS, [name])
    contamination = sorted(
        _rows(version, tables.CONTAMINATION, [name]), key=lambda row: (row["benchmark"], row["item"])
    )
    stays_for = sorted(_rows(version, tables.DUPLICATES, [name], "kept_id"), key=lambda row: row["conversation_id"])
    copies = verdicts(version, (row["conversation_id"] for row in stays_for)) if stays_for else {}
    tagged = {copy for copy, decided in copies.items() if decided["kept_id"] != name}
    others = [*(row["kept_id"] for row in duplicates), *(row["nearest_id"] for row in clusters)]
    named = _rows(version, tables.CONVERSATIONS, [name, *filter(None, others)])
    texts = {row["conversation_id"]: row for row in sorted(named, key=lambda row: row["conversation_id"] != name)}
    published = _published(version, name)
    return Why(name, verdict, published, duplicates, clusters, contamination, stays_for, tagged, texts)


def verdicts(version: Version, names: Iterable[str]) -> dict[str, Row]:
    """What the run that published this version decided on these conversations; without those that it did not judge."""
    log = read_table_log(version.lake, tables.VERDICTS)
    for number in sorted(log.sizes, reverse=True):
        if (read_commit(log, number).lineage or {}).get("run_id") == version.run_id:
            rows = read_rows(version.lake, tables.VERDICTS, number, _is_one("conversation_id", names))
            return {row["conversation_id"]: row for row in rows}
    raise LakeError(
        f"table {tables.VERDICTS} has nothing of the run that published version {version.version}: its log was cleaned "
        "up, or the table replaced. Newer versions may still be asked about.",
        UNREADABLE,
    )


def _rows(version: Version, table: str, names: Iterable[str], column: str = "conversation_id") -> list[Row]:
    """Rows of these conversations in a table, as it was when the version was made."""
    return read_rows(version.lake, table, version.inputs.get(table, -1), _is_one(column, names))


def _is_one(column: str, names: Iterable[str]) -> ds.Expression:
    return ds.field(column).isin(pa.array(list(names), pa.string()))


def _published(version: Version, name: str) -> list[Row]:
    """The rows of the version that are made of a conversation: itself, its parts, or what it was joined into."""
    columns = ["conversation_id", "split", "copies", "made_of"]
    found: list[Row] = []
    for batch in read_batches(open_version(version), columns):
        made_of = batch.column("made_of")
        is_it = pc.equal(pc.struct_field(pc.list_flatten(made_of), "conversation_id"), name)
        places = pc.unique(pc.list_parent_indices(made_of).filter(is_it))
        found += batch.take(places).drop_columns(["made_of"]).to_pylist()
    return found


def add_commands(subparsers: Any) -> None:
    """Register ``why``, which sets ``run``, a function of the parsed arguments."""
    does = "say why a conversation is in a version, or not"
    parser = versions.command(subparsers, "why", run_why, does, "5b1c... --lake lake --pin baseline")
    parser.add_argument("name", metavar="ID", help="conversation_id; of a row cut or joined, one in its made_of")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", type=int, metavar="N", help="default: the newest")
    which.add_argument("--pin", metavar="NAME")


def run_why(args: Namespace) -> int:
    """``winnow why``: the verdict, what it rests on, and the texts."""
    version = resolve(args.lake, args.pin, args.version)
    found = why(version, args.name)
    print(terminal.safe([_verdict(version, found), *(f"  {line}" for line in _grounds(found))]))
    for row in found.conversations.values():
        print(f"\n{terminal.as_conversation(row)}")
    return 0


def _verdict(version: Version, found: Why) -> str:
    place = terminal.as_name(version)
    if not found.verdict["keep"]:
        return f"{found.name} is not in {place}: {', '.join(found.verdict['reasons'])}"
    rows = (f"{row['conversation_id']}, split {row['split']}, copies {row['copies']}" for row in found.published)
    return f"{found.name} is in {place}: {'; '.join(rows)}"


def _grounds(found: Why) -> list[str]:
    """A line for each thing that was found of the conversation."""
    lines = []
    for row in found.duplicates:
        tagged = "" if row["kept_id"] == found.verdict["kept_id"] else "only tagged, "
        lines.append(f"{tagged}{_match(row)} {row['kept_id']}, rule {row['rule']}")
    for row in found.stays_for:
        stands = "beside" if row["conversation_id"] in found.tagged else "for"
        lines.append(f"stays {stands} {row['conversation_id']}: {_match(row)} it")
    for row in found.clusters:
        if row["nearest_id"]:
            lines.append(f"nearest that stayed at level near: {row['similarity']:.3f} with {row['nearest_id']}")
    for row in found.contamination:
        verdict = "hit" if row["hit"] else "no hit"
        lines.append(
            f"benchmark: {verdict}, {row['overlap']:.2f} of {row['benchmark']} {row['item']}: {row['question']}"
        )
    own = found.conversations.get(found.name, {})
    lines += [f"{name}: {', '.join(own[name])}" for name in ("reasons", "keywords", "repairs") if own.get(name)]
    edits = sorted({edit for message in own.get("messages", []) for edit in message["edits"] or []})
    return [*lines, *([f"edits: {', '.join(edits)}"] if edits else [])]


def _match(row: Row) -> str:
    """How a row of ``duplicates`` is tied to the one that stays."""
    if row["copy_of"] == row["kept_id"]:
        return f"{row['level']}: the same messages as"
    if row["similarity"] is None:  # a cap keeps so many, whatever they are like
        return f"{row['level']}:"
    bands = f", {row['bands_shared']} bands shared," if row["bands_shared"] else ""
    return f"{row['level']}: {row['similarity']:.3f}{bands} with"
