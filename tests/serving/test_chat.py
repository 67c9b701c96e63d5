"""`winnow chat`, and what both ways to talk refuse."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, GenerationConfig

from tests.serving.adapters import make_base
from training.chat_model import Source, load
from training.errors import RunRefused, TrainingError


def winnow(*words: str | Path, said: str = "") -> subprocess.CompletedProcess[str]:
    """Run `winnow` with this standard input, a lone surrogate of which is a byte that is no UTF-8."""
    command = [sys.executable, "-m", "jobs.cli", *map(str, words)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    options: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape", "timeout": 600}
    return subprocess.run(command, input=said, capture_output=True, env=environment, **options)


def test_each_line_is_answered_and_a_cleared_chat_answers_as_at_first(adapter: Path) -> None:
    options = ("--temperature", "0", "--max-tokens", "8")
    chat = winnow("chat", "--adapter", adapter, *options, said="hello\n/clear\nhello\n/quit\nnever\n")
    answers = chat.stdout.splitlines()
    assert chat.returncode == 0, chat.stderr
    half = len(answers) // 2
    assert answers and answers[:half] == answers[half:]


def test_a_line_that_is_no_utf_8_is_answered_as_well_as_can_be(adapter: Path) -> None:
    options = ("--temperature", "0", "--max-tokens", "8")
    chats = [winnow("chat", "--adapter", adapter, *options, said=line) for line in ("\udcff b\n", "\ufffd b\n")]
    assert [chat.returncode for chat in chats] == [0, 0], chats[0].stderr
    assert chats[0].stdout == chats[1].stdout


def test_another_base_is_refused_by_both_digests(adapter: Path, tmp_path: Path) -> None:
    other = make_base(tmp_path / "other", seed=1)
    refused = winnow("chat", "--adapter", adapter, "--base", other)
    assert refused.returncode == 2
    assert "was trained on" in refused.stderr and refused.stderr.count("digest") == 2
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "tokenizer.json", "adapter_config.json"])
def test_a_changed_file_of_the_adapter_is_refused_by_name(adapter: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(adapter, tmp_path / "adapter"))
    (copy / name).write_bytes((copy / name).read_bytes()[:-1])
    with pytest.raises(TrainingError, match=name):
        load(Source(copy))


def test_a_base_that_moved_is_asked_for(adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match="nowhere"):
        load(Source(adapter, base=str(tmp_path / "nowhere")))


def test_an_answer_ends_with_the_token_the_template_ends_a_turn_with(adapter: Path) -> None:
    model, tokenizer = load(Source(adapter))
    assert model.generation_config.eos_token_id == tokenizer.convert_tokens_to_ids(["<|im_end|>", "</s>"])


def test_a_question_for_which_there_is_no_room_is_refused_and_the_chat_goes_on(adapter: Path) -> None:
    options = ("--temperature", "0", "--max-tokens", "4")
    chat = winnow("chat", "--adapter", adapter, *options, said="hello " * 600 + "\nhello\n")
    alone = winnow("chat", "--adapter", adapter, *options, said="hello\n")
    assert (chat.returncode, chat.stdout) == (0, alone.stdout)
    assert "expected fewer tokens than the model's 512, found" in chat.stderr and "/clear" in chat.stderr


def test_a_merged_model_ends_its_answers_with_the_token_of_the_template(adapter: Path, tmp_path: Path) -> None:
    merged = winnow("adapter", "merge", adapter, "--out", tmp_path / "merged")
    assert merged.returncode == 0, merged.stderr
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    ends = GenerationConfig.from_pretrained(tmp_path / "merged").eos_token_id
    assert ends == tokenizer.convert_tokens_to_ids(["<|im_end|>", "</s>"])


@pytest.mark.parametrize("device", ["nonsense", "cuda:99"])
def test_a_device_that_is_not_here_is_refused(adapter: Path, device: str) -> None:
    with pytest.raises(RunRefused, match=f"--device: expected cpu, cuda or cuda:N, found {device}"):
        load(Source(adapter, device=device))


@pytest.mark.parametrize("port", [-1, 70_000, None])
def test_a_port_that_cannot_be_had_is_refused_before_the_model_is_loaded(port: int | None, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        asked = taken.getsockname()[1] if port is None else port
        refused = winnow("serve", "--adapter", tmp_path / "none", "--port", str(asked))
    assert refused.returncode == 2 and f"found 127.0.0.1:{asked}: " in refused.stderr
    assert refused.stderr.count("\n") == 1
