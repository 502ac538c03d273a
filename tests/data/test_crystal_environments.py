"""Against what is known of the elements: lattice constants (Kittel), densities of the melts (CRC Handbook), ideal lattices."""

import numpy as np
import pytest
from ase.build import bulk
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from sklearn.ensemble import RandomForestClassifier

from course_lib.structures import load

PHASES = ("fcc", "bcc", "hcp", "diamond", "liquid")
CRYSTALS = {"fcc": bulk("Cu", a=3.615, cubic=True), "bcc": bulk("Fe", a=2.866, cubic=True),
            "hcp": bulk("Mg", a=3.209, c=5.211, orthorhombic=True), "diamond": bulk("Si", a=5.431, cubic=True)}
NEAREST = {"fcc": (12, 2.556), "bcc": (8, 2.482), "hcp": (12, 3.203), "diamond": (4, 2.352)}  # so many at so many Å


@pytest.fixture(scope="module")
def dataset():
    return load("crystal_environments")


@pytest.fixture(scope="module")
def frames(dataset):
    return dataset.train + dataset.validation + dataset.test


def neighbours(frames) -> np.ndarray:
    """(M, 32, 3) in units of the spacing."""
    return np.array([atoms.positions[1:] for atoms in frames])


def spacings(frames) -> np.ndarray:
    return np.array([atoms.info["spacing"] for atoms in frames])


def phases(frames) -> np.ndarray:
    return np.array([atoms.info["phase"] for atoms in frames])


def coldest(frames, phase):
    found = [atoms for atoms in frames if atoms.info["phase"] == phase]
    lowest = min(atoms.info["temperature"] for atoms in found)
    return [atoms for atoms in found if atoms.info["temperature"] == lowest]


def farthest_from_a_site(vectors, crystal) -> float:
    """How far, in nearest-neighbour distances, one of the vectors (32, 3) is from the sites around an atom of the crystal."""
    block = crystal.repeat(5)
    middle = block.cell.sum(axis=0) / 2
    spacing = crystal.repeat(3).get_distances(0, range(1, 27 * len(crystal)), mic=True).min()
    best = np.inf
    for offset in crystal.positions:
        site = block.positions[np.argmin(np.linalg.norm(block.positions - middle - offset, axis=1))]
        away, nearest = cKDTree((block.positions - site) / spacing).query(vectors)
        if len(set(nearest)) == len(vectors):
            best = min(best, away.max())
    return best


def test_centre_units_and_order_are_as_the_card_says(frames):
    assert all((atoms.numbers == 0).all() and len(atoms) == 33 and (atoms.positions[0] == 0).all() for atoms in frames)
    distances = np.linalg.norm(neighbours(frames), axis=2)
    assert (np.diff(distances, axis=1) > -1e-6).all()
    np.testing.assert_allclose(distances[:, :4].mean(axis=1), 1, atol=1e-6)


def test_every_phase_has_as_many_environments_in_every_split_and_none_is_there_twice(dataset, frames):
    for part, size in (("train", 360), ("validation", 120), ("test", 120)):
        found = phases(getattr(dataset, part))
        assert {phase: (found == phase).sum() for phase in PHASES} == dict.fromkeys(PHASES, size)
    assert len(np.unique(neighbours(frames).reshape(len(frames), -1), axis=0)) == len(frames)


@pytest.mark.parametrize("phase", NEAREST)
def test_cold_crystals_have_the_nearest_neighbours_of_their_element(frames, phase):
    count, known = NEAREST[phase]
    cold = coldest(frames, phase)
    found = (spacings(cold)[:, None] * np.linalg.norm(neighbours(cold), axis=2))[:, :count].mean()
    assert found == pytest.approx(known, rel=0.015)


@pytest.mark.parametrize(("element", "mass", "density"), [("Cu", 63.55, 8.02), ("Fe", 55.85, 6.98), ("Mg", 24.31, 1.58),
                                                          ("Si", 28.09, 2.57)])
def test_melts_have_the_density_of_the_element_at_its_melting_point(frames, element, mass, density):
    """g/cm³, from the sphere that holds 32 neighbours and half of the last."""
    melt = [atoms for atoms in frames if atoms.info["phase"] == "liquid" and atoms.info["element"] == element]
    assert len(melt) == 150
    volume = 4 / 3 * np.pi * (spacings(melt) * np.linalg.norm(neighbours(melt)[:, -1], axis=1)) ** 3
    assert 32.5 / volume.mean() * mass * 1.66054 == pytest.approx(density, rel=0.12)


@pytest.mark.parametrize("phase", NEAREST)
def test_cold_crystals_stand_upright_on_the_sites_of_their_ideal_lattice(frames, phase):
    cold = coldest(frames, phase)[::15]
    count = NEAREST[phase][0]
    vectors = [v / np.linalg.norm(v[:count], axis=1).mean() for v in neighbours(cold)]
    assert max(farthest_from_a_site(v, CRYSTALS[phase]) for v in vectors) < 0.35
    assert farthest_from_a_site(Rotation.random(rng=0).apply(vectors[0]), CRYSTALS[phase]) > 0.45
    others = {"fcc": "hcp", "hcp": "fcc", "bcc": "fcc", "diamond": "fcc"}
    assert farthest_from_a_site(vectors[0], CRYSTALS[others[phase]]) > 0.45


@pytest.mark.parametrize(("phase", "opposite"), [("fcc", 6), ("hcp", 3), ("bcc", 7), ("diamond", 0)])
def test_opposite_neighbours_tell_cold_crystals_apart(frames, phase, opposite):
    """So many pairs of neighbours with the atom between them: what tells fcc from hcp, whose distances agree."""
    count = {"bcc": 14}.get(phase, NEAREST[phase][0])
    directions = neighbours(coldest(frames, phase))[:, :count]
    directions = directions / np.linalg.norm(directions, axis=2, keepdims=True)
    cosines = np.einsum("mix,mjx->mij", directions, directions)
    assert ((cosines < -0.94).sum(axis=(1, 2)) / 2).mean() == pytest.approx(opposite, abs=0.1)


def test_melts_have_no_axes(frames):
    """The mean of x⁴ + y⁴ + z⁴ over directions is 3/5 where none is preferred."""
    def cubic(vectors):
        return ((vectors / np.linalg.norm(vectors, axis=2, keepdims=True)) ** 4).sum(axis=2).mean()

    of_phase = {phase: cubic(neighbours([a for a in frames if a.info["phase"] == phase])[:, :12]) for phase in PHASES}
    assert of_phase.pop("liquid") == pytest.approx(0.6, abs=0.01)
    assert all(abs(value - 0.6) > 0.02 for value in of_phase.values())


def forest_score(dataset, features, of_test=lambda vectors: vectors) -> tuple[float, np.ndarray]:
    """Accuracy and guesses on the test split of a forest on `features(neighbours)`."""
    forest = RandomForestClassifier(60, random_state=0).fit(features(neighbours(dataset.train)), phases(dataset.train))
    guesses = forest.predict(features(of_test(neighbours(dataset.test))))
    return (guesses == phases(dataset.test)).mean(), guesses


def radii(vectors):
    return np.linalg.norm(vectors, axis=2)


def angles(vectors):
    directions = vectors[:, :14] / radii(vectors)[:, :14, None]
    return np.sort(np.einsum("mix,mjx->mij", directions, directions)[:, *np.triu_indices(14, 1)], axis=1)


def test_angles_tell_the_phases_apart_where_radii_confuse_fcc_and_hcp(dataset):
    right, guesses = forest_score(dataset, radii)
    assert 0.8 < right < 0.9 < 0.93 < forest_score(dataset, angles)[0]
    truth = phases(dataset.test)
    close_packed = np.isin(truth, ("fcc", "hcp")) & np.isin(guesses, ("fcc", "hcp"))
    assert ((guesses != truth) & close_packed).sum() > 0.5 * (guesses != truth).sum()


def test_upright_coordinates_are_enough_until_the_test_is_turned(dataset):
    def turned(vectors):
        return np.einsum("mxy,miy->mix", Rotation.random(len(vectors), rng=0).as_matrix(), vectors)

    def coordinates(vectors):
        return vectors.reshape(len(vectors), -1)

    assert forest_score(dataset, coordinates)[0] > 0.95
    assert forest_score(dataset, coordinates, turned)[0] < 0.5
    assert forest_score(dataset, angles, turned)[0] > 0.93
