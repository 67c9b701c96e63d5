from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.duplicates.connected import CONTRACTED, components
from jobs.errors import WinnowError
from jobs.stores import clear
from jobs.tasks import Rows
from udfs.dedup import stars

PARTS = 3
FEW, NONE = 10_000_000, 0
"""Limits: everything on the driver, nothing on the driver."""

Pairs = np.ndarray
"""Edges, int64 (n, 2)."""


def slowly(edges: Pairs) -> dict[int, int]:
    """The least row of every row with an edge to another, by walking the graph from each, least first."""
    neighbours = defaultdict(list)
    for a, b in edges[edges[:, 0] != edges[:, 1]].tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    least: dict[int, int] = {}
    for start in sorted(neighbours):
        found = [] if start in least else [start]
        least.setdefault(start, start)
        for row in found:  # grows on the way
            fresh = [other for other in neighbours[row] if other not in least]
            least.update(dict.fromkeys(fresh, start))
            found += fresh
    return least


def graphs(count: int, seed: int) -> Pairs:
    """Random graphs side by side: sparse to dense, 2 to 40 rows; a row's number says its graph and nothing of order."""
    rng = np.random.default_rng(seed)
    pairs = []
    for graph in range(count):
        rows = rng.permutation(int(rng.integers(2, 41))) * count + graph
        pairs.append(rows[rng.integers(len(rows), size=(int(rng.integers(1, 2 * len(rows))), 2))])
    return rng.permutation(np.concatenate(pairs))


def chain(length: int, first: int, seed: int) -> Pairs:
    """One path through the rows from ``first`` on in random order, the longest way for a label to go."""
    rng = np.random.default_rng(seed)
    rows = first + rng.permutation(length)
    return rng.permutation(np.stack([rows[:-1], rows[1:]], axis=1))


def star(leaves: int, first: int, centre: int) -> Pairs:
    return np.stack([np.full(leaves, centre), first + np.arange(leaves)], axis=1)


EVERYTHING = np.concatenate(
    [
        graphs(1_000, seed=5),
        chain(50_000, first=1_000_000, seed=1),
        star(200_000, first=2_000_000, centre=2_500_000),
        star(200_000, first=3_000_000, centre=-7),
    ]
)
"""1,000 random graphs, a chain, a star around its greatest row and one around its least: one graph, so that Spark
runs once. No two of them have a row in common."""


def frame(spark: SparkSession, edges: Pairs) -> DataFrame:
    pairs = spark.createDataFrame(pd.DataFrame({"a": edges[:, 0], "b": edges[:, 1]}), "a bigint, b bigint")
    return pairs.withColumn("is_equal", F.lit(False)).mapInArrow(stars.contract, CONTRACTED)


def labels(members: DataFrame) -> dict[int, int]:
    """Row -> component; every row has one line and every component one part."""
    lines = members.toPandas()
    assert lines["row"].is_unique
    assert (lines.groupby("component")["part"].nunique() == 1).all()
    return dict(zip(lines["row"].tolist(), lines["component"].tolist(), strict=True))


@pytest.mark.parametrize("limit", [FEW, NONE], ids=["on the driver", "on Spark"])
def test_graphs_chain_and_stars_have_the_components_of_a_walk(spark, tmp_path, limit):
    members = components(frame(spark, EVERYTHING), limit, PARTS, str(tmp_path / "work")).frame()
    assert labels(members) == slowly(EVERYTHING)
    sizes = members.groupBy("part").count().toPandas()["count"]
    assert sizes.max() < 1.5 * sizes.sum() / 2  # two stars of 200,000 are on two parts


def test_nothing_is_left_of_rows_without_an_edge_to_another(spark, tmp_path):
    edges = np.array([[4, 4], [9, 9]])
    for limit in (FEW, NONE):
        assert labels(components(frame(spark, edges), limit, PARTS, str(tmp_path)).frame()) == {}
        assert labels(components(frame(spark, edges[:0]), limit, PARTS, str(tmp_path)).frame()) == {}


@pytest.mark.parametrize("limit", [FEW, NONE], ids=["on the driver", "on Spark"])
def test_of_rows_with_equal_messages_all_but_the_least_are_copies(spark, tmp_path, limit):
    told = [(3, 3, True), (3, 8, True), (3, 9, True), (1, 3, False), (5, 9, False), (5, 5, True), (5, 6, True)]
    told += [(9, 9, True), (9, 20, True)]  # 9 is the number of two conversations: it is no copy of the second
    edges = spark.createDataFrame(told, "a bigint, b bigint, is_equal boolean")
    members = components(edges.mapInArrow(stars.contract, CONTRACTED), limit, PARTS, str(tmp_path)).frame().collect()
    found = {member.row: member.is_copy for member in members}
    assert found == {1: None, 3: False, 8: True, 9: False, 5: False, 6: True, 20: True}


@pytest.mark.parametrize("limit", [FEW, NONE], ids=["on the driver", "on Spark"])
def test_what_is_known_to_hang_together_hangs_together_with_what_is_tied_to_it(spark, tmp_path, limit):
    before, after = graphs(40, seed=6), graphs(20, seed=7)
    known = pd.DataFrame(slowly(before).items(), columns=["row", "component"])
    rows = Rows(spark, lambda: spark.createDataFrame(known, "row bigint, component bigint"))
    found = components(frame(spark, after), limit, PARTS, str(tmp_path / "work"), rows).frame()
    assert labels(found) == slowly(np.concatenate([before, after]))


def test_too_many_rounds_are_an_error_and_a_later_run_goes_on_from_the_last_whole_one(spark, tmp_path):
    edges, work = chain(500, first=0, seed=2), tmp_path / "work"
    with pytest.raises(WinnowError, match=r"settle in 2 rounds of stars, found [\d,]+ edges still moving: .*work"):
        components(frame(spark, edges), NONE, PARTS, str(work), rounds=2)
    (state,) = work.iterdir()
    assert sorted(folder.name for folder in state.iterdir()) == ["copies", "step-2"]
    spoil(state / "step-3", whole=False)  # a round that was killed: no mark that it is whole
    assert labels(components(frame(spark, edges), NONE, PARTS, str(work)).frame()) == dict.fromkeys(range(500), 0)
    spoil(state / "step-40", whole=True)
    with pytest.raises(Exception, match=r"part-0.parquet"):  # whole rounds are taken up, not done again
        components(frame(spark, edges), NONE, PARTS, str(work))


def spoil(step: Path, whole: bool) -> None:
    """A step with a file that is no parquet."""
    step.mkdir()
    (step / "part-0.parquet").write_bytes(b"PAR1")
    if whole:
        (step / "_SUCCESS").touch()


@pytest.mark.parametrize("limit", [FEW, NONE], ids=["on the driver", "on Spark"])
def test_a_folder_whose_name_looks_like_a_pattern_is_that_folder(spark, tmp_path, limit):
    work, edges = tmp_path / "chats [2024] {a,b} *?\\" / "work", chain(60, first=0, seed=4)
    if limit == NONE:
        with pytest.raises(WinnowError, match="1 rounds"):
            components(frame(spark, edges), limit, PARTS, str(work), rounds=1)
    assert labels(components(frame(spark, edges), limit, PARTS, str(work)).frame()) == slowly(edges)


def test_the_state_of_other_edges_is_never_taken_up_and_clear_removes_all(spark, tmp_path):
    work = tmp_path / "work"
    for edges in (star(20, first=0, centre=30), star(21, first=0, centre=30)):
        assert labels(components(frame(spark, edges), NONE, PARTS, str(work)).frame()) == slowly(edges)
    assert len(list(work.iterdir())) == 2
    clear(spark, str(work))
    assert not work.exists()
    clear(spark, str(work))
