"""What a network costs: numbers that it learns, multiply-adds, seconds."""

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

# Where there is a CUDA compiler but no GPU, importing Timer warns of that, and nobody has asked.
logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)


def count_parameters(network: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(p.numel() for p in network.parameters())


def count_multiply_adds(work: Callable[[Tensor], Any], inputs: Tensor) -> int:
    """Multiply-adds of `work(inputs)`, of a network or a whole step, for one of the `inputs`."""
    with FlopCounterMode(display=False) as counter:
        work(inputs)
    return counter.get_total_flops() // 2 // len(inputs)


def seconds_of(work: Callable[[], Any], repeats: int = 1) -> float:
    """Seconds a call, the mean over `repeats` calls, after two that warm up."""
    from torch.utils.benchmark import Timer  # here, because only who measures waits for it

    threads = torch.get_num_threads()  # Timer would take one
    return Timer("work()", globals={"work": work}, num_threads=threads).timeit(repeats).mean
