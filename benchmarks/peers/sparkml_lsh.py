"""Spark ML: HashingTF of 5-grams, MinHashLSH with 10 tables, approxSimilarityJoin below distance 0.3; of each pair it
finds, the row with the greater id is removed."""

import sys

from pyspark.ml.feature import HashingTF, MinHashLSH, NGram, RegexTokenizer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from rows import THRESHOLD, write

session = (
    SparkSession.builder.master("local[2]").config("spark.driver.memory", "6g").config("spark.ui.enabled", "false")
)
session = session.config("spark.local.dir", sys.argv[3]).config("spark.sql.shuffle.partitions", "8")
spark = session.config("spark.driver.host", "127.0.0.1").getOrCreate()
rows = spark.read.parquet(sys.argv[1])
words = RegexTokenizer(inputCol="text", outputCol="words", pattern=r"\w+", gaps=False).transform(rows)
long = NGram(n=5, inputCol="words", outputCol="grams").transform(words).where(F.size("grams") > 0)  # it fails on empty
hashed = HashingTF(inputCol="grams", outputCol="features", numFeatures=1 << 22, binary=True).transform(long)
model = MinHashLSH(inputCol="features", outputCol="hashes", numHashTables=10, seed=1).fit(hashed)
table = model.transform(hashed.select("id", "features")).cache()
pairs = model.approxSimilarityJoin(table, table, 1 - THRESHOLD, "distance").where("datasetA.id < datasetB.id")
found = pairs.select(F.col("datasetB.id").alias("removed"), F.col("datasetA.id").alias("kept")).distinct()
write(sys.argv[2], [(row.removed, row.kept) for row in found.collect()])
spark.stop()
