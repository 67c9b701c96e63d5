"""Are real files of every format read whole? Needs ``WINNOW_REAL_DATA``, the folder with ``devpack.tar.xz``."""

import gzip
import io
import os
import tarfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from pyarrow import dataset

from conf.settings import Input
from jobs import formats
from jobs.refusals import WRONG_TYPE, Rejected

ROOT = os.environ.get("WINNOW_REAL_DATA", "")
PACK = Path(ROOT) / "devpack.tar.xz"
KINDS = ("mt_bench", "arena_hard", "smile", "alpaca", "model_outputs", "sharegpt", "hh_rlhf", "samantha_like", "dialog")

pytestmark = pytest.mark.skipif(
    not ROOT or not PACK.exists(), reason="no devpack.tar.xz in WINNOW_REAL_DATA; .ci/run sets it"
)

LLAMA = "sharegpt/hiyouga__LLaMA-Factory/data"
BENCH = "mt_bench/lightblue-tech__multilingual-mt-bench/fastchat/llm_judge/data"
EVAL = "model_outputs/tatsu-lab__alpaca_eval/results"
READ = {
    f"{BENCH}/de_mt_bench/model_answer/gpt-3.5-turbo.jsonl": ("mt_bench", 80),
    f"{BENCH}/ru_mt_bench/model_answer/gpt-3.5-turbo.jsonl": ("mt_bench", 50),
    "mt_bench/lm-sys__FastChat/fastchat/llm_judge/data/mt_bench/reference_answer/gpt-4.jsonl": ("mt_bench", 30),
    "arena_hard/lm-sys__arena-hard-auto/data/arena-hard-v0.1/model_answer/gpt-3.5-turbo-0125.jsonl": ("mt_bench", 500),
    "alpaca/teknium1__GPTeacher/Codegen/codegen-instruct.json": ("alpaca", 4535),
    "alpaca/teknium1__GPTeacher/Roleplay/roleplay-simple-deduped-roleplay-instruct.json": ("alpaca", 1923),
    f"{EVAL}/gpt4/model_outputs.json": ("alpaca", 805),
    f"{EVAL}/Snorkel-Mistral-PairRM-DPO/model_outputs.json": ("alpaca", 805),
    "sharegpt/lm-sys__FastChat/data/dummy_conversation.json": ("sharegpt", 500),
    f"{LLAMA}/dpo_en_demo.json": ("sharegpt", 600),
    f"{LLAMA}/glaive_toolcall_zh_demo.json": ("sharegpt", 300),
    f"{LLAMA}/kto_en_demo.json": ("messages", 300),
    f"{LLAMA}/v1_sft_demo.jsonl": ("messages", 500),
    f"{LLAMA}/alpaca_zh_demo.json": ("alpaca", 1000),
    "hh_rlhf/anthropics__hh-rlhf/harmless-base/test.jsonl.gz": ("hh_rlhf", 4624),
    "samantha_like/cognitivecomputations__SystemChat/jessica/samantha_conversations.jsonl": ("messages", 2),
    "dialog/thu-coai__CrossWOZ/data/crosswoz/val.json.zip": ("messages", 500),
}
"""File -> (its format, conversations in it), none refused."""

UNREADABLE = (f"{LLAMA}/reason_tool_use_demo_50.jsonl", f"{LLAMA}/v1_multimodal_demo.jsonl")
UNMATCHED = (
    "alpaca/LianjiaTech__BELLE/eval/eval_set.json",
    "alpaca/RUCAIBox__HaluEval/data/general_data.json",
    "alpaca/XueFuzhao__InstructionWild/data/seed_prompts_en.jsonl",
    "alpaca/tatsu-lab__stanford_alpaca/seed_tasks.jsonl",
    "arena_hard/lm-sys__arena-hard-auto/data/arena-hard-v0.1/question.jsonl",
    "dialog/google-research-datasets__Taskmaster/TM-4-2024/data/data_00.json",
    "dialog/google-research-datasets__dstc8-schema-guided-dialogue/dev/dialogues_001.json",
    "mt_bench/lm-sys__FastChat/fastchat/llm_judge/data/judge_prompts.jsonl",
    "mt_bench/lm-sys__FastChat/fastchat/llm_judge/data/mt_bench/question.jsonl",
    f"{LLAMA}/c4_demo.jsonl",
)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack's chat files, unpacked."""
    folder = tmp_path_factory.mktemp("pack")
    with tarfile.open(PACK, "r:xz") as archive:
        archive.extractall(folder, members=_wanted(archive), filter="data")
    return folder / "devpack" if (folder / "devpack").exists() else folder


def _wanted(archive: tarfile.TarFile):
    for member in archive:
        if any(f"/{kind}/" in f"/{member.name}" for kind in KINDS) and ".json" in member.name:
            yield member


def records(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zip":
        archive = zipfile.ZipFile(io.BytesIO(data))
        named = orjson.loads(archive.read(archive.namelist()[0]))
        return [{"id": name, **record} for name, record in named.items()]
    try:
        values = orjson.loads(data)
    except orjson.JSONDecodeError:
        values = [orjson.loads(line) for line in data.splitlines() if line.strip()]
    return [{"messages": value} if isinstance(value, list) else value for value in values]


def outcome(found: list[dict[str, Any]], path: Path) -> tuple[str, Counter[str]]:
    """The format detected in these records, and how many conversations and refusals they become."""
    form = formats.detect(found[:20])
    counts: Counter[str] = Counter()
    if form is None:
        return "", counts
    for record in found:
        try:
            counts["read"] += len(form.conversations(record, Input(), str(path)))
        except Rejected as refused:
            counts[refused.reason] += 1
    return form.NAME, counts


@pytest.mark.parametrize("name", READ)
def test_a_real_file_is_detected_and_read_whole(pack: Path, name: str):
    form, conversations = READ[name]
    assert outcome(records(pack / name), pack / name) == (form, {"read": conversations})


@pytest.mark.parametrize("name", UNREADABLE)
def test_real_messages_with_more_than_text_are_refused(pack: Path, name: str):
    found = records(pack / name)
    assert outcome(found, pack / name) == ("messages", {WRONG_TYPE: len(found)})


@pytest.mark.parametrize("name", UNMATCHED)
def test_a_real_file_without_conversations_is_of_no_format(pack: Path, name: str):
    assert formats.detect(records(pack / name)[:20]) is None


def test_every_smile_file_is_one_conversation_of_client_and_counselor(pack: Path):
    files = sorted((pack / "smile").rglob("*.json"))
    found = [{"messages": orjson.loads(path.read_bytes())} for path in files]
    assert len(files) > 300
    assert outcome(found, pack) == ("messages", {"read": len(files)})


def test_character_records_are_read_whole():
    path = Path(ROOT) / "character_records.jsonl"
    found = records(path)
    assert outcome(found, path) == ("messages", {"read": len(found)})


def test_the_corpus_is_read_whole_as_lmsys():
    found = dataset.dataset(Path(ROOT) / "corpus_10k" / "data").head(2_000).to_pylist()
    assert outcome(found, Path(ROOT)) == ("lmsys", {"read": len(found)})
