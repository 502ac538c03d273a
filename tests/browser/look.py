"""See a notebook as its reader does: screenshots of every output and of the whole page into screenshots/.

    python tests/browser/look.py notebooks/01_functions_with_symmetry.ipynb [--stored]

Runs the notebook first, on a copy; --stored shows it as it is in the file, without running it.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import lab


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--stored", action="store_true", help="do not run it: show the stored outputs")
    parser.add_argument("--folder", type=Path, default=lab.SCREENSHOTS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        work = Path(home, "notebooks")
        work.mkdir()
        for notebook in chosen.notebooks:
            shutil.copy(notebook, work)
        with lab.jupyterlab(work, Path(home)) as address, lab.browser() as running:
            for notebook in chosen.notebooks:
                with lab.opened(running, address, notebook.name) as shown:
                    if not chosen.stored:
                        shown.run_all()
                    for path in shown.cells(chosen.folder) + shown.pages(chosen.folder):
                        print(path)
                    print(*shown.complaints(), sep="\n")


if __name__ == "__main__":
    main()
