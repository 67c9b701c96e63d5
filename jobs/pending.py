"""Which files does an ingest read, and which not, as they were read before or are copies?"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import accumulate

from pyspark.sql import Row
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Input
from jobs.errors import UsageError
from jobs.formats import mt_bench
from jobs.ids import SAME_AS
from jobs.lake import Lake
from jobs.reader.read import Split
from jobs.refusals import DUPLICATE_RECORD, UNKNOWN_QUESTION, UNREADABLE_FILE

_ABOUT_FILES = ("file", "file_id", "format", "quarantined", "reason", "config_digest")


def choose(lake: Lake, splits: list[Split], options: Input, config: str) -> tuple[list[Split], list[Split]]:
    """Splits to read, and files that are copies of a file read before or alongside (one split each).

    ``config`` is the digest of ``options``. A file that was read with these is read again if it has answers that lacked
    their questions, and there are others now. What a file gave goes when it is read again, and may not come again. So
    files that have a record which was left out as a copy of what goes are read again too. Raises :class:`UsageError` if
    such a file is not among the splits.
    """
    found = lake.read(tables.FILES).select(*_ABOUT_FILES).collect()
    known, listed = _known(found, config), {row.file_id for row in found}
    given = {split.file_id for split in splits}
    for file_id in _outdated(lake, found, given, options.mt_bench.questions):
        known.pop(file_id, None)
    while True:
        pending, copies = _pending(splits, known)
        again = {split.file_id for split in pending}
        copied = {} if again.isdisjoint(listed) else _copied(lake, again)
        missing = [file for file_id, file in copied.items() if file_id not in given]
        if missing:
            raise UsageError(
                "the settings of input changed, or questions to answers did, so files are read again. Records of other "
                "files were left out as copies of what these gave: expected those among the input too; "
                f"{len(missing):,} are not, such as {missing[0]}"
            )
        if not copied:
            return pending, copies
        for file_id in copied:
            known.pop(file_id, None)


def _known(found: Iterable[Row], config: str) -> dict[str, set[str]]:
    """Names under which each file was read with these settings, by content."""
    known: dict[str, set[str]] = {}
    for row in found:
        if row.config_digest == config and row.reason != UNREADABLE_FILE:  # what was out of reach may be there now
            # A member's file is ARCHIVE!MEMBER, and both may have a ! of their own: any beginning may be the archive.
            known.setdefault(row.file_id, set()).update(accumulate(row.file.split("!"), "{}!{}".format))
    return known


def _outdated(lake: Lake, found: Iterable[Row], given: AbstractSet[str], questions: str) -> set[str]:
    """Contents among these of answer files that had a question unknown and may know it now."""
    answers = {row.file_id for row in found if row.format == mt_bench.NAME and row.quarantined} & given
    if not answers:
        return set()
    is_unknown = (F.col("reason") == UNKNOWN_QUESTION) & F.col("file_id").isin(sorted(answers))
    refused = lake.read(tables.QUARANTINE).where(is_unknown).groupBy("file_id", "file")
    lacking = refused.agg(F.min("detail").alias("told")).collect()
    return {row.file_id for row in lacking if mt_bench.is_outdated(row.told, questions, row.file)}


def _pending(splits: list[Split], known: dict[str, set[str]]) -> tuple[list[Split], list[Split]]:
    pending, copies = [], {}
    reading: dict[str, str] = {}
    for split in splits:
        first = reading.setdefault(split.file_id, split.file)
        if split.file in known.get(split.file_id, ()):
            continue
        if split.size and (split.file_id in known or first != split.file):
            copies[split.file] = split
        else:
            pending.append(split)
    return pending, list(copies.values())


def _copied(lake: Lake, again: Iterable[str]) -> dict[str, str]:
    """Contents and names of the other files that have a copy of a record of these files."""
    is_again = F.col("file_id").isin(sorted(again))
    going = lake.read(tables.CONVERSATIONS_RAW).where(is_again)
    going = going.select(F.concat(F.lit(SAME_AS), "conversation_id").alias("detail"))
    copies = lake.read(tables.QUARANTINE).where((F.col("reason") == DUPLICATE_RECORD) & ~is_again)
    found = copies.join(going, "detail", "left_semi").groupBy("file_id").agg(F.min("file").alias("file"))
    return {row.file_id: row.file for row in found.orderBy("file").collect()}
