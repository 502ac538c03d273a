"""λ-SOAP against featomic, Wigner's matrices and integrals over rotations."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from featomic import SphericalExpansion
from featomic.clebsch_gordan import EquivariantPowerSpectrum
from metatensor import Labels

from course_lib.kernels import SOAP, DensityExpansion, LambdaSOAP
from course_lib.symmetry import random_improper, random_rotations, rotate_coefficients, rotation_quadrature, wigner_D

SMALL = dict(n_max=3, l_max=3)
KINDS = [(0, 1), (1, 1), (1, -1), (2, 1), (2, -1), (3, -1), (4, 1), (6, 1)]
each_kind = pytest.mark.parametrize("degree, parity", KINDS)


@pytest.fixture(scope="module")
def frames():
    atoms = [molecule("CH3CONH2"), molecule("CH3CH2OH"), bulk("NaCl", "rocksalt", 5.0)]
    for frame in atoms:
        frame.positions += np.random.default_rng(0).normal(scale=0.1, size=frame.positions.shape)
    return atoms


@pytest.fixture(scope="module")
def featomic(frames):
    density = SphericalExpansion(cutoff=dict(radius=4.0, smoothing=dict(type="ShiftedCosine", width=0.5)),
                                 density=dict(type="Gaussian", width=0.5),
                                 basis=dict(type="TensorProduct", max_angular=3, spline_accuracy=None,
                                            radial=dict(type="Gto", max_radial=2)))
    return EquivariantPowerSpectrum(density).compute(
        frames, selected_keys=Labels(["o3_lambda", "o3_sigma"], np.array(KINDS)), neighbors_to_properties=True)


@each_kind
def test_it_is_featomics_of_any_degree_and_parity(frames, featomic, degree, parity):
    """Entry by entry and sign by sign; featomic stores both orders of equal degrees, we one of them, and all but squares √2."""
    soap = LambdaSOAP(4.0, **SMALL, degree=degree, parity=parity).fit(frames)
    ours, first = soap.transform(frames), np.cumsum([0] + [len(atoms) for atoms in frames])
    table = soap.features_[["l 1", "species 1", "n 1", "l 2", "species 2", "n 2"]].itertuples(index=False, name=None)
    column, seen = {row: k for k, row in enumerate(table)}, set()
    for key, block in featomic.items():
        if (key["o3_lambda"], key["o3_sigma"]) != (degree, parity):
            continue
        rows = first[block.samples["system"]] + block.samples["atom"]
        names = ["l_1", "neighbor_1_type", "n_1", "l_2", "neighbor_2_type", "n_2"]
        for k, label in enumerate(zip(*(block.properties[name].tolist() for name in names), strict=True)):
            if label in column:
                factor = 1 if label[:3] == label[3:] else np.sqrt(0.5)
                assert abs(factor * ours[rows][:, :, column[label]] - block.values[:, :, k]).max() < 1e-10
                seen.add(label)
    absent = [k for label, k in column.items() if label not in seen]  # a metal's channel with a molecule's
    assert seen and not ours[:, :, absent].any()
    assert all({label[1], label[4]} & {11, 17} and {label[1], label[4]} - {11, 17} for label in column if label not in seen)


@each_kind
def test_it_turns_with_wigner_and_answers_an_inversion_by_its_parity(frames, degree, parity):
    soap, rng = LambdaSOAP(**SMALL, degree=degree, parity=parity).fit(frames), np.random.default_rng(1)
    before = soap.transform(frames)
    assert before.shape == (len(before), 2 * degree + 1, len(soap.features_)) and before.dtype == np.float64
    for R in (*random_rotations(2, rng), *random_improper(2, rng), -np.eye(3)):
        turned = [Atoms(a.numbers, a.positions @ R.T, cell=a.cell[:] @ R.T, pbc=a.pbc) for a in frames]
        sign = 1 if parity == 1 else round(np.linalg.det(R))
        expected = np.einsum("ab,ibf->iaf", sign * wigner_D(degree, R), before)
        assert abs(soap.transform(turned) - expected).max() < 1e-12 * abs(before).max()


def test_degree_zero_is_the_power_spectrum_feature_by_feature(frames):
    scalar, soap = LambdaSOAP(**SMALL, degree=0).fit(frames), SOAP(**SMALL).fit(frames)
    assert scalar.features_.equals(soap.features_)
    np.testing.assert_allclose(scalar.transform(frames)[:, 0], soap.transform(frames), atol=1e-14)


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_dot_products_are_its_kernel_an_integral_over_rotations(frames, degree):
    """∫ dR D^λ(R) (∫ ρ(x) ρ'(R⁻¹x) dx)² of Grisafi et al. 2018 times 2λ + 1; proper rotations see both parities."""
    options = dict(n_max=3, l_max=2)
    density = DensityExpansion(**options).fit(frames).transform(frames)[[0, 4]]
    rotations, weights = rotation_quadrature(2 * options["l_max"] + degree)
    overlaps = np.array([density.reshape(2, -1) @ rotate_coefficients(density, R).reshape(2, -1).T for R in rotations])
    expected = (2 * degree + 1) * np.einsum("r,rab,rij->iajb", weights, wigner_D(degree, rotations), overlaps**2)
    kinds = [LambdaSOAP(**options, degree=degree, parity=parity).fit(frames) for parity in (1, -1) if degree or parity == 1]
    features = np.concatenate([soap.transform(frames)[[0, 4]] for soap in kinds], axis=2)
    ours = np.einsum("iaf,jbf->iajb", features, features)
    assert abs(ours - expected).max() < 1e-12 * abs(expected).max()


def test_a_vector_feature_points_along_the_bond_and_a_pseudovector_has_nowhere_to_point():
    bond = np.array([0.3, -0.5, 0.9])
    frames = [Atoms("CO", [[0, 0, 0], bond])]
    vectors = LambdaSOAP(**SMALL, degree=1).fit(frames).transform(frames)[0]  # ordered y, z, x
    across = np.cross(vectors[[2, 0, 1]].T, bond)
    assert abs(across).max() < 1e-14 < 1e-2 < abs(vectors).max()
    assert abs(LambdaSOAP(**SMALL, degree=1, parity=-1).fit(frames).transform(frames)).max() < 1e-14


def test_species_mix_as_in_the_density(frames):
    plain = LambdaSOAP(**SMALL, degree=2).fit(frames)
    mixed = LambdaSOAP(**SMALL, degree=2, mixing=np.eye(6)).fit(frames)
    assert np.array_equal(mixed.transform(frames), plain.transform(frames))
    assert LambdaSOAP(**SMALL, degree=2, mixing=2).fit(frames).transform(frames).shape[2] < plain.transform(frames).shape[2] / 8


@pytest.mark.parametrize("options", [dict(degree=0, parity=-1), dict(degree=7), dict(degree=6, parity=-1), dict(parity=0),
                                     dict(degree=-1), dict(degree=1.0)])
def test_a_degree_and_parity_that_nothing_couples_to_are_refused(frames, options):
    with pytest.raises(ValueError, match="couple to no feature of degree"):
        LambdaSOAP(**SMALL, **options).fit(frames)
