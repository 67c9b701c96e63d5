"""TRL's own preparation of a dataset (tokenize, mask, pack) with ``datasets.map``; prints seconds. Needs trl only.

python -m benchmarks.trl_tokens MODEL ROWS.jsonl MAX_TOKENS PROCESSES
"""

import json
import resource
import sys
import tempfile
import time


def main(model: str, rows: str, max_tokens: int, processes: int) -> None:
    """Print wall seconds, CPU seconds, and packs."""
    import datasets
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    datasets.disable_caching()
    datasets.disable_progress_bars()
    with open(rows, encoding="utf-8") as file:
        data = Dataset.from_list([json.loads(line) for line in file])
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            assistant_only_loss=True,
            packing=True,
            max_length=max_tokens,
            dataset_num_proc=processes or None,
            use_cpu=True,
            bf16=False,
            report_to="none",
        )
        trainer = SFTTrainer(model=model, args=config, train_dataset=data.select(range(64)))
        before, start = cpu_seconds(), time.perf_counter()
        packed = trainer._prepare_dataset(data, trainer.processing_class, config, True, None, "train")
        print(time.perf_counter() - start, cpu_seconds() - before, len(packed))


def cpu_seconds() -> float:
    """CPU seconds of this process and of its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
