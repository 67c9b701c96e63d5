"""The estimate of memory agrees with what autograd really keeps, and each ZeRO stage divides what it should."""

from contextlib import nullcontext

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

from conf.training import Lora
from training.lora import add_lora
from training.memory import Load, Shape, activations, layer_bytes, per_gpu

TOKENS, LAYERS = 256, 3
SIZES = {"grouped_keys": (256, 2, 512), "all_keys": (256, 8, 704)}


def saved_bytes(architecture: type, size: tuple[int, int, int], dtype: torch.dtype, autocast: bool) -> int:
    """Bytes of the tensors that a forward pass through the layers keeps for the backward pass, weights left out."""
    hidden, keys, mlp = size
    config = architecture(
        vocab_size=100,
        hidden_size=hidden,
        intermediate_size=mlp,
        num_hidden_layers=LAYERS,
        num_attention_heads=8,
        num_key_value_heads=keys,
    )
    model = add_lora(AutoModelForCausalLM.from_config(config).to(dtype), Lora(r=1)).train()
    if not autocast:
        model = model.to(dtype)  # as DeepSpeed does with bf16
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage
        return tensor

    context = torch.autocast("cpu", torch.bfloat16) if autocast else nullcontext()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), context:
        model.model.model(input_ids=torch.zeros((2, TOKENS // 2), dtype=torch.long), use_cache=False)
    return sum(storage.nbytes() for storage in kept.values())


WAYS = {
    "float32": (torch.float32, False, 4, 0),
    "bf16_in_deepspeed": (torch.bfloat16, False, 2, 2),
    "bf16_by_autocast": (torch.bfloat16, True, 2, 0),
}


@pytest.mark.parametrize(("dtype", "autocast", "compute", "stage"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("architecture", [LlamaConfig, MistralConfig], ids=["llama", "mistral"])
def test_activations_are_what_autograd_keeps_within_5_percent(architecture, size, dtype, autocast, compute, stage):
    hidden, keys, mlp = size
    shape = Shape(0, 0, hidden, keys * hidden // 8, mlp, LAYERS, 100)
    estimate = activations(shape, Load(TOKENS, compute=compute, checkpointing=False), stage)
    assert saved_bytes(architecture, size, dtype, autocast) == pytest.approx(estimate, rel=0.05)


MISTRAL_7B = Shape(7_241_732_096, 41_943_040, 4096, 1024, 14336, 32, 32000)


def test_zero_divides_optimizer_then_gradients_then_weights_among_gpus():
    parts = [per_gpu(MISTRAL_7B, Load(4096, gpus=8), stage) for stage in (1, 2, 3)]
    alone = per_gpu(MISTRAL_7B, Load(4096, gpus=1), 1)
    assert [one["optimizer"] * 8 for one in parts] == [alone["optimizer"]] * 3
    assert [one["gradients"] * 8 == alone["gradients"] for one in parts] == [False, True, True]
    assert [one["weights"] * 8 == alone["weights"] for one in parts] == [False, False, True]
    assert [one["gathered"] > 0 for one in parts] == [False, False, True]


def test_offload_takes_optimizer_and_in_stage_3_weights_off_the_gpu():
    assert per_gpu(MISTRAL_7B, Load(4096), 2, offload=True)["optimizer"] == 0
    assert per_gpu(MISTRAL_7B, Load(4096), 2, offload=True)["weights"] > 0
    assert per_gpu(MISTRAL_7B, Load(4096), 3, offload=True)["weights"] == 0


def test_a_7b_model_with_activation_checkpointing_needs_22_gb_and_without_46():
    with_it = sum(per_gpu(MISTRAL_7B, Load(4096), 2).values()) / 1e9
    without = sum(per_gpu(MISTRAL_7B, Load(4096, checkpointing=False), 2).values()) / 1e9
    assert (round(with_it), round(without)) == (22, 46)
    assert layer_bytes(MISTRAL_7B, 2, autocast=False) == 2 * (5 * 4096 + 2 * 1024 + 4 * 14336) + 8 * 4096
