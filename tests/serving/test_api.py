"""`winnow serve`, asked by OpenAI's own client."""

import urllib.error
import urllib.request
from typing import Any

import pytest
from openai import BadRequestError, OpenAI

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


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"model": "gpt2", "messages": QUESTION}, "Server is pinned to 'first'"),
        ({"model": "first", "messages": []}, "empty conversation"),
        ({"model": "first", "messages": [{"content": "hello"}]}, "role"),
        ({"model": "first", "messages": QUESTION, "n": 2}, "one request gets one answer, found n 2"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused_with_the_reason(
    client: OpenAI, request_: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadRequestError, match=reason):
        client.chat.completions.create(**request_)


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
