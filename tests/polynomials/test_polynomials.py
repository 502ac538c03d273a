"""Invariant polynomials against brute force over the whole group, Molien's count and finite differences."""

from itertools import combinations_with_replacement, permutations, product

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from course_lib.polynomials import InvariantPolynomials
from course_lib.symmetry import audit, molien_series, random_permutation


def rattled(symbols, n, seed=0):
    rng = np.random.default_rng(seed)
    return [Atoms(symbols, 1.5 * rng.normal(size=(len(symbols), 3))) for _ in range(n)]


def brute_force(symbols, degree, y):
    """Every monomial of the pair variables y (m, P) averaged over every relabelling: (m, distinct invariants)."""
    n = len(symbols)
    pairs = {pair: k for k, pair in enumerate((i, j) for i in range(n) for j in range(i + 1, n))}
    like = [[i for i in range(n) if symbols[i] == s] for s in sorted(set(symbols))]
    group = []
    for images in product(*(permutations(part) for part in like)):
        where = {a: b for part, image in zip(like, images, strict=True) for a, b in zip(part, image, strict=True)}
        group.append([pairs[tuple(sorted((where[i], where[j])))] for i, j in pairs])
    sums = {}
    for d in range(degree + 1):
        for monomial in combinations_with_replacement(range(len(pairs)), d):
            orbit = frozenset(tuple(sorted(g[t] for t in monomial)) for g in group)
            sums[orbit] = sum(np.prod(y[:, list(member)], axis=1) for member in orbit)
    return np.array(list(sums.values())).T


@pytest.mark.parametrize("symbols, degree", [("HHH", 5), ("OHH", 5), ("HHHH", 4), ("NNHH", 4), ("NHHH", 4), ("CHHHH", 3)])
def test_the_polynomials_are_the_orbit_sums_of_brute_force(symbols, degree):
    frames = rattled(symbols, 12)
    polynomials = InvariantPolynomials(symbols, degree, length=1.0).fit()
    pairs = np.triu_indices(len(symbols), 1)
    expected = brute_force(symbols, degree, np.exp(-np.array([a.get_all_distances()[pairs] for a in frames])))
    ours = polynomials.transform(frames)
    assert ours.shape == expected.shape
    order = [np.argmin(np.abs(ours - column[:, None]).max(axis=0)) for column in expected.T]
    assert sorted(order) == list(range(ours.shape[1]))
    assert np.abs(ours[:, order] - expected).max() < 1e-12


@pytest.mark.parametrize("symbols, degree", [("HHH", 8), ("NNHH", 6), ("NHHH", 6), ("CHHHH", 6), ("CCHHHHHHO", 3)])
def test_there_are_as_many_as_molien_says(symbols, degree):
    degrees = InvariantPolynomials(symbols, degree).fit().degrees_
    assert np.bincount(degrees).tolist() == molien_series(symbols, degree)


def test_they_are_linearly_independent_where_distances_are():
    frames = rattled("HHHH", 300)
    values = InvariantPolynomials("HHHH", 5, length=2.0).fit().transform(frames)
    assert np.linalg.matrix_rank(values / np.linalg.norm(values, axis=0)) == values.shape[1] == 40


@pytest.fixture(scope="module")
def ethanol():
    rng = np.random.default_rng(3)
    frames = [molecule("CH3CH2OH") for _ in range(4)]
    for atoms in frames:
        atoms.positions += rng.normal(scale=0.1, size=atoms.positions.shape)
    return frames


@pytest.mark.parametrize("fragments", [None, [[0, 1, 3, 4, 5, 6, 7, 8], [2]]])
def test_slopes_are_finite_differences_whatever_the_order_of_the_atoms(ethanol, fragments):
    polynomials = InvariantPolynomials(ethanol[0].get_chemical_symbols(), 3, fragments=fragments).fit()
    rng, h = np.random.default_rng(1), 1e-5
    atoms = ethanol[0][rng.permutation(9)]
    direction = rng.normal(size=(9, 3))
    moved = [atoms.copy(), atoms.copy()]
    for sign, frame in zip((1, -1), moved, strict=True):
        frame.positions += sign * h * direction
    ahead, behind = polynomials.transform(moved)
    slopes = polynomials.jacobian([atoms])[0]
    assert np.abs(np.einsum("kni,ni->k", slopes, direction) - (ahead - behind) / (2 * h)).max() < 1e-7
    coefficients = rng.normal(size=len(polynomials.degrees_))
    value, gradient = polynomials.contract([atoms], coefficients)
    assert value[0] == pytest.approx(coefficients @ polynomials.transform([atoms])[0], rel=1e-12)
    assert np.abs(gradient[0] - np.einsum("k,kni->ni", coefficients, slopes)).max() < 1e-10


def test_the_audit_finds_every_symmetry_kept(ethanol):
    polynomials = InvariantPolynomials("CCOHHHHHH", 3).fit()
    table = audit(polynomials, ethanol)
    assert (table.verdict[:4] == "kept").all()


def test_sorting_the_variables_is_no_substitute(ethanol):
    """The negative control: monomials of unsymmetrised distances break under relabelling."""
    def bare(frames):
        return np.array([np.exp(-a.get_all_distances()[np.triu_indices(9, 1)]) for a in frames])

    assert audit(bare, ethanol, symmetry=InvariantPolynomials.symmetry).verdict[0] == "BROKEN"


def test_a_mirror_image_is_invisible(ethanol):
    mirror = ethanol[0].copy()
    mirror.positions[:, 0] *= -1
    values = InvariantPolynomials("CCOHHHHHH", 3).fit().transform([ethanol[0], mirror])
    assert np.abs(values[0] - values[1]).max() < 1e-12


def test_the_purified_basis_vanishes_as_any_equivalent_fragment_leaves_and_the_full_one_does_not():
    purified = InvariantPolynomials("CHHHH", 5, fragments=[[0, 1, 2, 3], [4]]).fit()
    full = InvariantPolynomials("CHHHH", 5).fit()
    rng = np.random.default_rng(0)
    for hydrogen in range(1, 5):
        atoms = molecule("CH4")
        atoms.positions += rng.normal(scale=0.1, size=(5, 3))
        atoms.positions[hydrogen] *= 60
        assert np.abs(purified.transform([atoms])).max() < 1e-12
        assert np.abs(full.transform([atoms])[:, 1:]).max() > 0.1
    assert 0 < len(purified.degrees_) < len(full.degrees_)
    assert np.abs(purified.transform([molecule("CH4")])).max() > 1e-3


def test_relabelling_costs_no_loop_over_the_group():
    symbols = ["C"] + ["H"] * 12  # 12! relabellings
    assert np.bincount(InvariantPolynomials(symbols, 2).fit().degrees_).tolist() == molien_series(symbols, 2)
    numbers = Atoms(symbols).numbers
    frame = rattled(symbols, 1)[0]
    moved = frame[random_permutation(numbers, np.random.default_rng(0))]
    values = InvariantPolynomials(symbols, 2).fit().transform([frame, moved])
    assert np.abs(values[0] - values[1]).max() < 1e-12


@pytest.mark.parametrize("options, message", [
    (dict(symbols="C", degree=2), "two atoms or more"), (dict(symbols="CHH", degree=0), "degree ≥ 1"),
    (dict(symbols="CHH", degree=2, length=-1), "length > 0"), (dict(symbols="CXyH", degree=2), "is no element"),
    (dict(symbols="CHH", degree=2, fragments=[[0], [1]]), "must name each of the atoms 0 to 2 once")])
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        InvariantPolynomials(**options).fit()


def test_another_molecule_is_refused_by_name():
    with pytest.raises(ValueError, match="frame 1 is CH3, these polynomials are of CH4"):
        InvariantPolynomials("CHHHH", 2).fit().transform([molecule("CH4"), molecule("CH3")])


def test_a_crystal_is_refused():
    crystal = molecule("CH4", cell=[5, 5, 5], pbc=True)
    with pytest.raises(ValueError, match="frame 0 is periodic"):
        InvariantPolynomials("CHHHH", 2).fit().transform([crystal])
