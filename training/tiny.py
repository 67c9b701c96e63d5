"""A small model to try the whole path on: built here, offline, its tokenizer trained on the dataset."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from conf.training import Training
from training.chat import ChatTemplate, shipped_template
from training.corpus import Corpus
from training.errors import RunRefused

FORMAT = 1
"""Raised when the same dataset would give another model."""

TRAINED_ON = 20_000
"""Conversations that the tokenizer is trained on, at most: the first of the corpus."""

VOCABULARY = 4096
SPECIAL = {
    "zephyr": ("<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"),
    "chatml": ("<|im_start|>", "<|im_end|>"),
    "llama-3": ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
    "mistral": ("<s>", "</s>", "[INST]", "[/INST]"),
    "vicuna": ("<s>", "</s>"),
}
"""Tokens of each template; the first begins a text, the second ends a turn."""

SIZES = {
    "hidden_size": 128,
    "intermediate_size": 352,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
}
"""1.8 M parameters with VOCABULARY; grouped-query attention as the real ones have."""


def base_model(corpus: Corpus, settings: Training) -> str:
    """The folder of the run's base model; with ``base.tiny`` a small one is built there, if none is there yet.

    The same dataset and settings give the same files. Safe to call from several processes at once.
    Raises RunRefused if there is neither a model nor leave to build one.
    """
    base = settings.base
    if base.tiny == "off":
        if not base.model:
            raise RunRefused("no base model: set base.model to its folder, or base.tiny to build a small one.")
        return base.model
    name = "chatml" if base.template == "auto" else base.template
    key = _digest([FORMAT, corpus.digest, base.tiny, name, settings.schedule.seed])
    folder = Path(base.model or f"{settings.data.cache}/tiny/{base.tiny}-{key}").expanduser().absolute()
    if not (folder / "config.json").exists():
        _build(folder, corpus, base.tiny, shipped_template(name), settings.schedule.seed)
    return str(folder)


def _build(folder: Path, corpus: Corpus, architecture: str, template: ChatTemplate, seed: int) -> None:
    """Write tokenizer and model beside their place, then move them there."""
    new = folder.with_name(f"{folder.name}.new-{os.uname().nodename}-{os.getpid()}")
    try:
        new.mkdir(parents=True)
        tokenizer = _tokenizer(corpus, template)
        tokenizer.save_pretrained(new)
        _model(architecture, tokenizer, seed).save_pretrained(new)
        with suppress(OSError):  # another process was faster
            new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    if not (folder / "config.json").exists():
        raise RunRefused(f"{folder} is there and holds no model; set base.model to another folder.")


def _tokenizer(corpus: Corpus, template: ChatTemplate) -> Any:
    """A byte-level BPE tokenizer: every text can be written in it, whatever it was trained on."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ("<pad>", *SPECIAL[template.name])
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(_texts(corpus), trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=special[0],
        bos_token=special[1],
        eos_token=special[2],
        model_max_length=SIZES["max_position_embeddings"],
    )
    made.chat_template = template.text
    return made


def _texts(corpus: Corpus) -> Iterator[list[str]]:
    left = TRAINED_ON
    for batch in corpus.batches(["messages"]):
        messages = batch["messages"].slice(0, left).flatten()
        yield messages.field("content").to_pylist()
        left -= batch.num_rows
        if left <= 0:
            return


def _model(architecture: str, tokenizer: Any, seed: int) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

    config = {"llama": LlamaConfig, "mistral": MistralConfig}[architecture](
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
        dtype="float32",
        **SIZES,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AutoModelForCausalLM.from_config(config)


def _digest(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
