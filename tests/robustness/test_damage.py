"""A file that is cut short, damaged, or gone is told by its path and the cure, is left as it is, and takes no other along."""

import json
import re
import shutil

import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from safetensors.numpy import save

from course_lib import survey
from course_lib.learning import CompositionBaseline, checkpoints, pretrained
from course_lib.structures import datasets, load, load_images
from course_lib.structures.datasets import data_folder

HEADER = "data set,method,n,seed,energy MAE (meV),made by\n"
ROWS = ["methane_b3lyp,composition,2,0,12.5,here\n", "methane_b3lyp,composition,2,1,13.5,here\n"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(HEADER + "".join(ROWS), encoding="utf-8")
    return path


def test_a_table_cut_off_anywhere_in_its_last_line_is_refused_and_left(table):
    whole, words = table.read_bytes(), f"{re.escape(str(table))} is .*(line|line,) 3.* delete that line"
    for kept in range(1, len(ROWS[1])):
        cut_off = whole[:len(whole) - len(ROWS[1]) + kept]
        table.write_bytes(cut_off)
        with pytest.raises(ValueError, match=words):
            survey.read(table)
    with pytest.raises(ValueError, match=words):
        survey.run(["composition"], "methane_b3lyp", [2], [0, 1], table=table, progress=False)
    assert table.read_bytes() == cut_off
    table.write_bytes(whole[:len(whole) - len(ROWS[1])])
    assert len(survey.run(["composition"], "methane_b3lyp", [2], [0, 1], table=table, progress=False)) == 2
    assert survey.read(table)["energy MAE (meV)"][0] == 12.5


@pytest.mark.parametrize("line", ["\0" * 40, "????", "methane_b3lyp,composition,two,1,13.5,here",
                                  "methane_b3lyp,,2,1,13.5,here", "methane_b3lyp,composition,2,0.5,13.5,here"])
def test_a_line_of_rubbish_in_a_table_is_named(table, line):
    table.write_text(HEADER + ROWS[0] + line + "\n" + ROWS[1], encoding="utf-8")
    with pytest.raises(ValueError, match=f"{re.escape(str(table))} is damaged: line 3 .*delete that line"):
        survey.read(table)
    table.write_text(HEADER + "".join(ROWS), encoding="utf-8")
    assert survey.read(table).seed.tolist() == [0, 1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of data with two checkpoints, `good` and `bad`."""
    (tmp_path / "checkpoints").mkdir()
    atoms = Atoms("H2")
    atoms.calc = SinglePointCalculator(atoms, energy=-2.0)
    for name in ("good", "bad"):
        CompositionBaseline().fit([atoms]).save(tmp_path / f"checkpoints/{name}.safetensors", {"seed": 1})
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert list(checkpoints().index) == ["bad", "good"]
    return tmp_path


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def emptied(path):
    path.write_bytes(b"")


def other_notes(path):
    """As many letters as before, but no JSON any more."""
    path.write_bytes(path.read_bytes().replace(rb'"notes":"{\"', rb'"notes":"{\\'))


def of_another(path):
    path.write_bytes(save({}, metadata={"notes": "{seed"}))


@pytest.mark.parametrize("damage", [cut, emptied, other_notes, of_another])
def test_a_damaged_checkpoint_is_named_and_the_others_are_still_there(folder, damage):
    bad = folder / "checkpoints/bad.safetensors"
    whole = bad.read_bytes()
    damage(bad)
    assert bad.read_bytes() != whole
    for read in (lambda: pretrained("bad"), checkpoints):
        with pytest.raises(ValueError, match=rf"{re.escape(str(bad))} .*(copy or train it again|not written by course_lib)"):
            read()
    assert pretrained("good").predict([Atoms("H2")]).energies == pytest.approx(-2.0)


@pytest.mark.parametrize("name", datasets().index)
def test_every_shipped_set_that_is_cut_short_or_gone_is_told_with_the_cure(name, tmp_path, monkeypatch):
    source, read = data_folder(), load_images if name == "digits" else load
    file = json.loads((source / f"{name}.json").read_text(encoding="utf-8"))["file"]
    shutil.copy(source / f"{name}.json", tmp_path)
    content = (source / file).read_bytes()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"'{name}': .*{file} is missing.* again"):
        read(name)
    for rubbish in (b"", content[:len(content) // 2], content[:-1], content[:-1] + bytes([content[-1] ^ 1])):
        (tmp_path / file).write_bytes(rubbish)
        with pytest.raises(ValueError, match=f"'{name}': .*{file} is damaged.*`git checkout -- data`"):
            read(name)
        assert (tmp_path / file).read_bytes() == rubbish
    assert list(datasets().index) == [name]
