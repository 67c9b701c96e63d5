import pytest
from pyspark.sql import functions as F

from jobs.parts import place


@pytest.mark.parametrize("count", [1, 2, 7, 16, 200, 1_000])
def test_every_part_is_one_partition_of_its_own_number(spark, count):
    numbered = spark.range(3 * count).select((F.col("id") % count).cast("int").alias("part"))
    found = numbered.repartition(count, place(F.col("part"), count)).select("part", F.spark_partition_id().alias("at"))
    assert sorted(map(tuple, found.distinct().collect())) == [(part, part) for part in range(count)]
