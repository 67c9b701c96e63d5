"""What ``winnow doctor`` asks of Spark."""

import shlex

from jobs import doctor


def test_a_path_with_spaces_is_one_setting() -> None:
    told = doctor._arguments({"spark.jars.ivy": "/home/me/my projects/it's/.ivy", "spark.master": "local[1]"})
    settings = ["spark.jars.ivy=/home/me/my projects/it's/.ivy", "spark.master=local[1]"]
    assert shlex.split(told) == ["--conf", settings[0], "--conf", settings[1], "pyspark-shell"]
