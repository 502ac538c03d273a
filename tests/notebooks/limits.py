"""Under `pytest --nbval`: the peak memory and the time of each notebook's kernel, in a table, and an error above the limits.

Nothing runs twice: the figures are of the run that compares outputs. Memory is the largest resident set. Time goes from its
start to the end of the last cell, less what the kernel's main thread had to wait for a processor that others held, where the
system says so (Linux), so that a busy machine does not fail a quick chapter. The budget of a chapter is 90 s, and the table
marks what exceeds it; the run fails at twice as much, since machines differ.
"""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psutil
import pytest
from store import peak_memory

BUDGET = 90  # seconds of a chapter


@dataclass
class Kernel:
    """Figures of one notebook's kernel so far: MiB, and seconds by the clock and in the queue for a processor."""

    began: float
    peak: float = 0.0
    wall: float = 0.0
    queued: float = 0.0

    @property
    def seconds(self) -> float:
        return self.wall - self.queued

    def look(self, pid: int) -> None:
        """Bring the figures up to date, while the process lives."""
        self.wall = perf_counter() - self.began
        if psutil.pid_exists(pid):
            peak = peak_memory(pid)
            self.peak = max(self.peak, peak if peak == peak else psutil.Process(pid).memory_info().rss / 2**20)
            schedule = Path(f"/proc/{pid}/schedstat")
            self.queued = int(schedule.read_text().split()[1]) / 1e9 if schedule.is_file() else 0.0

    def excess(self, mebibytes: float, seconds: float) -> str:
        """What it takes too much of, in words, or nothing."""
        return "; ".join(f"the kernel took {taken:.0f} {unit}, more than {limit:g}" for taken, limit, unit in
                         [(self.peak, mebibytes, "MiB"), (self.seconds, seconds, "s")] if taken > limit)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kernels", "what the kernel of a notebook may take")
    group.addoption("--kernel-mebibytes", type=float, default=1024, help="largest resident memory, MiB (1024)")
    group.addoption("--kernel-seconds", type=float, default=2 * BUDGET, help="from its start to the end of the last cell (180)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[KERNELS] = {}


KERNELS = pytest.StashKey[dict[str, Kernel]]()


def is_cell(item: pytest.Item) -> bool:
    return type(item).__name__ == "IPyNbCell"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if is_cell(item):
        item.config.stash[KERNELS].setdefault(item.parent.nodeid, Kernel(perf_counter()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Fails at the end of a notebook's last cell when its kernel took too much, and after everybody else has cleared up."""
    excess = ""
    if is_cell(item) and item.parent.kernel is not None:
        kernel = item.config.stash[KERNELS][item.parent.nodeid]
        kernel.look(item.parent.kernel.km.provisioner.pid)
        if nextitem is None or nextitem.parent is not item.parent:
            excess = kernel.excess(item.config.option.kernel_mebibytes, item.config.option.kernel_seconds)
    result = yield
    if excess:
        pytest.fail(f"{item.parent.name}: {excess}", pytrace=False)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if kernels := config.stash[KERNELS]:
        terminalreporter.write_line(f"{'notebook':42}{'peak MiB':>10}{'seconds':>10}{'queued':>10}")
        for name, kernel in kernels.items():
            terminalreporter.write_line(f"{Path(name).name:42}{kernel.peak:10.0f}{kernel.seconds:10.1f}{kernel.queued:10.1f}"
                                        + (f"  over the budget of {BUDGET} s" if kernel.seconds > BUDGET else ""))
