"""A base model and an adapter on it, small and with random weights, written as the training job writes them."""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from conf import recipe
from conf.training import Training
from training import job, manifest
from training.chat import shipped_template


def make_base(folder: Path, seed: int = 0) -> Path:
    """A Llama of two layers, its tokenizer of single letters and a few words, with ChatML's tokens."""
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=512, **sizes)).save_pretrained(
        folder
    )
    return folder


def make_adapter(base: Path, folder: Path) -> Path:
    """An adapter on that base that changes its answers, with its manifest."""
    model = get_peft_model(
        LlamaForCausalLM.from_pretrained(base),
        LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", base_model_name_or_path=str(base)),
    )
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base)
    tokenizer.chat_template = shipped_template("chatml").text
    tokenizer.save_pretrained(folder)
    settings = recipe.load("smoke", tree=Training).model_dump()
    dataset = job.Dataset("lake", "table", 0, "pin", "1-00", 1)
    run = job.Job(dataset, job.base_model(str(base)), settings, "", {}, {}, 1)
    manifest.write(folder, manifest.describe(run, {"train_loss": 1.0}, "chatml", {"device": "cpu"}), [(1, 1.0)], [])
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    # Plain letters only, so that what random weights say is text.
    alphabet = ["Ġ", "Ċ", *(letter for letter in pre_tokenizers.ByteLevel.alphabet() if letter.isascii())]
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(["hello world, how are you today"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", pad_token="</s>", additional_special_tokens=special[2:]
    )
