"""Water: a liquid of whole molecules at its density, split by time with gaps, however many of its frames are published."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.geometry import find_mic

from course_lib.structures import load, neighbour_graphs, radial_distribution

PARTS = {"train": (0, 7000), "validation": (8000, 9000), "test": (10000, 12000)}  # fs
RECOMPUTED = json.loads(Path(__file__).with_name("water_crystals.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def dataset():
    return load("water")


@pytest.fixture(scope="module")
def frames(dataset):
    return dataset.train + dataset.validation + dataset.test


def bonds(atoms):
    """Vectors from each oxygen to its two hydrogens, (32, 2, 3)."""
    parts = atoms.positions.reshape(32, 3, 3)
    return find_mic((parts[:, 1:] - parts[:, :1]).reshape(-1, 3), atoms.cell)[0].reshape(32, 2, 3)


def test_every_frame_is_a_periodic_box_of_32_molecules_at_the_density_of_water(frames):
    for atoms in frames:
        assert str(atoms.symbols) == "OH2" * 32 and atoms.pbc.all()
        np.testing.assert_allclose(atoms.cell[:], atoms.cell[0, 0] * np.eye(3))
        molecules = Atoms(atoms.numbers)
        grams = molecules.get_masses().sum() / units._Nav
        assert grams / (atoms.get_volume() * 1e-24) == pytest.approx(0.997, abs=1e-3)


def test_molecules_are_whole_bent_and_do_not_clash(frames):
    mean = np.mean([np.linalg.norm(bonds(atoms), axis=2).mean() for atoms in frames])
    assert mean == pytest.approx(0.97, abs=0.005)
    for atoms in frames:
        vectors = bonds(atoms)
        lengths = np.linalg.norm(vectors, axis=2)
        angles = np.degrees(np.arccos((vectors[:, 0] * vectors[:, 1]).sum(axis=1) / lengths.prod(axis=1)))
        assert lengths.min() > 0.8 and lengths.max() < 1.25 and lengths.mean() == pytest.approx(mean, abs=0.02)
        assert angles.min() > 75 and angles.max() < 140 and angles.mean() == pytest.approx(105, abs=3)
        graph, = neighbour_graphs([atoms], 1.3)  # a bond is shorter, the two hydrogens of a molecule are further apart
        between = graph.senders // 3 != graph.receivers // 3
        assert not (np.linalg.norm(graph.edge_vectors()[between], axis=1) < 1.25).any()
        assert (atoms.numbers[graph.receivers[~between]] + atoms.numbers[graph.senders[~between]] == 9).all()


def test_splits_are_pieces_of_time_with_a_picosecond_between_them(dataset, frames):
    for part, (start, end) in PARTS.items():
        times = [atoms.info["time"] for atoms in getattr(dataset, part)]
        assert times and min(times) >= start and max(times) < end
    assert all(atoms.info["time"] == 100 * atoms.info["frame"] and atoms.info["seed"] == 0 for atoms in frames)


def test_no_two_frames_are_alike_and_neighbours_in_time_are_more_alike_than_others(frames):
    times = np.array([atoms.info["time"] for atoms in frames])
    assert len(set(times)) == len(frames) == len({round(atoms.get_potential_energy(), 7) for atoms in frames})
    oxygens = np.array([atoms.positions[::3] for atoms in frames])
    apart = np.sqrt(((oxygens[:, None] - oxygens) ** 2).sum(axis=3).mean(axis=2))
    pairs = np.triu_indices(len(frames), 1)
    assert apart[pairs].min() > 0.05, "Å"
    soon = abs(times[:, None] - times)[pairs] <= 1000
    assert apart[pairs][soon].mean() < 0.7 * apart[pairs][~soon].mean()


def test_what_is_published_is_spread_over_the_whole_trajectory(dataset, frames):
    """Labels are computed for every eighth frame first, then for every fourth, …: a piece is as good as a whole."""
    fractions = {part: len(getattr(dataset, part)) / (end - start) for part, (start, end) in PARTS.items()}
    assert max(fractions.values()) < 3 * min(fractions.values())
    train = np.sort([atoms.info["frame"] for atoms in dataset.train])
    assert np.diff(train).max() <= 16 and train[0] <= 8 and train[-1] >= 56


def test_energies_lie_where_the_card_says_and_vary_as_heat_makes_them(dataset, frames):
    lowest, highest = (-float(number) for number in re.search(r"between −([\d.]+) and −([\d.]+)",
                                                              dataset.card.units["energy"]).groups())
    energies = np.array([atoms.get_potential_energy() for atoms in frames])
    assert lowest < energies.min() < energies.max() < highest < lowest + 10
    harmonic = np.sqrt(3 * 96 / 2) * units.kB * 300  # of as many classical oscillators as there are coordinates
    assert 0.4 < energies.std() / harmonic < 2.5


def test_net_forces_vanish_and_forces_are_those_of_heat(frames):
    """A classical oscillator of 3700/cm has √(m ω² kT), 1.1 eV/Å for hydrogen along its bond."""
    for atoms in frames:
        np.testing.assert_allclose(atoms.get_forces().sum(axis=0), 0, atol=1e-5)
    vectors = np.concatenate([bonds(atoms) for atoms in frames])
    along = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
    forces = np.concatenate([atoms.get_forces().reshape(32, 3, 3)[:, 1:] for atoms in frames])
    stretch = (forces * along).sum(axis=2)
    assert np.sqrt((stretch**2).mean()) == pytest.approx(1.1, rel=0.35)
    lengths = np.linalg.norm(vectors, axis=2)
    slope = np.polyfit(lengths.ravel(), stretch.ravel(), 1)[0]
    assert -65 < slope < -30, "eV/Å²: long bonds pull back; m ω² of 3700/cm is 50"
    assert abs(np.polyfit(lengths.ravel(), np.roll(stretch.ravel(), 1), 1)[0]) < 15, "of other bonds, they do not"


def test_oxygens_are_arranged_as_in_the_liquid(frames):
    """First shell at 2.7 to 2.9 Å with four to five and a half neighbours, and a dip behind it."""
    r, g = radial_distribution(frames, 8, 8, cutoff=6.0, bins=40)
    assert 2.6 < r[g.argmax()] < 2.95 and 2 < g.max() < 4.5 and not g[r < 2.2].any()
    density, width = 32 / frames[0].get_volume(), r[1] - r[0]
    shell = (r < 3.4)
    assert (density * g * 4 * np.pi * r**2 * width)[shell].sum() == pytest.approx(4.7, abs=0.9)


def recomputed(frames, what):
    published = {(int(atoms.info["seed"]), int(atoms.info["frame"])): atoms for atoms in frames}
    return [(published[point["seed"], point["frame"]], point) for point in RECOMPUTED if what in point]


def test_forces_are_minus_the_gradient_of_the_energy(frames):
    points = recomputed(frames, "moved")
    for (atoms, there), (_, back) in zip(points[::2], points[1::2], strict=True):
        moved = np.array(there["moved"])
        np.testing.assert_allclose(moved, -np.array(back["moved"]), atol=1e-12)
        work = -(atoms.get_forces() * moved).sum()
        assert abs(work) > 5e-4, "eV: too small to have a sign"
        assert (there["energy"] - back["energy"]) / 2 == pytest.approx(work, rel=0.02)


def test_labels_hardly_know_where_the_origin_is(frames):
    """As well as a grid in space allows, and as the card says: 10 meV a cell, 0.11 and 0.01 eV/Å."""
    for atoms, point in recomputed(frames, "shift"):
        assert point["energy"] == pytest.approx(atoms.get_potential_energy(), abs=0.011)
        change = abs(np.array(point["forces"]) - atoms.get_forces())
        assert change[atoms.numbers == 8].max() < 0.12 and change[atoms.numbers == 1].max() < 0.015
