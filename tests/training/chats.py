"""Tokenizers of the two families that chat models have, trained here, and what each template makes of an answer."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import PreTrainedTokenizerFast

from training.chat import SHIPPED, Messages
from training.tiny import SPECIAL

TEXTS = [
    "The cat sat on the mat, and the dog did not. What does the tokenizer do with the rows?",
    "Привет, как дела? 你好,世界。今日はいい天気ですね。 éàü ñ — “quotes” 🙂🚀",
    "def f(x):\n    return x + 1\n\nprint(f(2))\t# three",
] * 20

ANSWERS: dict[str, Callable[[str], str]] = {
    "zephyr": lambda text: f"{text}</s>",
    "chatml": lambda text: f"{text}<|im_end|>",
    "llama-3": lambda text: f"{text.strip()}<|eot_id|>",
    "mistral": lambda text: f" {text.strip()}</s>",
    "vicuna": lambda text: f" {text}</s>",
}
"""What is trained of an assistant's message, by template."""


def byte_level(special: list[str], trim_offsets: bool = True) -> Tokenizer:
    """As GPT-2, Llama 3 and Qwen have it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=special, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def metaspace(special: list[str]) -> Tokenizer:
    """As Llama 2 and Mistral have it: blanks are `▁`, and what is not in the vocabulary is spelled in bytes."""
    tokens = [*special, *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("\n", "isolated"), pre_tokenizers.Metaspace(prepend_scheme="never", split=True)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<unk>", *tokens], limit_alphabet=60, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    state = json.loads(tokenizer.to_str())  # a trainer's special tokens are found in texts, and bytes must not be
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    made = Tokenizer.from_str(json.dumps(state))
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return made


KINDS: dict[str, Callable[[list[str]], Tokenizer]] = {"byte_level": byte_level, "metaspace": metaspace}
EVERY = [(kind, template) for kind in KINDS for template in SHIPPED]


@cache
def tokenizer(kind: str, template: str) -> PreTrainedTokenizerFast:
    """A tokenizer of this kind with the tokens of this template; it has no chat template of its own."""
    special = ["<pad>", *SPECIAL[template]]
    return PreTrainedTokenizerFast(
        tokenizer_object=KINDS[kind](special), pad_token=special[0], bos_token=special[1], eos_token=special[2]
    )


def saved(folder: Path, kind: str, template: str, **changes: Any) -> str:
    """The tokenizer written to a folder; ``chat_template=...`` gives it a template of its own."""
    made = tokenizer(kind, template)
    made.chat_template = changes.get("chat_template")
    made.save_pretrained(folder)
    made.chat_template = None
    return str(folder)


def byte_text(made: PreTrainedTokenizerFast, ids: Any) -> bytes:
    """The bytes that these tokens stand for, token by token, without a decoder's own ideas about blanks."""
    from_byte_level = {character: byte for byte, character in _byte_characters().items()}
    out = b""
    for token in made.convert_ids_to_tokens(list(map(int, ids))):
        if token in made.all_special_tokens or token in made.get_added_vocab():
            out += token.encode()
        elif token.startswith("<0x") and len(token) == 6:
            out += bytes([int(token[3:5], 16)])
        elif all(character in from_byte_level for character in token) and _is_byte_level(made):
            out += bytes(from_byte_level[character] for character in token)
        else:
            out += token.replace("▁", " ").encode()
    return out


def conversation(*contents: str, system: str = "") -> Messages:
    """User and assistant in turn."""
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(contents)]
    return [{"role": "system", "content": system}, *messages] if system else messages


def _is_byte_level(made: PreTrainedTokenizerFast) -> bool:
    return isinstance(made.backend_tokenizer.pre_tokenizer, ByteLevel)


@cache
def _byte_characters() -> dict[int, str]:
    """GPT-2's character for each byte: printable ones stand for themselves, the others follow from U+0100."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
