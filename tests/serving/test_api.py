"""`winnow serve`, asked by OpenAI's own client."""

import json
import re
import urllib.error
import urllib.request
from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from training.chat_request import answerable

QUESTION: list[Any] = [{"role": "user", "content": "hello"}]


@pytest.fixture
def client(server: str) -> OpenAI:
    return OpenAI(base_url=f"{server}/v1", api_key="none", max_retries=0)


def test_the_model_is_named_after_its_run(client: OpenAI) -> None:
    assert [model.id for model in client.models.list().data] == ["first"]


def test_a_streamed_answer_is_the_answer_in_pieces(client: OpenAI) -> None:
    options: dict[str, Any] = {"model": "first", "messages": QUESTION, "max_tokens": 16, "temperature": 0}
    whole = client.chat.completions.create(**options)
    pieces = list(client.chat.completions.create(**options, stream=True))
    streamed = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert streamed and len(pieces) > 4
    assert whole.choices[0].message.content == streamed
    assert whole.usage and whole.usage.completion_tokens <= 16


def test_a_seed_repeats_a_drawn_answer(client: OpenAI) -> None:
    drawn = [
        client.chat.completions.create(model="first", messages=QUESTION, max_tokens=12, temperature=1.5, seed=seed)
        for seed in (1, 1, 2)
    ]
    texts = [answer.choices[0].message.content for answer in drawn]
    assert texts[0] == texts[1] != texts[2]


def with_(**fields: Any) -> dict[str, Any]:
    return {"model": "first", "messages": QUESTION, "max_tokens": 2, "extra_body": fields}


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
CALLED = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("request_", "field", "reason"),
    [
        ({"model": "gpt2", "messages": QUESTION}, None, "Server is pinned to 'first'"),
        (with_(messages=[]), "messages", "expected a list of messages"),
        (with_(messages=[{"content": "hello"}]), "messages[0]", "expected a role and a content"),
        (with_(messages=[*QUESTION, {"role": "user", "content": [IMAGE]}]), "messages[1].content[0]", '"image_url"'),
        (with_(messages=[{"role": "user", "content": 3}]), "messages[0].content", "expected text, found 3"),
        (with_(messages=[{"role": "assistant", "tool_calls": [CALLED]}]), "messages[0].tool_calls", "no tools"),
        (with_(messages=[{"role": "user", "content": "hello " * 600}]), "messages", "than the model's 512, found"),
        (with_(messages=[{"role": "narrator", "content": "x"}]), "messages[0].role", 'found "narrator"'),
        (with_(messages=[{"role": "tool", "content": "x"}]), "messages[0].role", 'or assistant, found "tool"'),
        (with_(n=2), "n", "expected 1, found 2"),
        (with_(logprobs=True), "logprobs", "expected false, found true"),
        (with_(tools=[TOOL]), "tools", 'found [{"type": "function"'),
        (with_(response_format={"type": "json_object"}), "response_format", 'expected {"type": "text"}'),
        (with_(presence_penalty=0.5), "presence_penalty", "expected 0, found 0.5"),
        (with_(generation_config="{}"), "generation_config", "expected nothing"),
        (with_(chat_template_kwargs={"chat_template": "{{ 1/0 }}"}), "chat_template_kwargs", "expected {}"),
        (with_(stop=[5]), "stop", "expected a text or a list of texts, found [5]"),
        (with_(logit_bias=[1]), "logit_bias", "expected a number by token number, found [1]"),
        (with_(temperature=-1), "temperature", "expected a number of at least 0.0, found -1"),
        (with_(top_p="high"), "top_p", 'found "high"'),
        (with_(max_tokens=0, stream=True), "max_tokens", "of at least 1, found 0"),
    ],
)
def test_a_request_that_cannot_be_answered_as_asked_is_refused_with_field_and_reason(
    client: OpenAI, request_: dict[str, Any], field: str | None, reason: str
) -> None:
    with pytest.raises(BadRequestError, match=re.escape(reason)) as refused:
        client.chat.completions.create(**request_)
    assert refused.value.param == field


NEUTRAL: list[dict[str, Any]] = [
    {"n": 1, "logprobs": False, "top_logprobs": 0, "presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": {}},
    {"tools": [], "tool_choice": "none", "parallel_tool_calls": True, "functions": None, "function_call": "auto"},
    {
        "tools": None,
        "response_format": {"type": "text"},
        "modalities": ["text"],
        "reasoning_effort": None,
        "stop": None,
    },
    {"stop": [], "chat_template_kwargs": {}},
    {"user": "ann", "metadata": {"a": "b"}, "store": False, "service_tier": "auto", "seed": None},
    {"stream": False, "stream_options": None, "max_completion_tokens": 2, "max_tokens": None, "temperature": None},
]


def test_what_a_developer_says_is_the_system_prompt() -> None:
    told = answerable({"messages": [{"role": "developer", "content": "Be brief."}, *QUESTION]})["messages"]
    assert told == [{"role": "system", "content": "Be brief."}, *QUESTION]


@pytest.mark.parametrize("fields", NEUTRAL)
def test_fields_that_ask_for_nothing_are_no_reason_to_refuse(client: OpenAI, fields: dict[str, Any]) -> None:
    assert client.chat.completions.create(**with_(**fields)).choices


def test_a_message_of_parts_or_as_a_client_echoes_it_is_its_text(client: OpenAI) -> None:
    empty = {"tool_calls": [], "function_call": None, "refusal": None, "audio": None, "name": None}
    said = [[{"role": "assistant", "content": "hello", **more}, *QUESTION] for more in ({}, empty)]
    said.append([{"role": "assistant", "content": [{"type": "text", "text": "hello"}]}, *QUESTION])
    sizes = [client.chat.completions.create(**with_(messages=one)).usage for one in said]
    assert len({size.prompt_tokens for size in sizes if size}) == 1


def test_an_answer_ends_where_the_positions_of_the_model_do(client: OpenAI) -> None:
    asked = with_(messages=[{"role": "user", "content": "hello " * 80}], max_tokens=4000, logit_bias={"0": 50})
    answer = client.chat.completions.create(**asked)
    assert answer.usage and (answer.usage.total_tokens, answer.choices[0].finish_reason) == (512, "length")


HALF = b'{"messages": [{"role": "user", "content": "\\ud83d"}]}'


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"[1]", "expected a JSON object"), (b"{bad", "JSON"), (b"\xff", "body"), (HALF, "half of a surrogate pair")],
)
def test_what_is_no_request_is_refused_in_the_shape_of_an_error(server: str, body: bytes, reason: str) -> None:
    request = urllib.request.Request(f"{server}/v1/chat/completions", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert (refused.value.code, reason in json.load(refused.value)["error"]["message"]) == (400, True)


def test_a_client_that_goes_away_does_not_block_the_next_one(client: OpenAI) -> None:
    stream = client.chat.completions.create(model="first", messages=QUESTION, max_tokens=4000, stream=True)
    next(iter(stream))
    stream.close()
    assert client.chat.completions.create(model="first", messages=QUESTION, max_tokens=2, timeout=20).choices


@pytest.mark.parametrize("path", ["/", "/v1/models"])
def test_a_page_that_gives_this_machine_another_name_gets_no_answer(server: str, path: str) -> None:
    request = urllib.request.Request(server + path, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request)


def test_only_the_three_files_of_the_page_are_served(server: str) -> None:
    for name in ("__init__.py", "..%2Fserve.py", "docs"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{server}/{name}")
