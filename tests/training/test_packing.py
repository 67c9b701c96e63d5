"""Packs are full, complete and the same everywhere, and their rows do not see each other."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

from training.packing import NO_LOSS, PackedRows, best_fit, collate

ROOM = 64


@dataclass
class Rows:
    """Token rows in memory, read as a Split is."""

    tokens: list[np.ndarray]

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(row) for row in self.tokens], np.int32)

    def row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        tokens = self.tokens[index]
        return tokens, np.arange(len(tokens)) >= len(tokens) // 2


def rows_of(lengths: list[int], seed: int = 0) -> Rows:
    random = np.random.default_rng(seed)
    return Rows([random.integers(5, 500, length).astype(np.int32) for length in lengths])


def plain_best_fit(lengths: list[int], room: int) -> list[list[int]]:
    """Best-fit decreasing, written out: among packs with room, the fullest; of those, the last one touched."""
    packs: list[tuple[int, int, list[int]]] = []  # room left, when touched, rows
    for clock, row in enumerate(sorted(range(len(lengths)), key=lambda n: -lengths[n])):
        able = [pack for pack in packs if pack[0] >= lengths[row]]
        found = min(able, key=lambda pack: (pack[0], -pack[1])) if able else (room, 0, [])
        if able:
            packs.remove(found)
        packs.append((found[0] - lengths[row], clock, [*found[2], row]))
    return sorted(sorted(pack[2]) for pack in packs)


LENGTHS = st.lists(st.integers(1, ROOM), min_size=1, max_size=60)


@settings(max_examples=200)
@given(lengths=LENGTHS, room=st.sampled_from([64, 65, 127, 128, 1000]))
def test_packs_are_those_of_best_fit_decreasing(lengths, room):
    array = np.array(lengths, np.int64)
    packs = best_fit(array, np.argsort(-array, kind="stable"), room)
    found = sorted(np.flatnonzero(packs == pack).tolist() for pack in range(packs.max() + 1))
    assert found == plain_best_fit(lengths, room)


@settings(max_examples=50)
@given(lengths=LENGTHS)
def test_every_row_is_in_one_pack_whole_and_no_pack_overflows(lengths):
    packed = PackedRows(rows_of(lengths), ROOM)  # type: ignore[arg-type]
    seen = [row for index in range(len(packed)) for row in packed.rows(index).tolist()]
    assert sorted(seen) == list(range(len(lengths)))
    assert packed.sizes.max() <= ROOM
    assert packed.sizes.sum() == sum(lengths)
    assert len(packed) <= math.ceil(11 / 9 * sum(lengths) / ROOM + len(lengths) / 2) + 1
    assert packed.fill == pytest.approx(sum(lengths) / (len(packed) * ROOM))


def test_short_rows_fill_packs_to_over_99_percent():
    lengths = np.random.default_rng(1).lognormal(3, 0.8, 20_000).clip(1, 256).astype(int).tolist()
    assert PackedRows(rows_of(lengths), 256).fill > 0.99  # type: ignore[arg-type]


def test_a_pack_holds_its_rows_tokens_labels_and_restarting_positions():
    rows = rows_of([10, 20, 30])
    packed = PackedRows(rows, ROOM)  # type: ignore[arg-type]
    assert len(packed) == 1
    pack = packed[0]
    assert pack["input_ids"].tolist() == np.concatenate(rows.tokens).tolist()
    assert pack["position_ids"].tolist() == [*range(10), *range(20), *range(30)]
    labelled = [*range(5, 10), *range(20, 30), *range(45, 60)]
    assert np.flatnonzero(pack["labels"] != NO_LOSS).tolist() == labelled
    assert (pack["labels"][labelled] == pack["input_ids"][labelled]).all()


def test_the_first_token_of_a_row_is_not_learned_from_the_row_before():
    rows = Rows([np.array([7], np.int32), np.array([8], np.int32)])
    assert PackedRows(rows, ROOM)[0]["labels"].tolist() == [NO_LOSS, NO_LOSS]  # type: ignore[arg-type]


def test_without_packing_every_row_is_its_own_in_order():
    packed = PackedRows(rows_of([10, 20, 30]), ROOM, packing=False)  # type: ignore[arg-type]
    assert [len(packed[n]["input_ids"]) for n in range(len(packed))] == [10, 20, 30]


def test_a_row_longer_than_a_pack_is_an_error_not_a_loss():
    with pytest.raises(ValueError, match="rows of up to 65 tokens do not fit into packs of 64"):
        PackedRows(rows_of([65]), ROOM)  # type: ignore[arg-type]


def test_no_rows_are_no_packs():
    packed = PackedRows(rows_of([]), ROOM)  # type: ignore[arg-type]
    assert (len(packed), packed.fill) == (0, 0.0)


def model(architecture: type, attention: str) -> torch.nn.Module:
    torch.manual_seed(0)
    config = architecture(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        dtype="float32",
    )
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()


def logits(network: torch.nn.Module, **inputs: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(**inputs, use_cache=False).logits  # type: ignore[no-any-return]


BATCHES = {
    "one_pack": [[9, 21, 34]],
    "two_packs_padded": [[9, 21, 34], [3, 17, 5]],
    "a_pack_and_a_row_alone": [[9, 21, 34], [31]],
    "rows_alone": [[31], [64], [2]],
}


@pytest.mark.parametrize("lengths", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("architecture", [LlamaConfig, MistralConfig], ids=["llama", "mistral"])
def test_logits_of_packed_rows_equal_those_of_the_rows_alone(architecture, attention, lengths):
    network = model(architecture, attention)
    packs = [PackedRows(rows_of(pack, seed), ROOM) for seed, pack in enumerate(lengths)]  # type: ignore[arg-type]
    assert all(len(pack) == 1 for pack in packs)
    for flatten in (False, True):
        batch = collate([pack[0] for pack in packs], flatten)
        assert "attention_mask" not in batch
        assert batch["labels"].shape == batch["input_ids"].shape == batch["position_ids"].shape
        inputs = {name: batch[name] for name in ("input_ids", "position_ids")}
        found = logits(network, **inputs).reshape(-1, 512)
        width = batch["input_ids"].shape[1]
        starts = np.cumsum([0, *(sum(pack) for pack in lengths)]) if flatten else np.arange(len(lengths)) * width
        for pack, start in zip(packs, starts, strict=False):
            alone = [logits(network, input_ids=torch.tensor(row[None]).long())[0] for row in pack.split.tokens]  # type: ignore[attr-defined]
            expected = torch.cat(alone)
            torch.testing.assert_close(found[start : start + len(expected)], expected, atol=2e-5, rtol=0)


def test_a_mask_of_ones_would_join_the_rows_of_a_pack():
    network = model(LlamaConfig, "sdpa")
    batch = collate([PackedRows(rows_of([9, 21, 34]), ROOM)[0]])  # type: ignore[arg-type]
    inputs = {name: batch[name] for name in ("input_ids", "position_ids")}
    joined = logits(network, **inputs, attention_mask=torch.ones_like(batch["input_ids"]))
    assert (joined - logits(network, **inputs)).abs().max() > 0.01


def test_padding_has_no_label_and_flattening_has_no_padding():
    packs = [PackedRows(rows_of([n]), ROOM)[0] for n in (5, 9)]  # type: ignore[arg-type]
    padded, flat = collate(packs), collate(packs, flatten=True)
    assert padded["input_ids"].shape == (2, 9)
    assert (padded["labels"][0, 5:] == NO_LOSS).all()
    assert flat["input_ids"].shape == (1, 14)
    assert flat["cu_seq_lens_q"].tolist() == flat["cu_seq_lens_k"].tolist() == [0, 5, 14]
    assert flat["cu_seq_lens_q"].dtype == torch.int32
    assert (flat["max_length_q"], flat["max_length_k"]) == (9, 9)
