"""Which model answers? A base and the adapter trained on it, both as the manifest says, merged for speed.

Example:
    model, tokenizer = load(Source(Path("runs/first/adapter")))
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import RunRefused

TEMPERATURE, TOP_P, MAX_TOKENS = 0.7, 0.95, 512
"""How answers are drawn unless a request says otherwise; temperature 0 takes the likeliest token."""


@dataclass(frozen=True)
class Source:
    """An adapter's folder, the base's folder if it is no longer where it was trained on, and the device."""

    adapter: Path
    base: str | None = None
    device: str = "auto"

    @property
    def name(self) -> str:
        """What clients call the model: the adapter's folder, or the run's if that is just ``adapter``."""
        folder = self.adapter.resolve()
        return folder.parent.name if folder.name == "adapter" else folder.name


def load(source: Source) -> tuple[Any, Any]:
    """The model (transformers', the adapter merged into it) and its tokenizer, ready to generate.

    Raises TrainingError if a file of the adapter is not as it was written, RunRefused if the base is gone or another
    one, or there is no such device. Nothing is downloaded and no code that comes with a model is run.
    """
    import torch
    from transformers import AutoTokenizer

    from training import adapter
    from training.endings import stop_tokens

    device = source.device if source.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        line = str(error).splitlines()[0]
        raise RunRefused(
            f"--device: expected cpu, cuda or cuda:N, found {device}, which is not here: {line}"
        ) from error
    model = adapter.load(source.adapter, source.base).merge_and_unload().to(device)
    tokenizer = AutoTokenizer.from_pretrained(source.adapter, trust_remote_code=False, local_files_only=True)
    config = model.generation_config
    config.update(do_sample=True, temperature=TEMPERATURE, top_p=TOP_P, max_length=None)
    config.eos_token_id = stop_tokens(tokenizer)
    if not config.eos_token_id:
        raise RunRefused("the adapter's chat template ends a turn with no special token: answers would never stop")
    config.pad_token_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else config.eos_token_id[0]
    return model, tokenizer
