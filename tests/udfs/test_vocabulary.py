"""Tokens of messages by a tokenizer's file, and a file that cannot be used."""

import json
from pathlib import Path
from unicodedata import normalize

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.vocabularies import write_tokenizer
from udfs import vocabulary
from udfs.vocabulary import Vocabulary

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return vocabulary.read(write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"))


def test_every_token_of_a_message_counts_and_what_the_template_adds(text: str) -> None:
    contents = pa.array(["abc", "", None, "漢字", "a" * 1_000_000])
    assert vocabulary.count(contents, Vocabulary(text, 4)).tolist() == [7, 4, 4, 10, 1_000_004]
    assert vocabulary.count(contents.slice(3), Vocabulary(text, 0)).tolist() == [6, 1_000_000]
    assert vocabulary.count(contents[:0], Vocabulary(text, 4)).tolist() == []


@given(texts=st.lists(st.none() | TEXT, max_size=12), size=st.integers(1, 40))
@hypothesis_settings(max_examples=60)
def test_the_count_does_not_depend_on_how_much_is_encoded_at_a_time(text: str, texts: list, size: int) -> None:
    whole, before = vocabulary.count(pa.array(texts, pa.string()), Vocabulary(text, 1)), vocabulary.BATCH_BYTES
    vocabulary.BATCH_BYTES = size
    try:
        assert vocabulary.count(pa.array(texts, pa.string()), Vocabulary(text, 1)).tolist() == whole.tolist()
    finally:
        vocabulary.BATCH_BYTES = before
    assert whole.tolist() == [1 + len((one or "").encode()) for one in texts]
    assert vocabulary.bound(pa.array(texts, pa.string()), Vocabulary(text, 1)).tolist() == whole.tolist()


BYTES = {"type": "ByteLevel", "add_prefix_space": False}
BOUNDS = {
    "bytes": (None, BYTES, 10),
    "composed": ({"type": "NFC"}, BYTES, 28),
    "cut first": (None, {"type": "Sequence", "pretokenizers": [{"type": "Split"}, BYTES]}, 10),
    "a space in front": (None, {"type": "ByteLevel", "add_prefix_space": True}, None),
    "text that may grow": ({"type": "NFKC"}, BYTES, None),
    "words": (None, {"type": "Whitespace"}, None),
    "nothing said": (None, None, None),
    "changed on the way": (None, {"type": "Sequence", "pretokenizers": [{"type": "Metaspace"}, BYTES]}, None),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_a_bound_is_told_only_of_tokenizers_of_bytes(case: str) -> None:
    normalizer, splitter, most = BOUNDS[case]
    words = Vocabulary(json.dumps({"normalizer": normalizer, "pre_tokenizer": splitter}), 1)
    assert vocabulary.bound(pa.array(["abc漢字", None]), words)[0] == (most or vocabulary.UNBOUNDED)


def test_composition_makes_three_bytes_of_one_at_most() -> None:
    texts = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert max(len(normalize("NFC", text).encode()) / len(text.encode()) for text in texts) == 3


WRONG = {
    "missing": (None, "cannot be read: No such file or directory"),
    "empty": (b"", "expected a tokenizer.json"),
    "no JSON": (b"<html>404</html>", "expected a tokenizer.json"),
    "other JSON": (b'{"vocab_size": 32000}', "expected a tokenizer.json"),
    "cut short": (b'{"version": "1.0", "model": {"type": "BPE", "vo', "expected a tokenizer.json"),
    "no UTF-8": (b"\xff\xfe{}", "cannot be read: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_no_tokenizer_is_refused_by_name(tmp_path: Path, case: str) -> None:
    content, problem = WRONG[case]
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        vocabulary.read(str(path))
    assert str(error.value).startswith(f"{path}: {problem}")


def test_a_folder_is_refused_with_what_to_name_instead(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a folder, not a file; name the tokenizer\.json in it"):
        vocabulary.read(str(tmp_path))
