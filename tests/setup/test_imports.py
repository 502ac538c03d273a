"""Importing the library costs nothing, and the floors of the house know only those below them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["torch", "e3nn", "matplotlib", "nglview", "ipywidgets", "scipy", "pandas", "sklearn", "ase"]


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_course_lib_imports_neither_torch_nor_a_viewer():
    loaded = python("import course_lib, sys; print(*sys.modules)").split()
    assert "course_lib" in loaded
    assert not set(HEAVY) & set(loaded)


def test_importing_course_lib_takes_less_than_a_fifth_of_a_second():
    clock = "import time; start = time.perf_counter(); import course_lib; print(time.perf_counter() - start)"
    assert min(float(python(clock)) for _ in range(5)) < 0.2


# A house of empty rooms, and every way in which one may not know another.
ROOMS = ["structures", "symmetry", "learning", "show", "polynomials", "kernels", "scattering", "point_clouds", "equivariant",
         "survey", "exercises"]
FORBIDDEN = [
    ("structures", "course_lib.symmetry"),
    ("structures", "course_lib.learning"),
    ("symmetry", "course_lib.learning"),
    ("symmetry", "matplotlib"),
    ("learning", "course_lib.show"),
    ("learning", "course_lib.kernels"),
    ("learning", "course_lib.exercises"),
    ("kernels", "course_lib.equivariant"),
    ("kernels", "course_lib.show"),
    ("point_clouds", "course_lib.kernels"),
    ("point_clouds", "matplotlib"),
    ("kernels", "course_lib.survey"),
    ("survey", "course_lib.exercises"),
    ("show", "course_lib.learning"),
    ("show", "torch"),
    ("show", "course_lib.kernels"),
]
ALLOWED = [
    ("symmetry", "course_lib.structures"),
    ("learning", "course_lib.structures"),
    ("learning", "torch"),
    ("kernels", "course_lib.learning"),
    ("point_clouds", "course_lib.learning"),
    ("survey", "course_lib.kernels"),
    ("show", "course_lib.symmetry"),
    ("show", "matplotlib"),
    ("exercises", "course_lib.show"),
    ("exercises", "course_lib.learning"),
]


def lint(folder: Path, root: Path, room: str, module: str) -> subprocess.CompletedProcess[str]:
    """Check a house in which one room imports one module."""
    shutil.copy(root / "pyproject.toml", folder)
    for name in ["", *ROOMS]:
        (folder / "course_lib" / name).mkdir()
        (folder / "course_lib" / name / "__init__.py").touch()
    (folder / "course_lib" / room / "model.py").write_text(f"import {module}\n")
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(("room", "module"), FORBIDDEN)
def test_a_room_that_knows_what_it_may_not_breaks_a_contract(tmp_path, root, room, module):
    checked = lint(tmp_path, root, room, module)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert re.search(rf"course_lib\.{room}\.model -> {module}\b", checked.stdout), checked.stdout


@pytest.mark.parametrize(("room", "module"), ALLOWED)
def test_a_room_may_know_what_stands_below_it(tmp_path, root, room, module):
    checked = lint(tmp_path, root, room, module)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_room_stands_in_the_contracts(root):
    """A new room that no contract names would be free to import anything."""
    contracts = (root / "pyproject.toml").read_text().split("[tool.importlinter]")[1]
    rooms = [folder.parent.name for folder in (root / "course_lib").glob("*/__init__.py")]
    assert [room for room in rooms if not re.search(rf"\b{room}\b", contracts)] == []
