"""Run notebooks from nothing and store their outputs so that equal runs give equal bytes.

    python tests/notebooks/store.py [notebook …]     # all of notebooks/ when none is named

Prints the seconds and the peak memory of each kernel. Stops at an error, a picture that is too large or a bare widget,
and then leaves the file as it was.
"""

import argparse
import os
import sys
from pathlib import Path
from time import perf_counter

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode
from rules import KERNELSPEC, WIDGET_VIEW, code_cells, is_small, outputs, stores_no_error

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CELL_SECONDS = 180
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python", "pygments_lexer": "ipython3",
            "nbconvert_exporter": "python", "version": f"{sys.version_info.major}.{sys.version_info.minor}",
            "codemirror_mode": {"name": "ipython", "version": 3}}


def peak_memory(pid: int) -> float:
    """Largest resident memory of a living process, MiB; nan where there is no /proc."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))


def run(notebook: NotebookNode, folder: Path) -> float:
    """Execute every cell in a clean kernel; returns the kernel's peak memory in MiB."""
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False,
                            coalesce_streams=True, resources={"metadata": {"path": str(folder)}})
    client.reset_execution_trackers()
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
        return peak_memory(client.km.provisioner.pid)


def normalise(notebook: NotebookNode) -> None:
    """Drop what differs between equal runs. Raises ValueError for a widget that has no still picture."""
    kept = {key: value for key, value in notebook.metadata.items() if key not in ("widgets", "language_info")}
    notebook.metadata = nbformat.from_dict({**kept, "kernelspec": KERNELSPEC, "language_info": LANGUAGE})
    for number, cell in code_cells(notebook):
        for key in ("execution", "collapsed", "scrolled", "ExecuteTime"):
            cell.metadata.pop(key, None)
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if output.get("data", {}).pop(WIDGET_VIEW, None) and "text/html" not in output.data:
                raise ValueError(f"cell {number} shows a bare widget, of which nothing is left in a stored notebook: "
                                 "use show.slider or show.view")
            if "transient" in output:
                del output["transient"]


def store(path: Path) -> str:
    """Run, normalise and write one notebook; returns a line about it. Raises ValueError for what must not be stored."""
    notebook = nbformat.read(path, as_version=4)
    began = perf_counter()
    try:
        peak = run(notebook, path.parent)
    except (CellExecutionError, CellTimeoutError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    seconds = perf_counter() - began
    normalise(notebook)
    if complaints := [*stores_no_error(notebook), *is_small(notebook)]:
        raise ValueError(f"{path.name}: " + "; ".join(complaints))
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    pictures = sum("image/png" in output.get("data", {}) for _, output in outputs(notebook))
    return f"{path.name:32} {seconds:6.1f} s {peak:6.0f} MiB {len(text.encode()) / 1e3:6.0f} kB {pictures:3} pictures"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every notebook of the course")
    for path in parser.parse_args().notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        try:
            print(store(path), flush=True)
        except (ValueError, OSError) as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
