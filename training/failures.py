"""What a failure inside torch, DeepSpeed or the machine means to a user: one line, and the exit code."""

import errno
import re

_CAUSES = (
    (
        r"No space left on device|Disk quota exceeded|File too large|PytorchStreamWriter|file write failed"
        r"|iostream error|unexpected pos",
        "could not write: the disk is full, or a quota or file size limit is reached. Checkpoints written before are "
        "whole; free some space and run the same command again",
    ),
    (
        r"OutOfMemoryError|out of memory|CUBLAS_STATUS_ALLOC_FAILED|DefaultCPUAllocator|MemoryError",
        "out of memory: `winnow train --check` tells what would fit. Smaller schedule.per_device_batch or "
        "data.max_tokens, speed.activation_checkpointing, a higher zero.stage, or zero.offload: cpu",
    ),
    (
        r"NVIDIA driver|no kernel image|CUDA driver version|not compiled with CUDA|CUDA unknown error|No CUDA GPUs",
        "PyTorch and this machine's GPU driver do not go together: install a torch built for this driver's CUDA "
        "(`nvidia-smi` shows it), or set launch.gpus_per_node=0 to use the CPU",
    ),
    (
        r"invalid device ordinal|Duplicate GPU detected",
        "expected every rank to see all launch.gpus_per_node GPUs of its node, found another number: leave out what "
        "binds GPUs to tasks (--gpus-per-task, --gpu-bind, CUDA_VISIBLE_DEVICES)",
    ),
    (
        r"Connection closed by peer|Connection reset by peer|NCCL|ncclRemote|gloo|Timed out waiting|DistBackendError"
        r"|Broken pipe",
        "another rank is gone, or did not answer in time; its own message says why",
    ),
    (
        r"ZeRORuntimeException|world size",
        "the checkpoint does not fit this number of ranks; use as many as wrote it",
    ),
)


def explain(error: BaseException) -> tuple[str, int]:
    """The line for a user and the exit code. A failure nobody foresaw keeps its own first line and code 1."""
    code = getattr(error, "exit_code", None)
    if code is not None:
        return str(error), int(code)
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        text = f"No space left on device: {text}"
    for pattern, advice in _CAUSES:
        if re.search(pattern, text):
            return f"{advice} ({_first_line(text)})", 1
    return f"{_first_line(text)} (WINNOW_DEBUG=1 shows the stack trace)", 1


def _first_line(text: str) -> str:
    """One line; with those behind it where it only announces them."""
    first, _, rest = text.strip().partition("\n")
    return " ".join([first, *rest.split()] if first.endswith(":") else [first])[:300]
