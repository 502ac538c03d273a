import importlib.util
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib.structures import Card, check_labels, check_structures, datasets, load

DATA = Path(__file__).resolve().parents[2] / "data"
CARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))}
NAMES = [name for name, card in CARDS.items() if "images" not in card["units"]]
# sets of which more than one frame comes from one run
TRAJECTORIES = ["crystal_environments", "ethanol", "ethanol_xtb", "hydronium", "methane", "methane_b3lyp", "water_tensors"]


@pytest.fixture(scope="session")
def sets():
    return {name: load(name) for name in NAMES}


@pytest.fixture
def methane_folder(tmp_path, monkeypatch):
    for path in DATA.glob("methane.*"):
        shutil.copy(path, tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return tmp_path


def all_frames(dataset):
    return dataset.train + dataset.validation + dataset.test


@pytest.mark.parametrize("name", NAMES)
def test_frames_are_sound_labelled_and_as_many_as_the_card_says(sets, name):
    dataset = sets[name]
    labels = [label for label in ("energy", "forces", "dipole", "stress") if label in dataset.card.units]
    check_structures(all_frames(dataset))
    check_labels(all_frames(dataset)[::10], labels)
    assert {part: len(getattr(dataset, part)) for part in dataset.card.frames} == dict(dataset.card.frames)
    assert all(part for part in (dataset.train, dataset.validation, dataset.test))


@pytest.mark.parametrize("name", NAMES)
def test_every_label_on_the_frames_has_its_unit_on_the_card(sets, name):
    atoms = sets[name].train[0]
    found = {*atoms.calc.results, "positions", *(f"info[{key!r}]" for key in set(atoms.info) - {"seed", "frame"}),
             *(f"arrays[{key!r}]" for key in set(atoms.arrays) - {"numbers", "positions"})}
    assert found == set(sets[name].card.units)


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_no_trajectory_is_in_two_splits(sets, name):
    owners = defaultdict(set)
    for part in ("train", "validation", "test"):
        for atoms in getattr(sets[name], part):
            owners[int(atoms.info["seed"])].add(part)
    assert all(len(parts) == 1 for parts in owners.values())
    frames = [(int(atoms.info["seed"]), int(atoms.info["frame"])) for atoms in all_frames(sets[name])]
    assert len(set(frames)) == len(frames)


def test_no_molecule_of_qm9_is_in_two_splits_and_none_is_large(sets):
    frames = all_frames(sets["qm9_small"])
    assert len({atoms.info["index"] for atoms in frames}) == len(frames) == 3921
    assert max((atoms.numbers > 1).sum() for atoms in frames) == 7
    assert set(np.concatenate([atoms.numbers for atoms in frames])) == {1, 6, 7, 8, 9}


def test_qm9_labels_are_the_published_ones_of_methane(sets):
    """Row dsgdb9nsd_000001 of the publication: U0 = −40.47893 hartree, free atoms −37.846772 and −0.500273."""
    methane = next(atoms for atoms in all_frames(sets["qm9_small"]) if atoms.info["index"] == 1)
    assert str(methane.symbols) == "CH4"
    assert methane.get_potential_energy() == pytest.approx((-40.47893 + 37.846772 + 4 * 0.500273) * 27.211386, abs=1e-5)
    assert methane.info["polarizability"] == 13.21 and methane.info["gap"] == pytest.approx(0.5048 * 27.211386, abs=1e-5)
    assert methane.info["dipole_norm"] == 0 and methane.get_distance(0, 1) == pytest.approx(1.0919, abs=1e-3)


def test_both_levels_of_methane_label_the_same_geometries(sets):
    coupled = {(atoms.info["seed"], atoms.info["frame"]): atoms for atoms in all_frames(sets["methane"])}
    for atoms in all_frames(sets["methane_b3lyp"])[::50]:
        np.testing.assert_array_equal(atoms.positions, coupled[atoms.info["seed"], atoms.info["frame"]].positions)


def test_xtb_labels_of_ethanol_are_those_of_its_trajectories(sets):
    source = {(atoms.info["seed"], atoms.info["frame"]): atoms for atoms in all_frames(sets["ethanol_xtb"])}
    for atoms in all_frames(sets["ethanol"])[::20]:
        twin = source[int(atoms.info["seed"]), int(atoms.info["frame"])]
        np.testing.assert_allclose(atoms.positions, twin.positions, atol=1e-6)
        assert atoms.info["energy_xtb"] == pytest.approx(twin.get_potential_energy(), abs=1e-6)
        np.testing.assert_allclose(atoms.arrays["forces_xtb"], twin.get_forces(), atol=1e-5)
        assert abs(atoms.get_forces() - twin.get_forces()).max() > 0.01


def net_force_and_torque(positions, forces):
    return abs(forces.sum(axis=0)).max(), abs(np.cross(positions - positions.mean(axis=0), forces).sum(axis=0)).max()


@pytest.mark.parametrize(("name", "torque"), [("ethanol", 0.02), ("ethanol_xtb", 1e-4), ("methane_b3lyp", 0.02)])
def test_net_force_and_net_torque_vanish(sets, name, torque):
    """Forces of a function without a preferred place or direction, as far as a DFT grid fixed in space has none (7 meV)."""
    for atoms in all_frames(sets[name])[::20]:
        force, turn = net_force_and_torque(atoms.positions, atoms.get_forces())
        assert force < 1e-5 and turn < torque
        force, turn = net_force_and_torque(atoms.positions, np.roll(atoms.get_forces(), 1, axis=0))
        assert turn > 5 * torque, "forces of other atoms must not pass"


def test_the_table_has_a_row_a_set():
    table = datasets()
    assert list(table.index) == list(CARDS)
    assert table.loc["qm9_small", ["train", "validation", "test"]].tolist() == [2500, 421, 1000]
    assert table.loc["ethanol_xtb", "method"] == "semi-empirical" and table.loc["ethanol", "method"] == "DFT"
    assert table["kB"].sum() < 20_000


def test_a_card_reads_on_paper_and_in_a_notebook(sets):
    card = sets["ethanol_xtb"].card
    assert isinstance(card, Card) and card.units["forces"].startswith("eV/Å")
    assert "not DFT" in repr(card) and "eV/Å" in repr(card)
    assert card._repr_html_().count("<tr>") == repr(card).count("\n") and "not DFT" in card._repr_html_()
    assert repr(sets["qm9_small"]) == ("Dataset qm9_small: QM9 molecules with at most seven heavy atoms "
                                       "(2500 train, 421 validation, 1000 test)")


def test_an_unknown_name_is_answered_with_the_nearest_and_all_others():
    with pytest.raises(ValueError, match=r"no data set is called 'ethanl'; did you mean 'ethanol'\?.*methane, .*qm9_small"):
        load("ethanl")
    with pytest.raises(ValueError, match=r"'zzz'; In .* there are"):
        load("zzz")
    with pytest.raises(ValueError, match="no data set"):
        load("../data/methane")


def test_a_missing_file_is_named_with_the_script_that_makes_it(methane_folder):
    (methane_folder / "methane.extxyz").unlink()
    with pytest.raises(FileNotFoundError, match=r"methane\.extxyz is missing.*data/generate/methane\.py"):
        load("methane")
    assert list(datasets().index) == ["methane"]


def test_one_changed_digit_is_noticed(methane_folder):
    load("methane")
    path = methane_folder / "methane.extxyz"
    text = path.read_text()
    path.write_text(text[:5000] + ("1" if text[5000] != "1" else "2") + text[5001:])
    with pytest.raises(ValueError, match=r"'methane'.*damaged or another version: its SHA-256 is"):
        load("methane")


@pytest.mark.parametrize(("text", "message"), [
    ("{", r"methane\.json is broken"), ("[]", r"methane\.json is broken"),
    ('{"title": "x", "colour": "red"}', r"methane\.json is broken: missing .*'sha256'.*unknown \['colour'\]")])
def test_a_broken_card_is_named(methane_folder, text, message):
    (methane_folder / "methane.json").write_text(text)
    for read_card in (lambda: load("methane"), datasets):
        with pytest.raises(ValueError, match=message):
            read_card()


def test_a_folder_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere; set COURSE_DATA"):
        load("methane")


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("publish", DATA / "generate/publish.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DATA", tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    card = json.loads((DATA / "methane.json").read_text(encoding="utf-8"))
    for key in ("frames", "file", "sha256"):
        card.pop(key)
    (tmp_path / "sample.json").write_text(json.dumps(card), encoding="utf-8")
    return module


@pytest.mark.parametrize("form", ["publish", "publish_archive"])
@pytest.mark.parametrize("with_forces", [True, False])
def test_what_is_published_is_what_is_loaded(publisher, form, with_forces):
    rng = np.random.default_rng(0)
    frames = []
    for index, formula in enumerate(["H2O", "CH4", "CO", "CH3CH2OH"]):
        atoms = molecule(formula)
        forces = {"forces": rng.normal(size=(len(atoms), 3))} if with_forces else {}
        atoms.calc = SinglePointCalculator(atoms, energy=float(rng.normal()) - 1000, **forces)
        atoms.info = dict(seed=index, smiles=formula, gap=0.5 * index)
        frames.append(atoms)
    getattr(publisher, form)("sample", frames, lambda atoms: ["train", "train", "validation", "test"][atoms.info["seed"]])
    dataset = load("sample")
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [2, 1, 1]
    for atoms, original in zip(all_frames(dataset), frames, strict=True):
        assert (atoms.numbers == original.numbers).all() and not atoms.pbc.any()
        np.testing.assert_allclose(atoms.positions, original.positions, atol=1e-6)
        assert atoms.get_potential_energy() == pytest.approx(original.get_potential_energy(), abs=1e-10)
        assert ("forces" in atoms.calc.results) is with_forces
        if with_forces:
            np.testing.assert_allclose(atoms.get_forces(), original.get_forces(), atol=1e-6)
        assert atoms.info["smiles"] == original.info["smiles"] and atoms.info["gap"] == original.info["gap"]
        assert "split" not in atoms.info


def test_an_archive_of_lone_atoms_keeps_the_labels_of_frames_apart_from_those_of_atoms(publisher):
    frames = []
    for index, symbol in enumerate(["H", "He", "Ne"]):
        atoms = Atoms(symbol, positions=[[0.0, 0.0, index]], info=dict(seed=index, smiles=f"[{symbol}]"))
        atoms.calc = SinglePointCalculator(atoms, energy=-1.5 * index, forces=np.zeros((1, 3)), dipole=np.ones(3))
        frames.append(atoms)
    publisher.publish_archive("sample", frames, lambda atoms: "test")
    for atoms, original in zip(load("sample").test, frames, strict=True):
        assert atoms == original and atoms.info == original.info
        assert isinstance(atoms.calc.results["energy"], float) and atoms.get_potential_energy() == -1.5 * atoms.info["seed"]
        assert atoms.get_forces().shape == (1, 3) and atoms.get_dipole_moment().shape == (3,)


def test_vectors_and_tensors_of_a_frame_survive_an_archive_axis_by_axis(publisher):
    rng = np.random.default_rng(1)
    frames = []
    for formula in ("H2O", "CO", "CH4"):
        atoms = molecule(formula)
        atoms.calc = SinglePointCalculator(atoms, energy=0.0, dipole=rng.normal(size=3))
        atoms.info = dict(polarizability=rng.normal(size=(3, 3)))
        frames.append(atoms)
    publisher.publish_archive("sample", frames, lambda atoms: "test", positions=np.float64)
    for atoms, original in zip(load("sample").test, frames, strict=True):
        assert (atoms.positions == original.positions).all()
        assert (atoms.get_dipole_moment() == original.get_dipole_moment()).all()
        assert isinstance(atoms.info["polarizability"], np.ndarray)
        assert (atoms.info["polarizability"] == original.info["polarizability"]).all()


def test_importing_structures_and_loading_need_no_torch():
    script = "import sys; from course_lib.structures import load; load('qm9_small'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
