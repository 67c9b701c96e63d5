"""A little tokenizer, trained on the spot."""

from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def write_tokenizer(path: Path) -> str:
    """A ``tokenizer.json`` whose tokens are the bytes of a text, with all that a file may say to count otherwise."""
    tokenizer = Tokenizer(models.BPE(dropout=0.5))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=len(alphabet), initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(["abc"], trainer)
    tokenizer.enable_truncation(7)
    tokenizer.enable_padding(length=5)
    tokenizer.save(str(path))
    return str(path)
