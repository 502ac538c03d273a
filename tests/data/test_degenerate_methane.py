"""What one carbon sees in pairs of neighbours is the same in both members of a pair; the molecules and energies are not."""

from itertools import permutations

import numpy as np
import pytest
from scipy.special import eval_legendre

from course_lib.structures import load


@pytest.fixture(scope="module")
def pairs():
    """Bond vectors (P, 2, 4, 3) from the carbon, and energies (P, 2), of members A and B."""
    dataset = load("degenerate_methane")
    frames = dataset.train + dataset.validation + dataset.test
    bonds = np.stack([atoms.positions[1:] - atoms.positions[0] for atoms in frames])
    energies = np.array([atoms.calc.results["energy"] for atoms in frames])
    return bonds.reshape(-1, 2, 4, 3), energies.reshape(-1, 2)


def power_spectrum(bonds, l_max=8):
    """Sums over pairs of neighbours (…, l, n, m) of Pₗ(cos θ) with powers n, m of the two bond lengths; `bonds` (…, 4, 3)."""
    lengths = np.linalg.norm(bonds, axis=-1)
    directions = bonds / lengths[..., None]
    cosines = directions @ np.swapaxes(directions, -1, -2)
    powers = lengths[..., None, :] ** np.arange(3)[:, None]
    return np.stack([powers @ eval_legendre(l, cosines) @ np.swapaxes(powers, -1, -2) for l in range(l_max + 1)], axis=-3)


def misfit(left, right):
    """Smallest root mean square distance (…), Å, of points (…, n, 3) over all permutations, rotations and reflections."""
    best = np.inf
    for order in permutations(range(left.shape[-2])):
        overlap = np.linalg.svd(np.swapaxes(left, -1, -2) @ right[..., order, :], compute_uv=False).sum(axis=-1)
        square = (left**2).sum(axis=(-1, -2)) + (right**2).sum(axis=(-1, -2)) - 2 * overlap
        best = np.minimum(best, square)
    return np.sqrt(np.maximum(best, 0) / left.shape[-2])


def sorted_distances(bonds):
    atoms = np.concatenate([np.zeros_like(bonds[..., :1, :]), bonds], axis=-2)
    first, second = np.triu_indices(5, 1)
    return np.sort(np.linalg.norm(atoms[..., first, :] - atoms[..., second, :], axis=-1), axis=-1)


def test_members_lie_side_by_side_and_in_one_split():
    dataset = load("degenerate_methane")
    parts = {part: getattr(dataset, part) for part in ("train", "validation", "test")}
    for frames in parts.values():
        assert [atoms.info["member"] for atoms in frames] == ["A", "B"] * (len(frames) // 2)
        assert [atoms.info["pair"] for atoms in frames[::2]] == [atoms.info["pair"] for atoms in frames[1::2]]
    assert sorted(atoms.info["pair"] for frames in parts.values() for atoms in frames[::2]) == list(range(200))
    assert all(str(atoms.symbols) == "CH4" for frames in parts.values() for atoms in frames)


def test_the_power_spectrum_at_the_carbon_cannot_tell_the_members_apart(pairs):
    bonds, _ = pairs
    spectra = power_spectrum(bonds)
    scale = abs(spectra).max()
    assert abs(spectra[:, 0] - spectra[:, 1]).max() < 1e-12 * scale
    # but it tells other pairs apart, and members that moved by a thousandth of an ångström
    assert abs(spectra[1:, 0] - spectra[:-1, 1]).max(axis=(1, 2, 3)).min() > 1e-6 * scale
    moved = power_spectrum(bonds[:, 0] + 1e-3 * np.random.default_rng(0).normal(size=bonds[:, 0].shape))
    assert abs(moved - spectra[:, 1]).max(axis=(1, 2, 3)).min() > 1e-4 * scale


def test_nor_can_the_sorted_list_of_all_distances(pairs):
    bonds, _ = pairs
    found = sorted_distances(bonds)
    assert abs(found[:, 0] - found[:, 1]).max() < 1e-12
    assert abs(found[1:, 0] - found[:-1, 1]).max(axis=1).min() > 1e-5


def test_no_isometry_and_permutation_maps_one_member_onto_the_other(pairs):
    bonds, _ = pairs
    centred = bonds - bonds.mean(axis=-2, keepdims=True)
    assert misfit(bonds[:, 0], bonds[:, 1]).min() > 0.02 and misfit(centred[:, 0], centred[:, 1]).min() > 0.02
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    assert misfit(bonds[:, 0], -(bonds[:, 0, [2, 0, 3, 1]] @ turn)).max() < 1e-6, "the same molecule must be found"


def test_angles_seen_from_a_hydrogen_do_tell_them_apart(pairs):
    bonds, _ = pairs
    carbon = np.zeros_like(bonds[..., :1, :])
    atoms = np.concatenate([carbon, bonds], axis=-2)
    seen = [np.delete(atoms, centre, axis=-2) - atoms[..., centre:centre + 1, :] for centre in range(1, 5)]
    spectra = np.stack([power_spectrum(neighbours, l_max=3) for neighbours in seen]).sum(axis=0)
    assert abs(spectra[:, 0] - spectra[:, 1]).max(axis=(1, 2, 3)).min() > 1e-4


def test_member_a_is_chiral_and_member_b_is_not(pairs):
    bonds, _ = pairs
    proper = []
    for member in (0, 1):
        points, image = bonds[:, member], -bonds[:, member]
        best = np.inf
        for order in permutations(range(4)):
            u, singular, v = np.linalg.svd(np.swapaxes(points, -1, -2) @ image[..., order, :])
            overlap = singular[:, :2].sum(axis=1) + singular[:, 2] * np.sign(np.linalg.det(u) * np.linalg.det(v))
            best = np.minimum(best, 2 * (points**2).sum(axis=(1, 2)) - 2 * overlap)
        proper.append(np.sqrt(np.maximum(best, 0) / 4))
    assert np.median(proper[0]) > 0.05 and proper[1].max() < 1e-6


def test_energies_differ_by_tenths_of_an_electronvolt_and_lie_above_the_molecule_at_rest(pairs):
    _, energies = pairs
    gaps = abs(energies[:, 0] - energies[:, 1])
    assert 0.3 < gaps.mean() < 0.8 and (gaps > 0.01).mean() > 0.95
    thermal = min(atoms.calc.results["energy"] for atoms in load("methane").train)
    assert thermal < energies.min() and energies.max() < thermal + 10


def test_energies_span_what_the_card_says(pairs):
    lowest, highest = pairs[1].min(), pairs[1].max()
    card = load("degenerate_methane").card
    assert f"from −{-lowest:.2f} to −{-highest:.2f}" in card.units["energy"]
