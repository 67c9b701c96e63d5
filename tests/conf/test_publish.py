"""Settings of rows: what does not go together is refused, and nothing is hidden as a secret that is none."""

import pytest
from pydantic import ValidationError

from conf.recipe import describe, load
from conf.settings import Publish


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"split_long": 100}, "name a tokenizer.json in tokenizer"),
        ({"merge_short": {"exchanges": 2, "tokens": 100}}, "name a tokenizer.json in tokenizer"),
        ({"merge_short": {"exchanges": 1}}, "expected at least 2, or 0"),
        ({"merge_short": {"tokens": 9}, "tokenizer": "t"}, "exchanges is 0: expected at least 2, or 0 and no tokens"),
        (
            {"merge_short": {"exchanges": 2, "tokens": 9}, "split_long": 8, "tokenizer": "t"},
            r"merge_short.tokens \(9\) must not exceed split_long \(8\)",
        ),
        ({"split_long": -1}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_done_is_refused(wrong, problem):
    with pytest.raises(ValidationError, match=problem):
        Publish(**wrong)


def test_joining_by_exchanges_alone_needs_no_tokenizer():
    assert Publish(merge_short={"exchanges": 2}).tokenizer == ""


def test_tokens_and_tokenizers_are_shown_and_tokens_for_access_are_not():
    sets = ["publish.tokenizer=/m/tokenizer.json", "publish.split_long=9", "publish.message_tokens=3"]
    secrets = ["spark.spark.hf_token=abc", "spark.spark.tokens.value=abc", "spark.spark.tokenizer_key=abc"]
    told = dict(line.partition("  (")[0].split(" = ") for line in describe(load(None, [*sets, *secrets])))
    assert told["publish.tokenizer"] == '"/m/tokenizer.json"'
    assert (told["publish.message_tokens"], told["publish.merge_short.tokens"]) == ("3", "0")
    assert {told[secret.partition("=")[0]] for secret in secrets} == {"***"}
