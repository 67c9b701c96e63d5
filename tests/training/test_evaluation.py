"""The loss on held-out rows is that of each of their tokens, once."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.training.runs import trained
from training import adapter, job
from training.evaluation import without_repeated
from training.meter import sized
from training.packing import NO_LOSS, PackedRows, collate
from training.tokens import open_prepared


def mean_by_hand(out: Path) -> tuple[int, float]:
    """How many packs a finished run held out, and the mean loss of its adapter over their tokens, pack by pack."""
    prepared = job.read(out)
    assert prepared is not None
    data = prepared.training().data
    packs = PackedRows(open_prepared(prepared.tokens).eval, data.max_tokens, data.packing)
    model = adapter.load(out / "adapter")
    losses = []
    for pack in packs:  # type: ignore[attr-defined]  # a sequence, as torch's Dataset is not
        batch = collate([pack])
        with torch.no_grad():
            logits = model(**batch | {"labels": None}, use_cache=False).logits
        losses.append(cross_entropy(logits[0, :-1], batch["labels"][0, 1:], reduction="none", ignore_index=NO_LOSS))
    all_losses = torch.cat(losses)
    return len(packs), all_losses.sum().item() / int((all_losses != 0).sum())


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_eval_loss_is_the_mean_over_all_tokens_whatever_the_ranks(
    ranks: int, chats: str, run: Path, tmp_path: Path
) -> None:
    one = ("launch.processes_per_node=1", "zero.stage=0", "schedule.max_steps=2")
    out = run if ranks == 2 else trained(chats, tmp_path / "one", *one)
    packs, expected = mean_by_hand(out)
    assert packs % (2 * ranks), "the last batches are full: nothing is repeated"
    told = json.loads((out / "adapter/manifest.json").read_text())["numbers"]["eval_loss"]
    assert told == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize(("new", "counted"), [(-1, []), (0, []), (1, [1, 1]), (2, [1, 1, 2]), (9, [1, 1, 2, 3])])
def test_repeated_packs_have_no_loss(flatten: bool, new: int, counted: list[int]) -> None:
    labels = ([NO_LOSS, 1, 1], [NO_LOSS, 2], [NO_LOSS, 3])
    packs = [
        {"input_ids": np.array(one), "labels": np.array(one), "position_ids": np.arange(len(one))} for one in labels
    ]
    found = without_repeated(sized(packs, flatten), new)["labels"]
    assert found[found != NO_LOSS].tolist() == counted
