"""Is a record of each format read into the one schema without loss?"""

import datetime
from pathlib import Path
from typing import Any

import pytest

from conf.settings import Columns, Input, MtBench, Oasst, Samantha
from jobs import formats
from jobs.formats import fields
from jobs.formats.conversation import Conversation
from tests.formats.records import QUESTIONS, RECORDS

OPTIONS = Input()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An answer file two folders below its ``question.jsonl``."""
    folder = tmp_path_factory.mktemp("mt_bench")
    (folder / "question.jsonl").write_text(QUESTIONS)
    return str(folder / "model_answer" / "vicuna-13b.jsonl")


def read(name: str, record: dict[str, Any], file: str = "in.jsonl", options: Input = OPTIONS) -> list[Conversation]:
    return formats.named(name).conversations(record, options, file)


def extra(conversation: Conversation, key: str) -> Any:
    """What the metadata holds under ``key``."""
    return (conversation.metadata or {})[key]


def spoken(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in conversation.messages]


def test_lmsys_keeps_labels_by_message_and_the_rest_as_metadata():
    [found] = read("lmsys", RECORDS["lmsys"])
    assert found[1:5] == ("c1", "vicuna-13b", "English", True)
    assert spoken(found) == [("user", "Hi"), ("assistant", "Hello")]
    scores = {"hate": 0.1, "self-harm/intent": 0.9}
    assert found.moderation == [{"flagged": True, "categories": ["self-harm/intent"], "scores": scores}] * 2
    assert found.metadata == {"turn": 1}


@pytest.mark.parametrize("entries", [None, []])
def test_lmsys_without_moderation_has_none(entries):
    assert read("lmsys", {**RECORDS["lmsys"], "openai_moderation": entries})[0].moderation is None


def test_wildchat_keeps_language_and_toxicity_by_message_and_dates_as_text():
    date = datetime.datetime(2023, 4, 9, 0, 2, 53, tzinfo=datetime.UTC)
    [found] = read("wildchat", {**RECORDS["wildchat"], "timestamp": date})
    assert [(m.language, m.toxic) for m in found.messages] == [("English", False), ("English", True)]
    assert found.id == "w1" and found.redacted is False and len(found.moderation or []) == 2
    assert extra(found, "timestamp") == "2023-04-09T00:02:53+00:00"
    assert extra(found, "detoxify_moderation")[1] == {"toxicity": 0.2}
    assert extra(found, "message_extras") == [{"country": "France"}, {}]


@pytest.mark.parametrize(
    "winner, won", [("model_a", [True, False]), ("model_b", [False, True]), ("tie (bothbad)", [None] * 2)]
)
def test_arena_gives_one_conversation_a_model_and_keeps_the_vote(winner, won):
    found = read("arena", {**RECORDS["arena"], "winner": winner})
    assert [(c.id, c.model, c.language) for c in found] == [
        ("q1-a", "alpaca-13b", "English"),
        ("q1-b", "vicuna-13b", "English"),
    ]
    assert [extra(c, "won") for c in found] == won
    assert [extra(c, "side") for c in found] == ["a", "b"]
    assert {extra(c, "winner") for c in found} == {winner}


def test_mt_bench_joins_answers_to_the_questions_above_them(answers):
    [found] = read("mt_bench", RECORDS["mt_bench"], answers)
    turns = [("user", "Write."), ("assistant", "A blog."), ("user", "Rewrite."), ("assistant", "Another.")]
    assert spoken(found) == turns
    assert (found.id, found.model) == ("a1", "vicuna-13b")
    assert found.metadata == {"question_id": 81, "tstamp": 1.5, "category": "writing", "choice": {"index": 0}}


def test_mt_bench_reads_questions_from_the_setting_and_as_a_uri(answers):
    place = Path(answers).parents[1] / "question.jsonl"
    for questions in (str(place), place.as_uri()):
        options = Input(mt_bench=MtBench(questions=questions))
        assert len(read("mt_bench", RECORDS["mt_bench"], "elsewhere/a.jsonl", options)) == 1
    assert len(read("mt_bench", RECORDS["mt_bench"], Path(answers).as_uri())) == 1


def test_mt_bench_has_one_conversation_a_choice_and_reads_object_turns(answers):
    choices = [{"index": 0, "turns": [{"content": "One."}]}, {"index": 1, "turns": ["Two."]}]
    record = {"question_id": "81", "model_id": "m", "choices": choices}
    found = read("mt_bench", record, answers)
    assert [c.id for c in found] == ["81-m-0", "81-m-1"]
    assert [c.messages[-1].content for c in found] == ["One.", "Two."]


def test_oasst_gives_every_path_in_tree_order():
    found = read("oasst", RECORDS["oasst"])
    assert [c.id for c in found] == ["t1-m2", "t1-m4"]
    assert spoken(found[1]) == [("user", "Why?"), ("assistant", "Because."), ("user", "Oh?")]
    assert [m.language for m in found[0].messages] == ["en", "en"] and found[1].language == "en"
    assert [c.metadata for c in found] == [
        {"message_tree_id": "t1"},
        {"message_tree_id": "t1", "deleted": True},
    ]


def test_oasst_best_follows_the_lowest_rank_and_no_rank_comes_last():
    best = Input(oasst=Oasst(paths="best"))
    assert [c.id for c in read("oasst", RECORDS["oasst"], options=best)] == ["t1-m4"]
    ranks = {"z": None, "b": None, "y": 3}
    replies = [{"text": "x", "role": "assistant", "message_id": i, "rank": rank} for i, rank in ranks.items()]
    for chosen, offered in (("y", replies), ("b", replies[:2])):
        tree = {"message_tree_id": "t", "prompt": {"text": "?", "role": "prompter", "replies": offered}}
        assert [c.id for c in read("oasst", tree, options=best)] == [f"t-{chosen}"]


def test_oasst_numbers_leaves_without_an_id():
    replies = [{"text": "x", "role": "assistant"}, {"text": "y", "role": "assistant"}]
    tree = {"message_tree_id": "t", "prompt": {"text": "?", "role": "prompter", "replies": replies}}
    assert [c.id for c in read("oasst", tree)] == ["t-0", "t-1"]


def test_oasst_reads_a_tree_far_deeper_than_the_stack():
    leaf: dict[str, Any] = {"text": "x", "role": "assistant"}
    for _ in range(20_000):
        leaf = {"text": "x", "role": "prompter", "replies": [leaf]}
    [found] = read("oasst", {"message_tree_id": "t", "prompt": leaf})
    assert len(found.messages) == 20_001


SHAREGPT_ROLES = {
    "human": "user",
    "User": "user",
    "client": "user",
    "GPT": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "function_call": "assistant",
}


@pytest.mark.parametrize("speaker, role", SHAREGPT_ROLES.items())
def test_sharegpt_speakers_become_roles_and_keep_their_own_name(speaker, role):
    [found] = read("sharegpt", {"conversations": [{"from": speaker, "value": "x"}]})
    assert found.messages[0].role == role
    assert found.messages[0].name == (None if speaker.lower() == role else speaker.lower())


WITH_SYSTEM = ("sharegpt", "messages", "samantha", "alpaca", "hh_rlhf", "prompt_response")


@pytest.mark.parametrize("key", ["system", "system_prompt"])
@pytest.mark.parametrize("name", WITH_SYSTEM)
def test_a_system_prompt_in_a_field_of_its_own_is_the_first_message(name, key):
    record = RECORDS[name] | {key: "Be brief."}
    assert formats.detect([record]) is formats.named(name)
    for found, without in zip(read(name, record), read(name, RECORDS[name]), strict=True):
        assert spoken(found) == [("system", "Be brief."), *spoken(without)] and found.metadata == without.metadata


@pytest.mark.parametrize("value", ["", 5, ["Be brief."], {"text": "Be brief."}, b"Be brief\xff"], ids=repr)
@pytest.mark.parametrize("name", WITH_SYSTEM)
def test_a_system_prompt_that_is_no_text_stays_in_the_metadata(name, value):
    for found, without in zip(read(name, RECORDS[name] | {"system": value}), read(name, RECORDS[name]), strict=True):
        assert spoken(found) == spoken(without) and extra(found, "system") == fields.plain(value)


def test_of_two_system_prompts_the_first_is_taken_and_none_where_a_system_message_is_first():
    both = {"system": "Be brief.", "system_prompt": "Be long."}
    [found] = read("messages", RECORDS["messages"] | both)
    assert spoken(found)[0] == ("system", "Be brief.") and extra(found, "system_prompt") == "Be long."
    for speaker in ("system", "developer"):
        [found] = read("messages", {"messages": [{"role": speaker, "content": "S"}], **both})
        assert spoken(found) == [("system", "S")] and found.metadata == both


@pytest.mark.parametrize(
    "name, key, ending",
    [("sharegpt", "conversations", {"from": "gpt"}), ("messages", "messages", {"role": "assistant"})],
)
def test_a_preference_pair_is_the_prompt_with_either_ending(name, key, ending):
    said = {"sharegpt": "value", "messages": "content"}[name]
    prompt = [RECORDS[name][key][0]]
    pair = {"chosen": {**ending, said: "yes"}, "rejected": {**ending, said: "no"}}
    found = read(name, {"id": "p", key: prompt, **pair})
    assert [(c.id, spoken(c), c.metadata) for c in found] == [
        ("p-chosen", [("user", "Hi"), ("assistant", "yes")], {"preference": "chosen"}),
        ("p-rejected", [("user", "Hi"), ("assistant", "no")], {"preference": "rejected"}),
    ]


def test_messages_keep_a_number_as_id_and_the_rest_as_metadata():
    [found] = read("messages", RECORDS["messages"])
    assert (found.id, found.metadata) == ("8", {"source_file": "chat_record_a.jsonl"})


MESSAGES_ROLES = {
    "usr": "user",
    "client": "user",
    "human": "user",
    "sys": "assistant",
    "counselor": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
}


@pytest.mark.parametrize("speaker, role", MESSAGES_ROLES.items())
def test_messages_speakers_become_roles_and_keep_their_own_name(speaker, role):
    [found] = read("messages", {"messages": [{"role": speaker, "content": "x"}]})
    assert found.messages[0][:3] == (role, "x", speaker)


def test_messages_text_parts_are_joined_by_line_breaks():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "value": "b"}]
    [found] = read("messages", {"messages": [{"role": "user", "content": parts, "loss_weight": 0.5}]})
    assert found.messages[0].content == "a\nb"
    assert found.metadata == {"message_extras": [{"loss_weight": 0.5}]}


def test_messages_calls_without_text_become_their_json_text_and_with_text_metadata():
    calls = [{"function": {"name": "f", "arguments": "{}"}}]
    for content in ({"content": None}, {"content": ""}, {}):
        [found] = read("messages", {"messages": [{"role": "assistant", **content, "tool_calls": calls}]})
        written = '[{"function": {"name": "f", "arguments": "{}"}}]'
        assert found.messages[0][:3] == ("assistant", written, "tool_calls") and found.metadata is None
    [found] = read("messages", {"messages": [{"role": "assistant", "content": "Wait.", "tool_calls": calls}]})
    assert found.messages[0].content == "Wait."
    assert found.metadata == {"message_extras": [{"tool_calls": calls}]}


def test_messages_own_name_beats_the_speakers():
    [found] = read("messages", {"messages": [{"role": "human", "content": "x", "name": "Ann"}]})
    assert found.messages[0].name == "Ann"


def test_samantha_paragraphs_without_a_speaker_continue_the_message():
    [found] = read("samantha", RECORDS["samantha"])
    assert spoken(found) == [("user", "Hi"), ("assistant", "Hello\n\nNote: more"), ("user", "Bye")]
    assert [m.name for m in found.messages] == ["Theodore", "Samantha", "Theodore"]
    assert found.metadata == {"elapsed": 1.5}


def test_samantha_speakers_are_settings():
    options = Input(samantha=Samantha(user="A.", assistant="B(2)"))
    [found] = read("samantha", {"conversation": "A.: Hi\r\n\r\nB(2): Hello"}, options=options)
    assert spoken(found) == [("user", "Hi"), ("assistant", "Hello")]


def test_openorca_has_three_messages_and_two_without_a_system_prompt():
    assert [m.role for m in read("openorca", RECORDS["openorca"])[0].messages] == ["system", "user", "assistant"]
    [found] = read("openorca", {**RECORDS["openorca"], "system_prompt": ""})
    assert spoken(found) == [("user", "Hi"), ("assistant", "Hello")] and found.id == "o1"


def test_hh_rlhf_splits_only_after_a_blank_line():
    found = read("hh_rlhf", RECORDS["hh_rlhf"])
    assert spoken(found[0]) == [("user", "Hi"), ("assistant", "I am not Human: no")]
    assert [c.metadata for c in found] == [{"preference": "chosen"}, {"preference": "rejected"}]


def test_hh_rlhf_keeps_an_empty_last_message():
    found = read("hh_rlhf", {"chosen": "Human: Hi\n\nAssistant:", "rejected": "\n\nAssistant: x"})
    assert [spoken(c) for c in found] == [[("user", "Hi"), ("assistant", "")], [("assistant", "x")]]


ALPACA = {
    "instruction and input": (RECORDS["alpaca"], [("user", "Add.\n\n1 2"), ("assistant", "3")]),
    "empty input": ({"instruction": "Hi", "input": "", "output": "x"}, [("user", "Hi"), ("assistant", "x")]),
    "response": ({"instruction": "Hi", "input": None, "response": "x"}, [("user", "Hi"), ("assistant", "x")]),
    "context": ({"instruction": "Hi", "context": "y", "response": "x"}, [("user", "Hi\n\ny"), ("assistant", "x")]),
    "system and history": (
        {"instruction": "c", "output": "d", "system": "S", "history": [["a", "b"]]},
        [("system", "S"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")],
    ),
}


@pytest.mark.parametrize("record, expected", ALPACA.values(), ids=ALPACA)
def test_alpaca_records_are_read(record, expected):
    [found] = read("alpaca", record)
    assert spoken(found) == expected and found.metadata is None


def test_alpaca_generator_is_the_model():
    assert read("alpaca", RECORDS["alpaca"])[0].model == "gpt4"


def test_alpaca_preference_pair_is_two_conversations():
    record = {"instruction": "Hi", "chosen": "yes", "rejected": "no"}
    assert formats.named("alpaca").matches(record)
    assert [c.messages[-1].content for c in read("alpaca", record)] == ["yes", "no"]


def test_prompt_response_takes_the_first_named_column_and_keeps_the_others():
    options = Input(columns=Columns(prompt=["q", "prompt"], response=["response"]))
    [found] = read("prompt_response", {**RECORDS["prompt_response"], "q": "Why?"}, options=options)
    assert spoken(found) == [("user", "Why?"), ("assistant", "Hello")]
    assert found.metadata == {"prompt": "Hi", "label": "ok"}
