"""TRL's SFTTrainer on the rows of ``benchmarks.train_loop``; prints useful tokens a second. Needs trl, and not Winnow.

python -m benchmarks.trl_run packed|unpacked MODEL ROWS.jsonl
"""

import json
import sys
import time
from typing import Any

MAX_TOKENS = 512
BATCH = 4
STEPS = 16
UNPACKED_BATCH = 16
"""Rows a step where they are not packed: about the tokens of ``BATCH`` packs, padding included."""


def main(mode: str, model: str, rows: str) -> None:
    """Train ``STEPS`` steps."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    packed = mode == "packed"
    with open(rows, encoding="utf-8") as file:
        data = Dataset.from_list([json.loads(line) for line in file])
    config = SFTConfig(
        output_dir="/tmp/trl_run",
        max_steps=STEPS,
        per_device_train_batch_size=BATCH if packed else UNPACKED_BATCH,
        assistant_only_loss=True,
        packing=packed,
        max_length=MAX_TOKENS,
        use_cpu=True,
        bf16=False,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        dataloader_pin_memory=False,
        gradient_checkpointing=False,
        learning_rate=5e-3,
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        model=model,
        args=config,
        train_dataset=data,
        peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    seen: list[tuple[float, int]] = []

    def count(module: Any, args: Any, inputs: dict[str, Any]) -> None:
        mask = inputs.get("attention_mask")
        seen.append((time.monotonic(), int(mask.sum() if mask is not None else inputs["input_ids"].numel())))

    class End(TrainerCallback):
        def on_train_end(self, *args: Any, **kwargs: Any) -> None:
            seen.append((time.monotonic(), 0))

    trainer.model.register_forward_pre_hook(count, with_kwargs=True)
    trainer.add_callback(End())
    trainer.train()
    later = seen[3:]
    first = {"mode": mode, "steps": len(seen) - 1, "dtype": str(next(trainer.model.parameters()).dtype)}
    batch = next(iter(trainer.get_train_dataloader()))
    print(first, {name: tuple(getattr(part, "shape", ())) for name, part in batch.items()})
    assert torch.get_num_threads() == 1
    print(sum(tokens for _, tokens in later) / (later[-1][0] - later[0][0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
