"""How much memory of one GPU will a run need, by component? An estimate from shapes, without a GPU.

With P parameters of the base, T trained ones, N GPUs, t tokens at once (``per_device_batch`` x ``max_tokens``):

====================  ==========================================================================================
weights               P x 2 bytes (bf16; 4 float32; 0.53 in 4 bits), / N in ZeRO 3, 0 there if offloaded; beside 4 bits
                      the tables of tokens have 2 bytes a parameter in DeepSpeed with bf16, else 4
adapter               T x 2 bytes in DeepSpeed with bf16, else T x 4; / N in ZeRO 3
gradients             T x 2 bytes in DeepSpeed with bf16, else T x 4; / N from ZeRO 2
optimizer             T x 12 bytes in DeepSpeed with bf16 (float32 copy, two moments), else T x 8; / N from ZeRO 1,
                      0 if offloaded
activations           t x layers x what one layer keeps for its backward pass; with activation checkpointing
                      t x layers x hidden, and one layer's share twice (kept and its gradients)
logits                t x vocabulary x 14 bytes (bf16, float32, their gradients); a 16th of it with liger
gathered              ZeRO 3 only: weights brought together for use, at most 1e9 parameters (DeepSpeed's default)
runtime               1.5 GB: CUDA context, kernels' workspaces, and 5 % of the rest for what the allocator wastes
====================  ==========================================================================================

One layer keeps, for a gated MLP with LoRA in every linear layer and attention that stores no scores: 5 hidden + 2 key
and value widths + 4 MLP widths in the computing type, and 2 hidden in float32 for the norms; 4 hidden more where
autocast computes in bf16 with a float32 adapter (stage 0). Measured on CPU by the tensors that autograd saves, for
Llama and Mistral: within 5 % of this (``tests/training/test_memory.py``). Peaks on a GPU were not measured.
"""

from dataclasses import dataclass

GB = 1e9
LAYER_HIDDEN, LAYER_KEYS, LAYER_MLP, LAYER_NORMS, LAYER_AUTOCAST = 5, 2, 4, 2, 4
LOGITS = 14.0
RUNTIME = 1.5 * GB
WASTE = 0.05
LIVE = 1e9


@dataclass(frozen=True)
class Shape:
    """What memory depends on in a model: parameters of the base, trained ones, widths, layers, vocabulary.

    ``tables`` are those of the base's parameters that are rows of tokens, read and written.
    """

    parameters: int
    trained: int
    hidden: int
    keys: int
    mlp: int
    layers: int
    vocabulary: int
    tables: int = 0


@dataclass(frozen=True)
class Load:
    """What memory depends on in a run. ``weight``, ``table`` and ``compute`` are bytes of a base weight, of one in the
    tables of tokens, and of an activation.
    """

    tokens: int
    gpus: int = 1
    weight: float = 2.0
    table: float = 2.0
    compute: int = 2
    checkpointing: bool = True
    liger: bool = False


def per_gpu(shape: Shape, load: Load, stage: int, offload: bool = False) -> dict[str, float]:
    """Bytes on one GPU by component, in the order and by the formulas of this module's docstring."""
    adapter = 2 if stage and load.compute == 2 else 4
    states = 12 if adapter == 2 else 8
    split = {threshold: load.gpus if stage >= threshold else 1 for threshold in (1, 2, 3)}
    weights = ((shape.parameters - shape.tables) * load.weight + shape.tables * load.table) / split[3]
    parts = {
        "weights": 0.0 if offload and stage == 3 else weights,
        "adapter": shape.trained * adapter / split[3],
        "gradients": shape.trained * adapter / split[2],
        "optimizer": 0.0 if offload else shape.trained * states / split[1],
        "activations": activations(shape, load, stage),
        "logits": load.tokens * shape.vocabulary * LOGITS / (16 if load.liger else 1),
        "gathered": min(shape.parameters, LIVE) * load.weight if stage == 3 and (load.gpus > 1 or offload) else 0.0,
    }
    parts["runtime"] = RUNTIME + WASTE * sum(parts.values())
    return parts


def activations(shape: Shape, load: Load, stage: int) -> float:
    """Bytes kept from the forward pass for the backward pass of one micro-batch, without the logits."""
    layer = layer_bytes(shape, load.compute, stage == 0)
    if load.checkpointing:
        return load.tokens * (shape.layers * shape.hidden * load.compute + 2 * layer)
    return load.tokens * shape.layers * layer


def layer_bytes(shape: Shape, compute: int, autocast: bool) -> float:
    """Bytes that one layer keeps for each token."""
    hidden = LAYER_HIDDEN + (LAYER_AUTOCAST if autocast and compute == 2 else 0)
    wide = hidden * shape.hidden + LAYER_KEYS * shape.keys + LAYER_MLP * shape.mlp
    return float(compute * wide + 4 * LAYER_NORMS * shape.hidden)
