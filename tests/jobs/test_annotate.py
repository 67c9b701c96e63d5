import json
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from conf import tables
from conf.rules import Edits, Keywords, Reasons, Rules
from conf.settings import Settings
from jobs.annotate import _time, keyword_lists, label
from jobs.errors import UsageError
from jobs.lake import Lake
from jobs.session import open_session


def test_set_gives_every_conversation_the_system_prompt_and_keeps_every_other_message(
    lake: Lake, smoke: Settings
) -> None:
    raw = lake.read(tables.CONVERSATIONS_RAW)
    untouched = Reasons(blank_message="tag", bad_roles="tag", unanswered="tag")  # repairs of turns take messages away
    rules = Rules(edits=Edits(system_prompt={"mode": "set", "text": "Be kind."}), reasons=untouched)
    rows = label(raw, rules).select("conversation_id", "messages").collect()
    before = {row[0]: row[1] for row in raw.select("conversation_id", F.col("messages.role")).collect()}
    assert len(rows) == len(before)
    for conversation_id, messages in rows:
        told = [message for message in messages if message["role"] == "system"]
        assert told
        assert {message["content"] for message in told} == {"Be kind."}
        roles = [message["role"] for message in messages]
        assert roles[-len(before[conversation_id]) :] == before[conversation_id]


def test_set_gives_the_system_prompt_also_where_there_is_one_only_later(lake: Lake) -> None:
    asked = [("user", "How are you today?"), ("assistant", "I am well, thanks.")]
    goes_on = [("user", "And what about tomorrow?"), ("assistant", "I hope to be well again.")]
    raw = _raw(lake, [*asked, ("system", "Be brief."), *goes_on])
    row = label(raw, Rules(edits=Edits(system_prompt={"mode": "set", "text": "Be kind."}))).collect()[0]
    assert _told(row) == [("system", "Be kind."), *asked, *goes_on]


@pytest.mark.parametrize("mode", ["set", "replace"])
def test_the_system_prompt_stands_once_where_there_were_several_system_messages(lake: Lake, mode: str) -> None:
    asked = [("user", "How are you today?"), ("assistant", "I am well, thanks.")]
    said = [("system", "You are Ann."), ("system", "Be brief."), *asked]
    raw = _raw(lake, said)
    row = label(raw, Rules(edits=Edits(system_prompt={"mode": mode, "text": "Be kind."}))).collect()[0]
    assert _told(row) == [("system", "Be kind."), *asked]
    assert _told(label(raw, Rules()).collect()[0]) == said


def _told(row: Row) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in row["messages"]]


def _raw(lake: Lake, said: list[tuple[str, str]]) -> DataFrame:
    """One conversation of ``conversations_raw`` in which this is said."""
    raw = lake.read(tables.CONVERSATIONS_RAW).limit(1)
    messages = json.dumps([{"role": role, "content": text} for role, text in said])
    return raw.withColumn("messages", F.from_json(F.lit(messages), raw.schema["messages"].dataType))


def test_a_category_to_drop_that_has_no_list_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"rules.keywords.drop: expected .*\bsexual, violence\), found 'sexaul'$"):
        keyword_lists(Rules(keywords=Keywords(drop=["hate", "sexaul"])))
    (tmp_path / "rivals.txt").write_text("acme\n")
    assert keyword_lists(Rules(keywords=Keywords(folder=str(tmp_path), drop=["hate", "rivals"])))


def test_a_time_without_a_zone_is_utc_whatever_the_session_was_asked_for(lake: Lake, smoke: Settings) -> None:
    raw = lake.read(tables.CONVERSATIONS_RAW).limit(1)
    raw = raw.withColumn("metadata", F.lit('{"timestamp": "2024-01-01 12:00:00"}'))
    open_session("test", {**smoke.spark, "spark.sql.session.timeZone": "Asia/Tokyo"})
    assert label(raw, Rules()).collect()[0]["time"] == 1_704_110_400


def test_a_time_is_a_number_or_written_out_and_nothing_else_is_one(lake: Lake) -> None:
    told = {"1704110400": 1_704_110_400, "1704110400500": 1_704_110_400.5, "2024-01-01": 1_704_067_200, "-5": -5}
    none = ["NaN", "nan", "Infinity", "-Infinity", "inf", "soon", ""]
    texts = lake.spark.createDataFrame([(text,) for text in (*told, *none)], "told string")
    found = {row["told"]: row["time"] for row in texts.select("told", _time("told").alias("time")).collect()}
    assert found == told | dict.fromkeys(none)
