"""Which rows hang together? Components of the bucket edges, by exact union-find on the driver."""

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from jobs.errors import WinnowError
from udfs.unions import union_find


def components(edges: DataFrame, limit: int, parts: int, work: str) -> DataFrame:
    """The components of ``edges`` (``a``, ``b``: row numbers), one line a row: ``row``, ``component`` (its least row)
    and ``part`` (0 to ``parts`` - 1, whole components together, parts about equally heavy).

    ``edges`` are few (a star a bucket, rows without candidates absent); more than ``limit`` is an error before
    anything is collected.
    """
    edges = edges.persist()
    try:
        count = edges.count()
        if count > limit:
            told = f"{count:,} candidate edges, dedup.max_edges is {limit:,}"
            raise WinnowError(f"{told}: raise it together with the driver's memory")
        found: Any = edges.toPandas()
    finally:
        edges.unpersist()
    rows, places = np.unique(np.concatenate([found["a"], found["b"]]), return_inverse=True)
    a, b = places[: len(found)].astype(np.int64), places[len(found) :].astype(np.int64)
    labels = union_find(a, b, len(rows))
    part = _spread(labels, parts)
    found = pd.DataFrame({"row": rows.astype(np.int64), "component": rows[labels].astype(np.int64), "part": part})
    return edges.sparkSession.createDataFrame(found, "row bigint, component bigint, part int")


def _spread(labels: np.ndarray, parts: int) -> np.ndarray:
    """A part for every member: components by size, largest first, to the lightest part; the many small ones in turn."""
    names, members, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    chosen = np.empty(len(names), np.int32)
    loads = np.zeros(parts, np.int64)
    heavy, light = order[: 64 * parts], order[64 * parts :]
    for name in heavy:
        lightest = int(loads.argmin())
        chosen[name] = lightest
        loads[lightest] += sizes[name]
    chosen[light] = np.arange(len(light)) % parts
    return chosen[members]
