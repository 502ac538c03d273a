"""The repository works in a folder whose name has spaces and letters that are not English."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


@pytest.fixture(scope="module")
def copy(root, shipped, tmp_path_factory) -> Path:
    """What the commands below read."""
    folder = tmp_path_factory.mktemp("there") / "a folder with späces"
    for path in shipped:
        name = path.relative_to(root)
        if name.parts[0] in ("course_lib", "docs", "notebooks") or name.parts[:2] == ("tests", "notebooks") or (
                name.parts[0] == "data" and name.stem == "methane") or name.suffix == ".md":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / name)
    return folder


@pytest.fixture
def run(copy):
    def command(*words: str) -> str:
        ran = subprocess.run([sys.executable, *words], cwd=copy, capture_output=True, text=True,
                             env=os.environ | {"PYTHONPATH": str(copy)})
        assert ran.returncode == 0, ran.stderr[-2000:]
        return ran.stdout

    return command


def test_the_library_finds_its_data(run, copy):
    where = "import course_lib, course_lib.structures as s; print(course_lib.__file__, s.datasets().index.tolist())"
    assert run("-c", where).split(" [") == [str(copy / "course_lib/__init__.py"), "'methane']\n"]
    assert "CH4" in run("-m", "course_lib", "data", "methane")


def test_a_notebook_is_run_and_stored(run, copy):
    path = copy / "notebooks/99 späte Übung.ipynb"
    cells = [new_markdown_cell("# Ä"), new_code_cell("from course_lib.structures import load\nprint(load('methane'))")]
    nbformat.write(new_notebook(cells=cells), path)
    assert path.name in run("tests/notebooks/store.py", str(path))
    assert "Dataset methane" in nbformat.read(path, as_version=4).cells[1].outputs[0].text
    assert [other.name for other in path.parent.iterdir() if other.suffix != ".ipynb"] == []


def test_pages_of_the_book_and_slides_are_made(run, copy):
    pytest.importorskip("sphinx_revealjs")
    (chapter,) = copy.glob("notebooks/01_*.ipynb")
    run("docs/slides/build.py", str(chapter), "--folder", str(copy / "the slides"))
    assert "<section" in (copy / f"the slides/{chapter.stem}.html").read_text(encoding="utf-8")
    run("-c", "import sys; sys.path.insert(0, 'docs/book'); import build; from pathlib import Path;"
              "build.gather(Path('the book')); build.finish(Path('the book'))")
    assert "toctree" in (copy / "the book/index.md").read_text(encoding="utf-8")
