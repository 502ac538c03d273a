import json
import os
import subprocess
import sys
from collections import OrderedDict, namedtuple
from enum import IntEnum

import numpy as np
import pytest
from argon import label
from ase import Atoms
from pair_potential import PairPotential
from safetensors.numpy import save_file
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from course_lib.learning import CompositionBaseline, Potential, checkpoint


class Keeper(PairPotential):
    """A potential with every kind of parameter."""

    def __init__(self, anything=None):
        super().__init__()
        self.anything = anything


@pytest.fixture
def path(tmp_path, fitted):
    fitted.save(tmp_path / "argon.safetensors")
    return tmp_path / "argon.safetensors"


def test_what_was_saved_predicts_the_same_bits(path, fitted, argon_frames):
    loaded = PairPotential.load(path)
    before, after = fitted.predict(argon_frames), loaded.predict(argon_frames)
    assert loaded.get_params() == fitted.get_params()
    np.testing.assert_array_equal(after.energies, before.energies)
    np.testing.assert_array_equal(after.forces, before.forces)
    np.testing.assert_array_equal(after.stresses, before.stresses)


@pytest.mark.parametrize("value", [
    None, True, 3, 0.1, -np.inf, "π", (1, 2.5), [1, [2, None]], {1: 0.3, "6": (4,)}, {}, np.float64(0.1),
    np.arange(6).reshape(2, 3).T, np.arange(3, dtype=">f8"), np.array(2.5, dtype=np.float32), np.zeros((0, 3)),
    {"nested": [np.ones(2), (np.array([True]),)]},
], ids=repr)
def test_parameters_come_back_with_their_values_and_types(tmp_path, fitted, value):
    keeper = Keeper(value)
    vars(keeper).update({k: v for k, v in vars(fitted).items() if k.endswith("_")})
    keeper.save(tmp_path / "keeper")
    np.testing.assert_equal(Keeper.load(tmp_path / "keeper").anything, value)
    assert isinstance(Keeper.load(tmp_path / "keeper").anything, type(value.item() if isinstance(value, np.generic) else value))


def test_estimators_within_are_kept_with_what_they_learned(tmp_path, argon_frames):
    keeper = Keeper(StandardScaler(with_mean=False).fit([[1.0], [3.0]])).fit(argon_frames[:4])
    keeper.baseline_ = CompositionBaseline().fit(argon_frames)
    keeper.save(tmp_path / "keeper")
    loaded = Keeper.load(tmp_path / "keeper")
    assert loaded.anything.get_params() == keeper.anything.get_params() and loaded.anything.transform([[2.0]]) == [[2.0]]
    assert loaded.baseline_.predict(argon_frames).energies.tolist() == keeper.baseline_.predict(argon_frames).energies.tolist()


def test_another_process_that_imported_nothing_reads_it_by_its_name(tmp_path):
    CompositionBaseline().fit([label(Atoms("H2"), energy=-2.0)]).save(tmp_path / "h")
    code = ("import sys; from course_lib.learning.potential import Potential; from ase import Atoms;"
            "print(Potential.load(sys.argv[1]).predict([Atoms('H3')]).energies.tolist())")
    answer = subprocess.run([sys.executable, "-c", code, str(tmp_path / "h")], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == pytest.approx([-3.0])


def test_every_truncation_and_every_flipped_bit_is_noticed(path):
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for length in [*rng.integers(0, len(whole), 40), 0, 8, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"argon\.safetensors"):
            PairPotential.load(path)
    for place, bit in zip(rng.integers(0, len(whole), 200), rng.integers(0, 8, 200), strict=True):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"argon\.safetensors"):
            PairPotential.load(path)
    path.write_bytes(whole)
    PairPotential.load(path)


def test_the_wrong_class_is_refused_by_name_and_the_base_class_reads_any(path):
    with pytest.raises(ValueError, match=r"holds a .*PairPotential, not a CompositionBaseline"):
        CompositionBaseline.load(path)
    assert type(Potential.load(path)) is PairPotential


def test_a_newer_format_and_a_missing_file_are_told_apart(path, fitted, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    fitted.save(path)
    monkeypatch.setattr(checkpoint, "FORMAT", 1)
    with pytest.raises(ValueError, match=r"format 2.*reads up to 1.*update course_lib"):
        PairPotential.load(path)
    with pytest.raises(FileNotFoundError):
        PairPotential.load(path.with_name("nowhere"))


def test_a_parameter_that_a_class_no_longer_has_is_named(path, monkeypatch):
    monkeypatch.setattr(PairPotential, "__init__", lambda self, cutoff=6.0: None)
    with pytest.raises(ValueError, match=r"another version of .*PairPotential.*size"):
        PairPotential.load(path)


def written_by_a_stranger(path, description):
    text = json.dumps(description)
    save_file({}, path, metadata={"format": "1", "estimator": text, "notes": "", "sha256": checkpoint._digest(text, {})})


@pytest.mark.parametrize("name", ["subprocess:Popen", "os:system", "antigravity:fly", "sklearn.base:clone", "no_such:Class",
                                  "course_lib.no_such:Class"])
def test_a_file_from_a_stranger_names_no_code_to_run(tmp_path, name):
    written_by_a_stranger(tmp_path / "x", {"class": name, "parameters": {}, "fitted": {}})
    with pytest.raises(ValueError, match=f"holds a {name}, which is not known here"):
        Potential.load(tmp_path / "x")
    assert "antigravity" not in sys.modules


def test_safetensors_of_others_are_refused(tmp_path):
    save_file({"a": np.zeros(2)}, tmp_path / "x")
    with pytest.raises(ValueError, match="not written by course_lib"):
        Potential.load(tmp_path / "x")


class Shelf:
    class Inner(BaseEstimator):
        """Found again by no importer."""


@pytest.mark.parametrize("value", [
    lambda r: r, np.array(["H"]), np.zeros(2, dtype=complex), np.array([None]), {1, 2}, np.ma.masked_array([1.0], [True]),
    np.rec.array([1.0]), np.ones(2, dtype=np.longdouble), np.longdouble(1), np.complex64(1), np.datetime64("2026-11-22"),
    IntEnum("Colour", ["red"]).red, namedtuple("Pair", "a b")(1, 2), OrderedDict(a=1), Shelf.Inner(),
], ids=lambda value: type(value).__name__)
def test_what_a_checkpoint_cannot_hold_is_refused_before_anything_is_written(path, fitted, value):
    whole, keeper = path.read_bytes(), Keeper(value)
    keeper.species_ = fitted.species_
    with pytest.raises(TypeError, match=r"Keeper\.anything is a [\w.< >]+, which a checkpoint cannot hold"):
        keeper.save(path)
    assert path.read_bytes() == whole


def test_a_class_made_within_a_function_is_refused_at_saving_not_at_loading(tmp_path, fitted):
    class Local(PairPotential):
        pass

    local = Local()
    vars(local).update({k: v for k, v in vars(fitted).items() if k.endswith("_")})
    with pytest.raises(TypeError, match=r"Local is a test_a_class.*<locals>\.Local, which .* cannot hold.*top of a module"):
        local.save(tmp_path / "local")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_file_and_no_litter(path, fitted, monkeypatch):
    whole = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        CompositionBaseline().fit([label(Atoms("H2"), energy=-2.0)]).save(path)
    assert path.read_bytes() == whole
    assert list(path.parent.iterdir()) == [path]


def test_notes_travel_in_the_header_and_are_read_without_the_arrays(fitted, tmp_path):
    said = {"seed": 3, "data set": "argon", "force MAE (meV/Å)": 1.5}
    fitted.save(tmp_path / "with", said)
    fitted.save(tmp_path / "without")
    assert checkpoint.notes(tmp_path / "with") == said and checkpoint.notes(tmp_path / "without") == {}
    assert type(Potential.load(tmp_path / "with")) is PairPotential
    (tmp_path / "damaged").write_bytes((tmp_path / "with").read_bytes().replace(b"argon", b"neon!"))
    with pytest.raises(ValueError, match="SHA-256"):
        Potential.load(tmp_path / "damaged")
    with pytest.raises(TypeError, match="JSON"):
        fitted.save(tmp_path / "worse", {"seed": np.arange(2)})
    assert not (tmp_path / "worse").exists()
