"""Each pair is proved twice: the structures differ, and what descriptors of its order are made of does not."""

from itertools import permutations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from scipy.spatial.transform import Rotation

from course_lib.kernels import (
    SOAP,
    Bispectrum,
    ClusterBasis,
    DegeneratePair,
    cluster_difference,
    degenerate_methane_pair,
    harmonic_pair,
    homometric_pair,
    ring_pair,
    smallest_rmsd,
    sphere_invariants,
)
from course_lib.structures import load
from course_lib.symmetry import random_isometry, random_permutation, rotate_coefficients

PAIRS = {"ring of 12": ring_pair(), "ring of 18": ring_pair(3), "methane": degenerate_methane_pair(),
         "another methane": degenerate_methane_pair(110, 95), "line": homometric_pair()}


@pytest.mark.parametrize("name", PAIRS)
def test_the_two_differ_and_the_claimed_order_cannot_tell_and_the_next_can(name):
    pair = PAIRS[name]
    assert pair.rmsd() > 0.1
    assert max(pair.difference(order) for order in range(1, pair.order + 1)) < 1e-12
    assert pair.difference(pair.order + 1) > 0.1


def test_ring_pair_is_apart_by_the_known_distance():
    assert ring_pair().rmsd() == pytest.approx((np.sqrt(3) - 1) / 2, abs=1e-12)
    assert ring_pair(radius=2.5).rmsd() == pytest.approx(2.5 * (np.sqrt(3) - 1) / 2, abs=1e-12)


def test_smallest_rmsd_is_that_of_a_search_over_rotations():
    """For every permutation and both handednesses SciPy's own solution of Wahba's problem."""
    pair = degenerate_methane_pair()
    x, y = pair.first.positions[1:], pair.second.positions[1:]
    searched = min(Rotation.align_vectors(x, hand * y[list(order)])[1] for order in permutations(range(4)) for hand in (1, -1))
    assert pair.rmsd() == pytest.approx(searched / 2, abs=1e-12)


@pytest.mark.parametrize("centre", [None, 2])  # the oxygen, which no relabelling moves
def test_moved_and_relabelled_copies_are_no_pair(centre):
    rng = np.random.default_rng(0)
    atoms = molecule("CH3CH2OH")
    atoms.positions += rng.normal(scale=0.2, size=(9, 3))
    moved = atoms[random_permutation(atoms.numbers, rng)]
    moved.positions = random_isometry(rng)(moved.positions)
    assert smallest_rmsd(atoms, moved, centre) < 1e-7
    assert cluster_difference(atoms, moved, 2, centre) < 1e-12
    moved.positions[4] += 0.1
    assert smallest_rmsd(atoms, moved, centre) > 0.01 and cluster_difference(atoms, moved, 2, centre) > 0.01


def test_elements_count():
    water, other = molecule("H2O"), molecule("H2O")
    other.numbers = [1, 8, 1]  # the same triangle, the oxygen in another corner
    assert cluster_difference(water, other, 1) > 0.1 and smallest_rmsd(water, other) > 0.1
    ammonia = Atoms("NHH", water.positions)
    assert cluster_difference(water, ammonia, 1) == np.inf
    with pytest.raises(ValueError, match="have not the same atoms"):
        smallest_rmsd(water, ammonia)
    with pytest.raises(ValueError, match="3 and 10 clusters"):
        cluster_difference(water, molecule("CH4"), 1)


@pytest.mark.parametrize("pair", [ring_pair(radius=1.1), degenerate_methane_pair()], ids=["ring", "methane"])
def test_power_spectrum_cannot_tell_a_pair_of_order_two_and_the_bispectrum_can(pair):
    frames = [pair.first, pair.second]
    for descriptor, tells in ((SOAP(cutoff=4.0, n_max=6, l_max=8), False), (Bispectrum(cutoff=4.0, n_max=2, l_max=4), True)):
        first, second = descriptor.fit(frames).transform(frames)[::5]
        assert (np.abs(first - second).max() > 1e-4 * np.abs(first).max()) == tells
        assert tells or np.abs(first - second).max() < 1e-12 * np.abs(first).max()


@pytest.mark.parametrize("pair, rows", [(ring_pair(), 5), (ring_pair(3), 10), (degenerate_methane_pair(), 5)])
def test_cluster_expansion_is_blind_up_to_the_order_claimed_and_sees_with_one_more(pair, rows):
    basis = ClusterBasis(4.0, (4, 3, 2, 1), (0, 4, 4, 3), species=[1, 6]).fit()
    first, second = basis.transform([pair.first, pair.second])[::rows]
    for order in range(1, 5):
        of_order = (basis.features_["order"] == order).to_numpy()
        scale = np.abs(first[of_order]).max()
        difference = np.abs(first - second)[of_order].max() / scale
        assert difference < 1e-12 if order <= pair.order else difference > 1e-2


def test_no_order_tells_a_molecule_from_its_mirror_image():
    atoms = Atoms("CHFClBr", [[0, 0, 0], [0.6, 0.6, 0.6], [-0.8, -0.8, 0.8], [1, -1, -1], [-1.1, 1.1, -1.1]])
    mirror = Atoms(atoms.symbols, atoms.positions * [1, 1, -1])
    assert cluster_difference(atoms, mirror, 4, 0) < 1e-12 and smallest_rmsd(atoms, mirror) < 1e-7
    assert Rotation.align_vectors(atoms.positions, mirror.positions)[1] > 0.5  # yet no rotation lays one on the other
    values = ClusterBasis(4.0, (1, 1, 1, 1), (0, 2, 2, 1)).fit([atoms]).transform([atoms, mirror])
    assert np.abs(values[:5] - values[5:]).max() < 1e-12


def test_the_pair_on_the_sphere_has_one_power_spectrum_and_no_rotation_between():
    first, second = harmonic_pair()
    spectrum = sphere_invariants(first, 2)
    assert spectrum * np.sqrt([1, 3, 5, 7]) == pytest.approx([0, 0, 2, 2], abs=1e-14)
    for order in (1, 2, 3):
        assert np.abs(sphere_invariants(first, order) - sphere_invariants(second, order)).max() < 1e-14
    assert np.abs(sphere_invariants(first, 4) - sphere_invariants(second, 4)).max() > 0.5
    isometry = random_isometry(np.random.default_rng(1)).linear
    for order in (2, 3, 4):
        turned = sphere_invariants(rotate_coefficients(first, isometry), order)
        assert np.abs(turned - sphere_invariants(first, order)).max() < 1e-13


def test_the_shipped_pairs_of_methane_are_what_their_card_says():
    frames = load("degenerate_methane").train[:40]
    for first, second in zip(frames[::2], frames[1::2], strict=True):
        pair = DegeneratePair(first, second, order=2)
        assert pair.rmsd() > 0.01 and pair.difference() < 1e-6 and pair.difference(3) > 0.01
        assert cluster_difference(first, second, 1) < 1e-6  # and even the list of all distances is the same


def test_what_is_no_pair_is_refused():
    with pytest.raises(ValueError, match="order 2, 3 are known here, got order 4"):
        ring_pair(4)
    with pytest.raises(ValueError, match="take θ closer to 90°"):
        degenerate_methane_pair(theta=40)
    crystal = Atoms("H", cell=[3, 3, 3], pbc=True)
    for compare in (smallest_rmsd, lambda a, b: cluster_difference(a, b, 1)):
        with pytest.raises(ValueError, match="not of periodic structures"):
            compare(crystal, crystal)
    with pytest.raises(ValueError, match="permutations of like atoms"):
        smallest_rmsd(Atoms("H12", np.eye(12)[:, :3]), Atoms("H12", np.eye(12)[:, :3]))
