"""Processor seconds of each method beside its peer, in one process, one thread, alternating: fair on a busy machine."""

from collections.abc import Callable
from time import process_time

import numpy as np
import torch

torch.set_num_threads(1)


def compare(title: str, calls: dict[str, Callable[[], object]], *, reference: str, rounds: int = 15) -> None:
    """Print the median milliseconds of every call, and how many times faster than `reference` it is."""
    for call in calls.values():
        call()
    seconds = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = process_time()
            call()
            seconds[name].append(process_time() - start)
    median = {name: np.median(times) for name, times in seconds.items()}
    print(f"\n{title}")
    for name, time in median.items():
        print(f"  {name:38s} {1000 * time:9.2f} ms   {median[reference] / time:6.1f} × {reference}")


def fastest(call: Callable[[], object], rounds: int = 25) -> float:
    """Least processor seconds of one call: what it costs when nobody disturbs."""
    call()
    times = []
    for _ in range(rounds):
        start = process_time()
        call()
        times.append(process_time() - start)
    return min(times)
