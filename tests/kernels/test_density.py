"""Coefficients of the neighbour density against numerical integration in space and against featomic."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from featomic import SphericalExpansion
from sklearn.exceptions import NotFittedError

from course_lib.kernels import DensityExpansion
from course_lib.structures import GaussianTypeOrbitals, PolynomialBasis
from course_lib.symmetry import random_improper, rotate_coefficients, sphere_quadrature, spherical_harmonics

SMALL = dict(n_max=4, l_max=3)


def rattled(atoms, seed=0):
    atoms = atoms.copy()
    atoms.positions += np.random.default_rng(seed).normal(scale=0.1, size=atoms.positions.shape)
    return atoms


@pytest.fixture(scope="module")
def frames():
    return [rattled(molecule("CH3CH2OH")), rattled(molecule("CH3CONH2")), rattled(bulk("NaCl", "rocksalt", 5.0) * (1, 1, 2))]


@pytest.mark.parametrize("basis", ["gto", "polynomial"])
def test_they_are_the_density_projected_on_the_basis_in_space(basis):
    """Σ over a spherical grid of ρ(x) R_n(x) Y_lm(x̂), ρ added up point by point."""
    atoms, cutoff, width, smoothing = rattled(molecule("CH3OH")), 2.6, 0.45, 0.8
    ours = DensityExpansion(cutoff, 3, 2, width, smoothing, basis).fit([atoms]).transform([atoms])
    assert ours.shape == (6, 3, 3, 9) and ours.dtype == np.float64
    radial = GaussianTypeOrbitals.featomic(cutoff, 3) if basis == "gto" else PolynomialBasis(cutoff, 3)
    reach = 9.0 if basis == "gto" else cutoff
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x, w = reach * (nodes + 1) / 2, reach * weights / 2
    directions, solid = sphere_quadrature(70)
    for centre in (0, 4):
        vectors = atoms.positions - atoms.positions[centre]
        r = np.linalg.norm(vectors, axis=1)
        fade = 0.5 + 0.5 * np.cos(np.pi * np.clip((r - cutoff + smoothing) / smoothing, 0, 1))
        assert ((fade > 0) & (fade < 1)).any()  # one neighbour is on its way out
        for kind, species in enumerate((1, 6, 8)):
            of_kind = np.flatnonzero(atoms.numbers == species)
            squares = {j: ((x[:, None, None] * directions - vectors[j]) ** 2).sum(-1) for j in of_kind}
            density = (np.pi * width**2) ** -0.75 * sum(fade[j] * np.exp(-0.5 * squares[j] / width**2) for j in of_kind)
            expected = np.einsum("xd,x,xn,d,dm->nm", density, w * x**2, radial(x).reshape(60, 3), solid,
                                 spherical_harmonics(2, directions), optimize=True)
            assert abs(ours[centre, kind] - expected).max() < 1e-10


def test_they_are_featomics(frames):
    peer = SphericalExpansion(cutoff=dict(radius=4.0, smoothing=dict(type="ShiftedCosine", width=0.5)),
                              density=dict(type="Gaussian", width=0.4),
                              basis=dict(type="TensorProduct", max_angular=3, spline_accuracy=None,
                                         radial=dict(type="Gto", max_radial=3))).compute(frames)
    expansion = DensityExpansion(4.0, 4, 3, 0.4).fit(frames)
    ours, first = expansion.transform(frames), np.cumsum([0] + [len(atoms) for atoms in frames])
    for key, block in peer.items():
        rows, l = first[block.samples["system"]] + block.samples["atom"], int(key["o3_lambda"])
        kind = np.searchsorted(expansion.species_, key["neighbor_type"])
        assert abs(ours[rows, kind, :, l * l:(l + 1) ** 2].swapaxes(1, 2) - block.values).max() < 1e-9


def test_they_turn_as_the_harmonics_do(frames):
    expansion = DensityExpansion(**SMALL).fit(frames)
    R = random_improper(1, np.random.default_rng(0))[0]
    turned = [Atoms(a.numbers, a.positions @ R.T, cell=a.cell[:] @ R.T, pbc=a.pbc) for a in frames]
    expected = rotate_coefficients(expansion.transform(frames), R)
    assert abs(expansion.transform(turned) - expected).max() < 1e-12 * abs(expected).max()


def test_an_isolated_atom_sees_itself_alone():
    expansion = DensityExpansion(**SMALL, species=[1, 6]).fit()
    alone = expansion.transform([Atoms("C", [[7, 8, 9]])])[0]
    assert not alone[0].any() and not alone[1, :, 1:].any() and (alone[1, :, 0] != 0).all()
    together = expansion.transform([Atoms("C"), molecule("CH4")])
    assert np.array_equal(together[0], alone)


def test_a_supercell_repeats_the_rows_of_its_cell():
    cell = rattled(bulk("NaCl", "rocksalt", 5.0))
    expansion = DensityExpansion(7.0, **SMALL).fit([cell])  # several images of each neighbour
    one, many = expansion.transform([cell]), expansion.transform([cell * (2, 1, 3)])
    np.testing.assert_allclose(many.reshape(6, *one.shape), np.broadcast_to(one, (6, *one.shape)), atol=1e-12)


def test_frames_do_not_see_each_other_however_they_are_grouped(frames, monkeypatch):
    expansion = DensityExpansion(**SMALL).fit(frames)
    together = expansion.transform(frames)
    alone = np.concatenate([expansion.transform([atoms]) for atoms in frames])
    np.testing.assert_allclose(together, alone, atol=1e-14)
    monkeypatch.setattr("course_lib.kernels.density.ATOMS", 1)
    np.testing.assert_allclose(expansion.transform(frames), alone, atol=1e-14)


def test_mixing_adds_densities_of_species(frames):
    weights = np.random.default_rng(1).normal(size=(6, 2))
    plain = DensityExpansion(**SMALL).fit(frames).transform(frames)
    mixed = DensityExpansion(**SMALL, mixing=weights).fit(frames)
    np.testing.assert_allclose(mixed.transform(frames), np.einsum("sb,isnm->ibnm", weights, plain), atol=1e-13)
    assert np.array_equal(DensityExpansion(**SMALL, mixing=np.eye(6)).fit(frames).transform(frames), plain)


def test_random_mixing_keeps_dot_products_on_average(frames):
    plain = DensityExpansion(**SMALL).fit(frames).transform(frames[:1]).reshape(9, -1)
    mixed = [DensityExpansion(**SMALL, mixing=3, seed=seed).fit(frames).transform(frames[:1]) for seed in range(60)]
    products = [m.reshape(9, -1) @ m.reshape(9, -1).T for m in mixed]
    error = np.std(products, axis=0) / np.sqrt(60)
    assert (abs(np.mean(products, axis=0) - plain @ plain.T) < 5 * error).all()
    assert abs(products[0] - plain @ plain.T).max() > 0.01  # one draw is only near


def test_what_it_cannot_use_is_refused_by_name(frames):
    expansion = DensityExpansion(**SMALL).fit(frames[:1])
    with pytest.raises(ValueError, match="frame 1, atom 1 is N, which the model does not know; its species are H, C, O"):
        expansion.transform([frames[0], Atoms("ON", [[0, 0, 0], [0, 0, 1]])])
    broken = frames[0].copy()
    broken.positions[4, 1] = np.nan
    with pytest.raises(ValueError, match="frame 0, atom 4"):
        expansion.transform([broken])
    with pytest.raises(NotFittedError):
        DensityExpansion().transform(frames)
    with pytest.raises(ValueError, match="frame 1, atom"):
        DensityExpansion(species=[1, 6, 8]).fit(frames)


@pytest.mark.parametrize("options, message", [
    (dict(n_max=0), "n_max ≥ 1"), (dict(width=-1.0), "width > 0"), (dict(smoothing=0), "0 < smoothing ≤ cutoff"),
    (dict(smoothing=6.0), "0 < smoothing ≤ cutoff"), (dict(basis="bessel"), "must be one of gto, polynomial"),
    (dict(basis=PolynomialBasis(5.0, 4)), "n_max is 8"), (dict(species=["H", "C"]), "atomic numbers"),
    (dict(species=[]), "atomic numbers"), (dict(n_max=4.0), "whole numbers n_max"), (dict(l_max=2.5), "whole numbers n_max"),
    (dict(mixing=0), "1 or more"), (dict(mixing=np.ones((3, 2))), "a finite row for each of the 2 species"),
    (dict(mixing=np.full((2, 2), np.nan)), "a finite row"), (dict(width=1e-4), "too narrow"), (dict(n_max=18), "too large"),
    (dict(species=None), "expected a list of structures")])
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        DensityExpansion(**({"species": [1, 6]} | options)).fit()
