from pyspark.sql import functions as F

from conf import tables
from conf.settings import Edits, Reasons, Rules, Settings
from jobs.annotate import label
from jobs.lake import Lake


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
