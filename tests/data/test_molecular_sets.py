"""What physics, and published numbers, say about the molecular sets."""

import re

import numpy as np
import pytest
from ase.units import Hartree, kB, kcal, mol
from scipy.spatial import cKDTree

from course_lib.structures import load

# kelvin of each set of thermal frames
TEMPERATURE = {"methane": 1500, "methane_b3lyp": 1500, "hydronium": 1500, "ethanol": 500, "ethanol_xtb": 500}
# kcal/mol, experimental atomization energies at 0 K: Curtiss, Raghavachari, Trucks, Pople, J. Chem. Phys. 94, 7221 (1991)
ATOMIZATION = {"C": 392.5, "N": 276.7, "O": 219.3, "C#C": 388.9, "CC": 666.3, "C#N": 301.8, "C=O": 357.2, "CO": 480.8}


@pytest.fixture(scope="module")
def sets():
    return {name: load(name) for name in [*TEMPERATURE, "qm9_small"]}


def all_frames(dataset):
    return dataset.train + dataset.validation + dataset.test


def energies(frames):
    return np.array([atoms.calc.results["energy"] for atoms in frames])


def distances(frames):
    """All interatomic distances (M, pairs) of frames of one composition, Å."""
    positions = np.stack([atoms.positions for atoms in frames])
    first, second = np.triu_indices(positions.shape[1], 1)
    return np.linalg.norm(positions[:, first] - positions[:, second], axis=2)


@pytest.mark.parametrize("name", [*TEMPERATURE, "qm9_small"])
def test_energies_span_what_the_card_says(sets, name):
    said = re.search(r"from (−?[\d.]+) to (−?[\d.]+)", sets[name].card.units["energy"]).groups()
    lowest, highest = (float(number.replace("−", "-")) for number in said)
    found = energies(all_frames(sets[name]))
    assert (found.min(), found.max()) == pytest.approx((lowest, highest), abs=0.005)


@pytest.mark.parametrize("name", TEMPERATURE)
def test_energies_vary_as_much_as_the_temperature_makes_them(sets, name):
    """Every classical harmonic degree of freedom has the variance (kT)²/2; anharmonic ones, and another level, a bit more."""
    frames = all_frames(sets[name])
    harmonic = np.sqrt((3 * len(frames[0]) - 6) / 2) * kB * TEMPERATURE[name]
    assert 0.9 < energies(frames).std() / harmonic < 1.4


@pytest.mark.parametrize("name", TEMPERATURE)
def test_no_two_frames_are_alike(sets, name):
    nearest = cKDTree(found := distances(all_frames(sets[name]))).query(found, k=2)[0][:, 1]
    assert nearest.min() > 0.01


@pytest.mark.parametrize("name", TEMPERATURE)
def test_every_split_covers_the_energies_of_the_others(sets, name):
    parts = [energies(getattr(sets[name], part)) for part in ("train", "validation", "test")]
    width = np.concatenate(parts).std()
    assert np.ptp([part.mean() for part in parts]) < 0.5 * width
    assert all(0.8 < part.std() / width < 1.2 for part in parts)


@pytest.mark.parametrize("name", TEMPERATURE)
def test_every_atom_has_a_neighbour_at_the_length_of_a_bond(sets, name):
    found = distances(all_frames(sets[name]))
    n_atoms = len(sets[name].train[0])
    first, second = np.triu_indices(n_atoms, 1)
    nearest = np.stack([found[:, (first == atom) | (second == atom)].min(axis=1) for atom in range(n_atoms)])
    assert nearest.min() > 0.75 and nearest.max() < 1.45


def handedness(frames):
    """Sign of (r₁ × r₂)·r₃ from oxygen to its hydrogens: the side of the umbrella, as the hydrogens are numbered."""
    positions = np.stack([atoms.positions for atoms in frames])
    return np.sign(np.linalg.det(positions[:, 1:] - positions[:, :1]))


def test_hydronium_is_on_both_sides_of_the_umbrella_and_crosses(sets):
    for part in ("train", "validation", "test"):
        frames = getattr(sets["hydronium"], part)
        sides = handedness(frames)
        assert 0.35 < (sides > 0).mean() < 0.65
        per_run = [sides[[atoms.info["seed"] == seed for atoms in frames]] for seed in {atoms.info["seed"] for atoms in frames}]
        assert all((run[1:] != run[:-1]).sum() > 10 for run in per_run)


def test_the_two_sides_of_the_umbrella_have_the_same_energies(sets):
    frames = sets["hydronium"].train
    left, right = energies(frames)[handedness(frames) < 0], energies(frames)[handedness(frames) > 0]
    assert left.mean() == pytest.approx(right.mean(), abs=0.1 * left.std())


def test_hydronium_lies_a_proton_affinity_below_water(sets):
    """Water at the same level and its own minimum: −76.27376 hartree; its proton affinity: 7.2 eV and 0.2 of zero points."""
    assert energies(all_frames(sets["hydronium"])).min() == pytest.approx(-76.27376 * Hartree - 7.4, abs=0.15)


def test_both_levels_of_methane_mean_the_same_molecule(sets):
    """Other totals, but the same ups and downs, as far as the one has longer bonds than the other; paired wrongly, none."""
    coupled, functional = (energies(all_frames(sets[name])) for name in ("methane", "methane_b3lyp"))
    assert np.corrcoef(coupled, functional)[0, 1] > 0.98
    assert np.corrcoef(coupled, np.roll(functional, 1))[0, 1] < 0.9


@pytest.mark.parametrize(("smiles", "measured"), ATOMIZATION.items())
def test_qm9_energies_are_atomization_energies_that_were_measured(sets, smiles, measured):
    molecule = next(atoms for atoms in all_frames(sets["qm9_small"]) if atoms.info["smiles"] == smiles)
    assert -molecule.get_potential_energy() == pytest.approx(measured * kcal / mol, abs=0.3)


def test_qm9_formulas_are_those_of_their_smiles_and_none_is_there_twice(sets):
    frames = all_frames(sets["qm9_small"])
    for atoms in frames:
        # [nH] and [NH3+] are nitrogen
        written = re.findall("[CNOF]", re.sub(r"\[(\w)[^\]]*\]", r"\1", atoms.info["smiles"]).upper())
        assert sorted(written) == sorted(str(symbol) for symbol in atoms.symbols if symbol != "H"), atoms.info["smiles"]
    assert len({atoms.info["smiles"] for atoms in frames}) == len(frames)
    shapes = {(str(atoms.symbols), *np.sort(distances([atoms])[0]).round(3)) for atoms in frames}
    assert len(shapes) == len(frames)


@pytest.mark.parametrize(("smiles", "dipole", "polarizability", "gap"), [
    ("C", 0.0, 13.21, 0.5048), ("N", 1.6256, 9.46, 0.3399), ("O", 1.8511, 6.31, 0.3615)])
def test_qm9_labels_are_the_published_ones(sets, smiles, dipole, polarizability, gap):
    """First three rows of the publication: debye, bohr³, hartree."""
    info = next(atoms.info for atoms in all_frames(sets["qm9_small"]) if atoms.info["smiles"] == smiles)
    found = info["dipole_norm"], info["polarizability"], info["gap"] / Hartree
    assert found == pytest.approx((dipole, polarizability, gap), abs=1e-4)
