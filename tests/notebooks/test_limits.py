"""Every kernel is weighed while nbval runs its notebook, and one that takes too much fails."""

import os
import subprocess
import sys
from pathlib import Path

import limits
import nbformat
from nbformat.v4 import new_code_cell, new_notebook

SOURCES = ["import time\nheld = bytearray(120 * 2**20)\ndel held", "time.sleep(1.5)"]


def nbval_notebook(folder: Path, sources: list[str]) -> None:
    cells = [new_code_cell(source, execution_count=number) for number, source in enumerate(sources, 1)]
    nbformat.write(new_notebook(cells=cells), folder / "toy.ipynb")


def nbval(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    nbval_notebook(folder, SOURCES)
    command = [sys.executable, "-m", "pytest", "-p", "limits", "--nbval", "--nbval-current-env", "toy.ipynb", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(Path(limits.__file__).parent)})


def test_a_kernel_within_its_limits_is_weighed_and_passes(tmp_path):
    ran = nbval(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (row,) = [line.split() for line in ran.stdout.splitlines() if line.startswith("toy.ipynb  ")]
    assert 150 < float(row[1]) < 400 and 1.5 <= float(row[2]) < 20  # 120 MiB that were given back again, and a bare kernel


def test_a_kernel_that_takes_too_much_fails_once_at_its_end_and_the_next_notebook_runs(tmp_path):
    (tmp_path / "next").mkdir()
    nbval_notebook(tmp_path / "next", ["x = 1"])
    ran = nbval(tmp_path, "--kernel-mebibytes=130", "--kernel-seconds=1", "next/toy.ipynb")
    assert ran.returncode == 1 and "3 passed, 1 error" in ran.stdout, ran.stdout + ran.stderr
    assert "MiB, more than 130; the kernel took" in ran.stdout and "s, more than 1" in ran.stdout


def test_waiting_for_a_processor_does_not_count_and_working_does():
    busy = limits.Kernel(began=0, peak=500, wall=120, queued=60)
    assert not busy.excess(1024, 90)
    assert limits.Kernel(began=0, peak=500, wall=120, queued=20).excess(1024, 90) == "the kernel took 100 s, more than 90"
