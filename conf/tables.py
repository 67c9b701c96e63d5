"""The one map of the lake: table names, what a row of each is, and the layout version.

A lake is a folder (local, shared, ``s3a://``, ``hdfs://``) that holds one Delta table per name below and the marker
file ``winnow.json``. Every table can be read by Spark, deltalake and pyarrow.
"""

LAYOUT = 6
"""Version of the lake's layout, stored in the marker; a lake of another layout is refused."""

MARKER = "winnow.json"

FILES = "files"
"""One input file as ingested: path, content digest, format, records in, rows out. Key: file_id, file."""
CONVERSATIONS_RAW = "conversations_raw"
"""One source conversation as received, in the one schema. Key: conversation_id."""
QUARANTINE = "quarantine"
"""One input record or file that could not become a row: where, why, its first 2 kB. Key: file, record, part."""
CONVERSATIONS = "conversations"
"""One conversation, cleaned and labelled; never filtered. Key: conversation_id."""
LINGUISTICS = "linguistics"
"""One conversation as Spark NLP sees it: counts, phrases, labels of pretrained models. Key: conversation_id."""
OVERLAPS = "overlaps"
"""One conversation and one part of a benchmark's question that share n-grams: which. Key: conversation_id, part."""
CONTAMINATION = "contamination"
"""One conversation and one benchmark question it may contain: the overlap, hit or not. Key: conversation_id,
benchmark, item."""
SIGNATURES = "signatures"
"""One conversation's digests, keys and shingle set: all that finding its duplicates takes. Key: conversation_id."""
DUPLICATES = "duplicates"
"""One removed row: level, the row kept for it, the verified similarity. Key: conversation_id."""
MATCHES = "matches"
"""One row that the comparing levels removed, before caps on prompts and templates: kept for later batches, with the
columns of ``duplicates``. Key: conversation_id."""
COMPONENTS = "components"
"""One conversation that shares a key with another, and the group they are looked at in. Key: row."""
CLUSTERS = "clusters"
"""One conversation that has near copies, kept or removed, and the cluster they share; for a kept one also the most
similar row that was not similar enough. Key: conversation_id."""
FAMILIES = "families"
"""One prompt of many conversations, or one template of many prompts: its form, how many rows, how many removed."""
CONFLICTS = "conflicts"
"""One conversation whose question other personas answer too: the question, the persona, how many there are. Key:
conversation_id."""
MEASURES = "measures"
"""One edit in one class of conversations, planted in a sample of this data: how many copies were found, and how many
rows were removed, rightly and wrongly. Key: edit, script, length."""
VERDICTS = "verdicts"
"""One conversation: kept or not, and every reason. Key: conversation_id."""
DATASET = "dataset"
"""One kept conversation, ready to train on; if asked a part of one, or several joined: ``made_of``. Key:
conversation_id."""
RUNS = "runs"
"""One finished run of one job: config, versions read and written, counts. Key: run_id."""
PINS = "pins"
"""One name for one dataset version, with its digest. Key: name."""

TABLES = (
    FILES,
    CONVERSATIONS_RAW,
    QUARANTINE,
    CONVERSATIONS,
    LINGUISTICS,
    OVERLAPS,
    CONTAMINATION,
    SIGNATURES,
    MATCHES,
    COMPONENTS,
    DUPLICATES,
    FAMILIES,
    CONFLICTS,
    MEASURES,
    CLUSTERS,
    VERDICTS,
    DATASET,
    RUNS,
    PINS,
)
