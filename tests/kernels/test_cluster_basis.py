"""The invariants of the cluster expansion against explicit sums over tuples of neighbours, characters, and differences."""

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from scipy.special import eval_legendre
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from course_lib.kernels import ClusterBasis
from course_lib.kernels.cluster_products import InvariantProducts
from course_lib.structures import neighbour_graphs
from course_lib.symmetry import audit, invariant_couplings, rotation_quadrature, spherical_harmonics

CUTOFF = 4.0


def radial(r, count):
    """Sine waves that fade as 1 − 28 t⁶ + 48 t⁷ − 21 t⁸, written out."""
    t = r / CUTOFF
    fade = 1 - 28 * t**6 + 48 * t**7 - 21 * t**8
    return np.array([np.sqrt(2 / CUTOFF) * np.sin(n * np.pi * t) / r * fade for n in range(1, count + 1)]).T


def cluster(n, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 3))
    vectors *= rng.uniform(1, 3.5, size=(n, 1)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Atoms(["C", *rng.choice(["C", "H"], n)], np.vstack([np.zeros(3), vectors]))


@pytest.fixture(scope="module")
def basis():
    return ClusterBasis(CUTOFF, (3, 2, 2, 2), (0, 2, 2, 2), species=[1, 6]).fit()


@pytest.fixture(scope="module")
def crystal():
    """Two elements in a cell so small that atoms are their own neighbours."""
    atoms = bulk("NaCl", "rocksalt", a=4.4)
    atoms.set_cell(atoms.cell @ (np.eye(3) + 0.03 * np.random.default_rng(1).normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += np.random.default_rng(2).normal(scale=0.2, size=(2, 3))
    atoms.numbers = [1, 6]
    return atoms


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_they_are_sums_over_all_tuples_of_neighbours_averaged_over_all_rotations(basis, order):
    """Σ_η C[η, m1 … mν] B_η = Σ_j1 … Σ_jν ∫ dR Π_t φ_nt,lt,mt(R r_jt): no coupling, no product of sums, on the right."""
    atoms, rng = cluster(5, seed=order), np.random.default_rng(order)
    features, table = basis.transform([atoms])[0], basis.features_
    rows = np.flatnonzero(table["order"] == order)
    labels = table.iloc[rows, 1:1 + 3 * order].to_numpy(int).reshape(-1, order, 3)
    rotations, weights = rotation_quadrature(2 * order)
    vectors, numbers = atoms.positions[1:], atoms.numbers[1:]
    R, Y = radial(np.linalg.norm(vectors, axis=1), 3), spherical_harmonics(2, vectors @ rotations.swapaxes(1, 2))
    tuples = np.array(list(product(range(5), repeat=order)))
    scale = np.abs(features[rows]).max()
    for factors in rng.permutation(np.unique(labels, axis=0))[:25]:
        couplings = invariant_couplings(factors[:, 2].tolist(), list(map(tuple, factors)))
        same = rows[(labels == factors).all(axis=(1, 2))]
        assert len(same) == len(couplings)
        m = np.unravel_index(np.argmax(np.abs(couplings).sum(axis=0)), couplings.shape[1:])
        right = weights[:, None]
        for t, (z, n, l) in enumerate(factors):
            phi = np.where(numbers == z, R[:, n] * Y[:, :, l * l + m[t]], 0)
            right = right * phi[:, tuples[:, t]]
        assert np.abs(couplings[:, *m] @ features[same] - right.sum()) < 1e-10 * scale


def test_order_two_spans_the_power_spectrum():
    """Σ_jk R_n(r_j) R_n'(r_k) P_l(cos θ_jk), of every pair of channels: either set is a combination of the other."""
    basis = ClusterBasis(CUTOFF, (1, 2), (0, 3), species=[1, 6]).fit()
    frames = [cluster(6, seed) for seed in range(150)]
    features = basis.transform(frames)[::7, (basis.features_["order"] == 2).to_numpy()]
    spectra = []
    for atoms in frames:
        vectors, numbers = atoms.positions[1:], atoms.numbers[1:]
        r = np.linalg.norm(vectors, axis=1)
        R = np.hstack([np.where(numbers[:, None] == z, radial(r, 2), 0) for z in (1, 6)])
        legendre = eval_legendre(np.arange(4)[:, None, None], np.clip(vectors @ vectors.T / np.outer(r, r), -1, 1))
        spectra.append(np.einsum("ja,kb,ljk->lab", R, R, legendre)[:, *np.triu_indices(4)].ravel())
    spectra = np.array(spectra)
    assert features.shape == spectra.shape == (150, 40)
    for one, other in ((features, spectra), (spectra, features)):
        assert np.linalg.matrix_rank(one) == 40
        assert np.abs(one @ np.linalg.lstsq(one, other)[0] - other).max() < 1e-10


def count_by_characters(order, channels, l_max):
    """dim of the part of Sym^ν(⊕_l channels · V_l) that O(3) leaves alone: ∫ h_ν over rotations and rotary reflections."""
    points = 2 * order * l_max + 3
    theta = 2 * np.pi * np.arange(points) / points
    total = 0
    for parity in (1, -1):
        power = [channels * sum(parity ** (l * j) * np.exp(1j * m * j * theta) for l in range(l_max + 1)
                                for m in range(-l, l + 1)) for j in range(1, order + 1)]
        h = [np.ones(points)]
        for k in range(1, order + 1):
            h.append(sum(power[j - 1] * h[k - j] for j in range(1, k + 1)) / k)
        total += np.mean((1 - np.cos(theta)) * h[-1]).real / 2
    return round(total)


@pytest.mark.parametrize("species, n_max, l_max", [
    ([14], (8, 5, 3, 2), (0, 4, 3, 2)), ([1, 6], (3, 2, 2, 1), (0, 3, 2, 3)), ([1, 6, 8], (2, 1, 1), (0, 5, 3)),
    ([14], (1, 1, 1, 1, 2), (0, 2, 2, 2, 1))])
def test_there_are_as_many_as_characters_say(species, n_max, l_max):
    found = ClusterBasis(CUTOFF, n_max, l_max, species=species).fit().features_["order"].value_counts()
    expected = {order: count_by_characters(order, len(species) * n, l if order > 1 else 0)
                for order, (n, l) in enumerate(zip(n_max, l_max, strict=True), start=1)}
    assert found.to_dict() == expected


def test_they_are_linearly_independent():
    """As polynomials in A; the negative control, coupling without regard to like factors, is not."""
    scalar, all_l = {(1, 0, 0): 0}, {(1, 0, l): l * l for l in range(4)}
    invariants = InvariantProducts(16, [scalar, scalar, scalar, all_l], [np.inf] * 4)
    A = np.random.default_rng(0).normal(size=(16, 400))
    values = (invariants.coupling @ invariants.values(A)).T
    assert np.linalg.matrix_rank(values) == values.shape[1] == 3 + count_by_characters(4, 1, 3)
    assert len(invariant_couplings([2] * 4)) > len(invariant_couplings([2] * 4, "aaaa"))


def test_a_bound_on_the_degree_keeps_exactly_the_functions_below_it():
    full = ClusterBasis(CUTOFF, (4, 3, 3), (0, 3, 3), species=[1]).fit()
    some = ClusterBasis(CUTOFF, (4, 3, 3), (0, 3, 3), degree=(2, 4, 3), species=[1]).fit()
    total = full.features_.filter(regex="^[nl]").sum(axis=1).to_numpy()
    kept = total <= np.array([2, 4, 3])[full.features_["order"].to_numpy() - 1]
    assert 0 < kept.sum() < len(kept)
    atoms = Atoms("H5", cluster(4).positions)
    assert np.array_equal(some.transform([atoms]), full.transform([atoms])[:, kept])


def test_a_neighbour_meets_itself():
    """One neighbour has no pairs, yet functions of order 2: A² contains j = k, as ACE has it (the sum over pairs differs)."""
    features = ClusterBasis(CUTOFF, (1, 1), (0, 1), species=[1]).fit().transform([Atoms("H2", [[0, 0, 0], [0, 0, 1.5]])])
    assert features[0, 1] == pytest.approx(features[0, 0] ** 2)


def test_the_audit_finds_every_symmetry_kept_in_molecules_and_crystals(basis, crystal):
    frames = [cluster(7), cluster(4, seed=1), crystal]
    assert (audit(basis, frames).verdict == "kept").all()
    mirror = frames[0].copy()
    mirror.positions[:, 0] *= -1
    values = basis.transform([frames[0], mirror])
    assert np.abs(values[:8] - values[8:]).max() < 1e-12  # left and right are one to every order


def test_images_of_a_neighbour_count_one_by_one(basis, crystal):
    """Features of the crystal are those of the finite cluster that a centre sees."""
    graph = neighbour_graphs([crystal], CUTOFF)[0]
    mine = graph.receivers == 0
    seen = Atoms([crystal.numbers[0], *crystal.numbers[graph.senders[mine]]],
                 np.vstack([np.zeros(3), graph.edge_vectors()[mine]]))
    assert len(seen) > 20
    assert np.abs(basis.transform([crystal])[0] - basis.transform([seen])[0]).max() < 1e-12


def test_derivatives_are_finite_differences_image_by_image(basis, crystal):
    frames, h = [crystal, cluster(5, seed=3)], 1e-4
    d = basis.derivatives(frames)
    sums = np.zeros((8, 3, d.values.shape[2]))
    np.add.at(sums, d.centres, d.values)
    assert np.abs(sums).max() < 1e-12
    slopes = np.zeros((8, 8, 3, d.values.shape[2]))
    np.add.at(slopes, (d.centres, d.neighbours), d.values)
    numbers = np.concatenate([atoms.numbers for atoms in frames])
    assert np.array_equal(np.unique(d.centres[(d.vectors == 0).all(axis=1)]), np.arange(len(numbers)))
    for row, axis in product(range(8), range(3)):
        moved = []
        for step in (-2, -1, 1, 2):
            copies = [atoms.copy() for atoms in frames]
            copies[int(row >= 2)].positions[row - 2 * (row >= 2), axis] += step * h
            moved.append(basis.transform(copies))
        numeric = np.tensordot([1, -8, 8, -1], moved, 1) / (12 * h)
        assert np.abs(numeric - slopes[:, row, axis]).max() < 1e-9


def test_contracting_is_transforming_and_then_summing_at_a_lower_price(basis, crystal):
    frames = [cluster(6, seed=5), crystal, Atoms("H")]
    features, d = basis.transform(frames), basis.derivatives(frames)
    c = np.random.default_rng(6).normal(size=(2, features.shape[1]))
    kinds = np.searchsorted(basis.species_, np.concatenate([atoms.numbers for atoms in frames]))
    sums, gradient, virials = basis.contract(frames, basis.contraction(c))
    assert np.abs(sums - np.einsum("nk,nk->n", features, c[kinds])).max() < 1e-12 * np.abs(sums).max()
    pairs = np.einsum("pxk,pk->px", d.values, c[kinds[d.centres]])
    expected = np.zeros_like(gradient)
    np.add.at(expected, d.neighbours, pairs)
    assert np.abs(gradient - expected).max() < 1e-12 * np.abs(expected).max()
    in_crystal = (d.centres >= 7) & (d.centres < 9)
    assert np.abs(virials[1] - d.vectors[in_crystal].T @ pairs[in_crystal]).max() < 1e-12 * np.abs(virials).max()


def test_an_atom_alone_or_just_inside_the_cutoff_sees_nothing(basis):
    frames = [Atoms("H"), Atoms("HC", [[0, 0, 0], [0, 0, CUTOFF - 1e-4]])]
    assert not basis.transform(frames[:1]).any() and not basis.transform(frames[:1] * 2).any()
    assert np.abs(basis.transform(frames)).max() < 1e-10
    assert np.abs(basis.derivatives(frames).values).max() < 1e-6


def test_it_is_a_transformer(basis):
    with pytest.raises(NotFittedError):
        clone(basis).transform([Atoms("H")])
    learned = ClusterBasis(CUTOFF, (2, 1), (0, 1)).fit([molecule("CH4")])
    assert learned.species_.tolist() == [1, 6]
    with pytest.raises(ValueError, match="is O, which"):
        learned.transform([molecule("H2O")])


@pytest.mark.parametrize("options", [dict(n_max=(2, 2), l_max=(0,)), dict(n_max=(), l_max=()), dict(n_max=(0,), l_max=(0,)),
                                     dict(n_max=(1, 1), l_max=(0, -1)), dict(n_max=(1,), l_max=(0,), degree=(1, 2))])
def test_bounds_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match="hold a number for each order"):
        ClusterBasis(CUTOFF, **options, species=[1]).fit()


def test_an_order_that_cannot_be_numbered_is_refused():
    with pytest.raises(ValueError, match="cannot be numbered"):
        ClusterBasis(CUTOFF, (8,) * 9, (6,) * 9, species=[1]).fit()


@pytest.mark.parametrize("species", [["H", "C"], [], [1.5]])
def test_species_are_atomic_numbers(species):
    with pytest.raises(ValueError, match=r"list of atomic numbers, as in \[1, 6, 8\]"):
        ClusterBasis(CUTOFF, (1,), (0,), species=species).fit()
