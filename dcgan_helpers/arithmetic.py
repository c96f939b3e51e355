"""Which arithmetic a device is fast at, and the Accelerator that runs it."""

import time
from collections.abc import Callable

import torch
from accelerate import Accelerator, DataLoaderConfiguration, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, parse_flag_from_env

from . import InputError
from .hyperparameters import Precision
from .networks import Discriminator


def this_process() -> PartialState:
    """Accelerate's view of this process: its device, and which of how many it is."""
    # `accelerate launch --cpu` sets the variable; PartialState does not read it by itself.
    return PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))


def make_accelerator(precision: str) -> Accelerator:
    """An Accelerator for `fp32`, `bf16` or `fp16`."""
    # Accelerate keeps the first precision of a process for good, but a notebook may train
    # twice with two precisions.
    AcceleratorState._reset_state()
    return Accelerator(
        mixed_precision="no" if precision == "fp32" else precision,
        # batch_size is the whole batch, however many processes share it.
        dataloader_config=DataLoaderConfiguration(split_batches=True),
        # Broadcasting batch-norm buffers between the discriminator's two forwards would
        # change them in place before the backward.
        kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False)],
    )


def memory_format(precision: str, device: torch.device) -> torch.memory_format:
    """The layout of images that kernels are fast in: channels-last on a CPU, and for 16 bits."""
    is_fast = device.type == "cpu" or precision != "fp32"
    return torch.channels_last if is_fast else torch.contiguous_format


def choose_precision(
    precision: Precision, device: torch.device, report: Callable[[str], None] | None = None
) -> Precision:
    """`precision`, or for `auto` the one that suits `device`; `report` is told the reason.

    On a CPU bf16 pays only where the processor has instructions for it, so a small
    discriminator is timed both ways. On CUDA it is taken where the GPU has it.
    """
    if precision == "fp16" and device.type == "cpu":
        raise InputError("precision is 'fp16'; expected bf16 or fp32 on a CPU, or a GPU")
    if precision != "auto":
        return precision
    if device.type == "cuda":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
        reason = f"what this {device.type} device supports"
    elif device.type == "cpu":
        gain = _gain_of_bf16()
        precision = "bf16" if gain > 1.1 else "fp32"
        reason = f"bf16 with channels-last is {gain:.1f} times as fast as fp32 here"
    else:
        precision, reason = "fp32", f"the safe choice on {device.type}"
    if report:
        report(f"precision: {precision} ({reason})")
    return precision


def _gain_of_bf16() -> float:
    """How many times as fast the CPU takes a small discriminator forward and backward in bf16."""
    with torch.random.fork_rng(devices=[]):
        network, images = Discriminator(features=16), torch.randn(32, 1, 64, 64)
    network.to(memory_format=torch.channels_last)
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(8):  # in turns, so that another program's load meets both
        for is_bf16, taken in times.items():
            start = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
                network(images).sum().backward()
            taken.append(time.perf_counter() - start)
    return min(times[False]) / min(times[True])
