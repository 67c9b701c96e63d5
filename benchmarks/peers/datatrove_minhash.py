"""datatrove: its four MinHash stages with their defaults (14 buckets of 8 hashes, 5-grams), two workers."""

import gzip
import json
import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from rows import read, write

WORKERS = 2


def documents(folder):
    """The documents of JSON lines, with their cluster."""
    for path in sorted(Path(folder).glob("**/*.gz")):
        with gzip.open(path, "rt") as lines:
            yield from map(json.loads, lines)


def main():
    ids, texts = read(sys.argv[1])
    work = Path(sys.argv[3])
    (work / "in").mkdir(parents=True)
    for worker in range(WORKERS):
        with open(work / "in" / f"{worker}.jsonl", "w") as out:
            for row, text in list(zip(ids, texts, strict=True))[worker::WORKERS]:
                out.write(json.dumps({"id": row, "text": text}) + "\n")
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    reader = JsonlReader(str(work / "in"))
    stages = [
        (WORKERS, [reader, MinhashDedupSignature(output_folder=str(work / "sig"), config=config)]),
        (14, [MinhashDedupBuckets(input_folder=str(work / "sig"), output_folder=str(work / "buckets"), config=config)]),
        (
            1,
            [
                MinhashDedupCluster(
                    input_folder=str(work / "buckets"),
                    output_folder=str(work / "remove"),
                    config=config,
                    save_cluster_id=True,
                )
            ],
        ),
        (
            WORKERS,
            [
                reader,
                MinhashDedupFilter(
                    input_folder=str(work / "remove"),
                    exclusion_writer=JsonlWriter(str(work / "removed")),
                    load_cluster_ids=True,
                ),
                JsonlWriter(str(work / "kept")),
            ],
        ),
    ]
    for place, (tasks, pipeline) in enumerate(stages):
        logs = str(work / f"logs{place}")
        LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=WORKERS, logging_dir=logs).run()
    key = "minhash_cluster_id"
    kept = {doc["metadata"][key]: doc["id"] for doc in documents(work / "kept") if key in doc["metadata"]}
    removed = ((doc["id"], doc["metadata"].get(key)) for doc in documents(work / "removed"))
    write(sys.argv[2], [(row, kept.get(cluster, "")) for row, cluster in removed])


if __name__ == "__main__":
    main()
