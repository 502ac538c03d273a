"""Vectors and tensors of water: what they must be by symmetry, and what was measured."""

import re

import numpy as np
import pytest

from course_lib.structures import load

DEBYE = 0.20819434  # e·Å


@pytest.fixture(scope="module")
def water():
    dataset = load("water_tensors")
    return dataset.train + dataset.validation + dataset.test


@pytest.fixture(scope="module")
def monomers(water):
    return [atoms for atoms in water if atoms.info["molecules"] == 1]


@pytest.fixture(scope="module")
def dimers(water):
    return [atoms for atoms in water if atoms.info["molecules"] == 2]


def dipoles(frames):
    return np.array([atoms.calc.results["dipole"] for atoms in frames])


def polarizabilities(frames):
    return np.array([atoms.info["polarizability"] for atoms in frames])


def energies(frames):
    return np.array([atoms.calc.results["energy"] for atoms in frames])


def molecular_axes(oxygen, left, right):
    """Rows: along the bisector of the hydrogens, in the plane across it, normal to the plane; (M, 3, 3)."""
    bisector = unit(left - oxygen) + unit(right - oxygen)
    normal = np.cross(left - oxygen, right - oxygen)
    return np.stack([unit(bisector), unit(np.cross(normal, bisector)), unit(normal)], axis=1)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_every_split_has_monomers_and_dimers_from_trajectories_of_its_own():
    dataset = load("water_tensors")
    seeds = {"train": {0, 1, 2, 3, 4, 8, 9, 10}, "validation": {5, 11}, "test": {6, 7, 12, 13}}
    for part, expected in seeds.items():
        frames = getattr(dataset, part)
        assert {int(atoms.info["seed"]) for atoms in frames} == expected
        assert all(str(atoms.symbols) == "OH2" * atoms.info["molecules"] for atoms in frames)
        assert all((atoms.info["molecules"] == 2) == (atoms.info["seed"] > 7) for atoms in frames)


def test_the_polarizability_is_symmetric_and_positive(water):
    tensors = polarizabilities(water)
    assert tensors.shape == (len(water), 3, 3)
    assert abs(tensors - np.swapaxes(tensors, 1, 2)).max() < 1e-8
    assert np.linalg.eigvalsh(tensors).min() > 1


def test_a_single_molecule_has_no_components_that_its_plane_forbids(monomers):
    """Reflection in the plane of three atoms turns the normal component around, so it and what is odd in it must vanish."""
    positions = np.stack([atoms.positions for atoms in monomers])
    axes = molecular_axes(*np.swapaxes(positions, 0, 1))
    normal = axes[:, 2]
    assert abs((dipoles(monomers) * normal).sum(axis=1)).max() < 1e-5
    rows = np.einsum("max,mxy,mby->mab", axes, polarizabilities(monomers), axes)
    assert abs(rows[:, 2, :2]).max() < 3e-4
    turned = np.roll(axes, 1, axis=0)
    assert abs((dipoles(monomers) * turned[:, 2]).sum(axis=1)).max() > 0.1, "the frame of another molecule must not pass"


def test_the_dipole_points_from_the_oxygen_to_the_hydrogens_and_is_that_of_water(monomers):
    """1.855 D at equilibrium by experiment (Clough et al., J. Chem. Phys. 59, 2254 (1973)); vibration averages over it."""
    positions = np.stack([atoms.positions for atoms in monomers])
    bisector = molecular_axes(*np.swapaxes(positions, 0, 1))[:, 0]
    assert ((dipoles(monomers) * bisector).sum(axis=1) > 0.2).all()
    assert np.linalg.norm(dipoles(monomers), axis=1).mean() / DEBYE == pytest.approx(1.85, abs=0.1)


def test_the_mean_polarizability_is_that_of_water(monomers, dimers):
    """1.45 Å³ by experiment (Murphy, J. Chem. Phys. 67, 5831 (1977)); two molecules have about twice as much."""
    single, double = (np.trace(polarizabilities(frames), axis1=1, axis2=2).mean() / 3 for frames in (monomers, dimers))
    assert single == pytest.approx(1.45, abs=0.08)
    assert double / single == pytest.approx(2, abs=0.1)


def test_dimers_are_bound_by_one_hydrogen_bond(monomers, dimers):
    positions = np.stack([atoms.positions for atoms in dimers])
    oxygens = np.linalg.norm(positions[:, 0] - positions[:, 3], axis=1)
    assert oxygens.min() > 2.5 and oxygens.max() < 4.2
    binding = np.median(energies(dimers)) - 2 * energies(monomers).min()
    assert -0.25 < binding < 0.15, "−0.2 eV at rest, and some heat"


def test_the_dipole_of_a_dimer_is_more_than_the_sum_of_two(dimers):
    """Each molecule polarizes the other: fixed 1.85 D along the bisectors miss a tenth, and vectors of the wrong sign all."""
    positions = np.stack([atoms.positions for atoms in dimers])
    fixed = 1.85 * DEBYE * sum(molecular_axes(*np.swapaxes(positions[:, k:k + 3], 0, 1))[:, 0] for k in (0, 3))
    slope = (fixed * dipoles(dimers)).sum() / (fixed**2).sum()
    assert 1.0 < slope < 1.4
    rest = np.linalg.norm(dipoles(dimers) - slope * fixed, axis=1)
    assert np.sqrt((rest**2).mean()) < 0.35 * np.sqrt((dipoles(dimers) ** 2).sum(axis=1).mean())


def test_molecules_point_in_every_direction(monomers, dimers):
    for frames in (monomers, dimers):
        directions = unit(dipoles(frames))
        second = directions.T @ directions / len(frames)
        assert np.linalg.eigvalsh(second).min() > 0.1


def test_no_two_frames_are_alike(monomers, dimers):
    for frames in (monomers, dimers):
        positions = np.stack([atoms.positions for atoms in frames])
        first, second = np.triu_indices(positions.shape[1], 1)
        found = np.linalg.norm(positions[:, first] - positions[:, second], axis=2).round(4)
        assert len(np.unique(found, axis=0)) == len(frames)


def test_energies_lie_within_what_the_card_says(monomers, dimers):
    text = load("water_tensors").card.units["energy"].replace("−", "-")
    said = np.array(re.findall(r"within (-[\d.]+) to (-[\d.]+)", text), float)
    for (lowest, highest), frames in zip(said, (monomers, dimers), strict=True):
        found = energies(frames)
        assert lowest <= found.min() < lowest + 0.05 and found.max() <= highest
        assert np.ptp(found) > 0.4 * (highest - lowest)
