"""The power spectrum against featomic, DScribe, integrals over rotations and finite differences; and what it cannot see."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from dscribe.descriptors import SOAP as DScribe
from featomic import SoapPowerSpectrum
from sklearn.base import clone

from course_lib.kernels import SOAP, DensityExpansion
from course_lib.learning import checkpoint
from course_lib.structures import GaussianTypeOrbitals
from course_lib.symmetry import audit, rotate_coefficients, rotation_quadrature

SMALL = dict(n_max=3, l_max=3)


def rattled(atoms, seed=0):
    atoms = atoms.copy()
    atoms.positions += np.random.default_rng(seed).normal(scale=0.1, size=atoms.positions.shape)
    return atoms


@pytest.fixture(scope="module")
def molecules():
    return [rattled(molecule(name)) for name in ("CH3CONH2", "CH3CH2OH", "NH3")]


@pytest.fixture(scope="module")
def crystal():
    """Smaller than the cutoff: several images of each neighbour, and of each atom itself."""
    return [rattled(bulk("NaCl", "rocksalt", 5.0, cubic=False) * (1, 1, 2))]


def difference_to_featomic(frames, tolerance=None):
    peer = SoapPowerSpectrum(cutoff=dict(radius=5.0, smoothing=dict(type="ShiftedCosine", width=0.5)),
                             density=dict(type="Gaussian", width=0.5),
                             basis=dict(type="TensorProduct", max_angular=6, spline_accuracy=tolerance,
                                        radial=dict(type="Gto", max_radial=7))).compute(frames)
    soap = SOAP().fit(frames)
    ours, first = soap.transform(frames), np.cumsum([0] + [len(atoms) for atoms in frames])
    column = {tuple(row): k for k, row in enumerate(
        soap.features_[["l 1", "species 1", "n 1", "species 2", "n 2"]].itertuples(index=False, name=None))}
    worst, seen = 0.0, set()
    for key, block in peer.items():
        rows, species = first[block.samples["system"]] + block.samples["atom"], (key["neighbor_1_type"], key["neighbor_2_type"])
        for values, (l, n1, n2) in zip(block.values.T, block.properties.values.tolist(), strict=True):
            again = species[0] == species[1] and n1 > n2  # featomic stores both orders, we one of them times √2
            k = column[l, species[0], min(n1, n2) if again else n1, species[1], max(n1, n2) if again else n2]
            factor = np.sqrt(0.5) if species[0] == species[1] and n1 != n2 else 1
            worst, seen = max(worst, abs(factor * ours[rows, k] - values).max()), seen | {k}
    assert len(seen) == ours.shape[1]
    return worst


def test_it_is_featomics_on_molecules_of_four_species(molecules):
    assert difference_to_featomic(molecules) < 1e-9


def test_it_is_featomics_on_512_silicon_atoms():
    assert difference_to_featomic([rattled(bulk("Si", cubic=True) * (4, 4, 4))], 1e-10) < 1e-8


def test_it_is_dscribes_with_its_basis_reach_and_factors(molecules):
    """DScribe has no cutoff function: neighbours up to r_c + σ √(2 ln 1000) count in full, Gaussians of height one."""
    cutoff, n_max, l_max, width = 4.0, 5, 4, 0.5
    peer = DScribe(r_cut=cutoff, n_max=n_max, l_max=l_max, sigma=width, rbf="gto", species=[1, 6, 7, 8]).create(molecules)
    soap = SOAP(cutoff + width * np.sqrt(2 * np.log(1000)), n_max, l_max, width, smoothing=1e-9,
                basis=GaussianTypeOrbitals.dscribe(cutoff, n_max, l_max)).fit(molecules)
    table, ours = soap.features_, soap.transform(molecules)
    order = np.lexsort([table[name] for name in ("n 2", "n 1", "l 1", "species 2", "species 1")])
    once = (table["species 1"] != table["species 2"]) | (table["n 1"] != table["n 2"])
    scale = np.pi * np.sqrt(8) * (np.pi * width**2) ** 1.5 * (-1.0) ** table["l 1"] / np.where(once, np.sqrt(2), 1)
    np.testing.assert_allclose((ours * scale.to_numpy())[:, order], np.concatenate(peer), rtol=0, atol=1e-9)


def test_dot_products_are_squared_overlaps_of_densities_averaged_over_rotations(molecules):
    """∫ dR (∫ ρ(x) ρ'(R⁻¹x) dx)², summed over species: the SOAP kernel of 2013, by quadrature over SO(3)."""
    density = DensityExpansion(**SMALL).fit(molecules).transform(molecules)[[0, 4, 10]]
    rotations, weights = rotation_quadrature(2 * SMALL["l_max"])
    overlaps = np.array([density.reshape(3, -1) @ rotate_coefficients(density, R).reshape(3, -1).T for R in rotations])
    features = SOAP(**SMALL).fit(molecules).transform(molecules)[[0, 4, 10]]
    np.testing.assert_allclose(features @ features.T, np.einsum("r,rij->ij", weights, overlaps**2), rtol=1e-12)


@pytest.mark.parametrize("options", [{}, dict(normalise=True), dict(basis="polynomial", mixing=2)])
def test_the_audit_finds_every_symmetry_kept(molecules, crystal, options):
    for frames in (molecules, crystal):
        table = audit(SOAP(**SMALL, **options).fit(frames), frames)
        assert set(table.verdict) <= {"kept", "not tested: no frame can tell"}
    assert table.verdict.iloc[-1] == "kept"  # the periodic image


def central_differences(function, frame, h=1e-3):
    """∂ function / ∂ position (3 N, …), of fourth order."""
    slopes = []
    for i, x in np.ndindex(len(frame), 3):
        moved = [frame.copy() for _ in range(4)]
        for step, atoms in zip((-2, -1, 1, 2), moved, strict=True):
            atoms.positions[i, x] += step * h
        slopes.append(np.tensordot([1, -8, 8, -1], function(moved).reshape(4, len(frame), -1), 1) / (12 * h))
    return np.array(slopes)


@pytest.mark.parametrize("options", [{}, dict(normalise=True), dict(basis="polynomial"), dict(mixing=2, normalise=True),
                                     dict(cutoff=2.9, smoothing=1.5)])
@pytest.mark.parametrize("system", ["molecules", "crystal"])
def test_derivatives_are_finite_differences_and_rows_of_a_centre_add_up_to_zero(system, options, request):
    frame = request.getfixturevalue(system)[-1]
    soap = SOAP(**SMALL, **options).fit([frame])
    slopes = soap.derivatives([frame])
    ours = np.zeros((len(frame), 3, len(frame), slopes.values.shape[2]))
    np.add.at(ours, (slopes.neighbours, slice(None), slopes.centres), slopes.values)
    expected = central_differences(soap.transform, frame)
    assert abs(ours.reshape(expected.shape) - expected).max() < 1e-7 * abs(expected).max()
    total = np.zeros((len(frame), *slopes.values.shape[1:]))
    np.add.at(total, slopes.centres, slopes.values)
    assert abs(total).max() < 1e-12 * abs(slopes.values).max()


def test_derivatives_know_their_image(crystal):
    """Σ ∂p/∂r_j ⊗ r_ij over the images of all neighbours is the slope under a strain of atoms and cell."""
    atoms, h = crystal[0], 1e-4
    soap = SOAP(**SMALL).fit(crystal)
    slopes = soap.derivatives(crystal)
    virial = np.zeros((len(atoms), 3, 3, slopes.values.shape[2]))
    np.add.at(virial, slopes.centres, slopes.vectors[:, :, None, None] * slopes.values[:, None])
    assert len(np.unique(np.column_stack([slopes.centres, slopes.neighbours]), axis=0)) < len(slopes.centres) / 5
    for i, j in np.ndindex(3, 3):
        moved = []
        for step in (-2, -1, 1, 2):
            stretch = np.eye(3)
            stretch[i, j] += step * h
            moved.append(Atoms(atoms.numbers, atoms.positions @ stretch, cell=atoms.cell[:] @ stretch, pbc=True))
        expected = np.tensordot([1, -8, 8, -1], soap.transform(moved).reshape(4, len(atoms), -1), 1) / (12 * h)
        assert abs(virial[:, i, j] - expected).max() < 1e-7 * abs(virial).max()


@pytest.mark.parametrize("options", [{}, dict(normalise=True), dict(mixing=2, normalise=True)])
def test_pulling_back_is_contracting_the_derivatives(molecules, crystal, options):
    frames = molecules + crystal
    soap = SOAP(**SMALL, **options).fit(frames)
    slopes = soap.derivatives(frames)
    weights = np.random.default_rng(0).normal(size=soap.transform(frames).shape)
    pulled = soap.pull_back(frames, weights)
    expected = np.einsum("pxf,pf->px", slopes.values, weights[slopes.centres])
    assert abs(pulled.values - expected).max() < 1e-12 * abs(expected).max()
    for name in ("centres", "neighbours", "vectors"):
        assert np.array_equal(getattr(pulled, name), getattr(slopes, name))
    with pytest.raises(ValueError, match="weights have shape"):
        soap.pull_back(frames, weights[:-1])


@pytest.mark.parametrize("smoothing, jumps", [(0.5, False), (1e-6, True)])
def test_a_neighbour_leaves_smoothly_only_through_a_cutoff_function(smoothing, jumps):
    def pair(r):
        return [Atoms("CO", [[0, 0, 0], [0, 0, r]])]

    soap = SOAP(4.0, **SMALL, smoothing=smoothing).fit(pair(1))
    inside, outside = soap.transform(pair(4 - 1e-5))[0], soap.transform(pair(4 + 1e-5))[0]
    assert (abs(inside - outside).max() > 1e-3) == jumps
    if not jumps:
        assert abs(inside - outside).max() < 1e-8
        assert abs(soap.derivatives(pair(4 - 1e-5)).values).max() < 1e-3 < abs(soap.derivatives(pair(3.7)).values).max()


def test_normalised_rows_have_length_one_and_dot_products_within_one(molecules):
    features = SOAP(**SMALL, normalise=True).fit(molecules).transform(molecules)
    kernel = features @ features.T
    np.testing.assert_allclose(kernel.diagonal(), 1, rtol=1e-12)
    off_diagonal = kernel[~np.eye(len(kernel), dtype=bool)]
    assert 0 < off_diagonal.min() < 0.5 and off_diagonal.max() < 1


def test_a_species_that_is_absent_leaves_zeros_and_changes_nothing_else(molecules):
    soap, more = SOAP(**SMALL).fit(molecules), SOAP(**SMALL, species=[17, 8, 7, 6, 1]).fit()
    absent = ((more.features_["species 1"] == 17) | (more.features_["species 2"] == 17)).to_numpy()
    assert not more.transform(molecules)[:, absent].any() and not more.derivatives(molecules).values[..., absent].any()
    np.testing.assert_array_equal(more.transform(molecules)[:, ~absent], soap.transform(molecules))


def test_one_lone_atom_has_features_and_no_neighbours():
    soap = SOAP(**SMALL, species=[6]).fit()
    slopes = soap.derivatives([Atoms("C")])
    assert soap.transform([Atoms("C")]).any() and soap.transform([Atoms("C")]).dtype == np.float64
    assert slopes.values.shape == (1, 3, 24) and not slopes.values.any() and not slopes.vectors.any()


def test_an_atom_whose_species_weighs_nothing_and_sees_nobody_has_no_features_and_no_direction():
    soap = SOAP(**SMALL, species=[1, 6], mixing=np.array([[0.0], [1.0]]), normalise=True).fit()
    assert not soap.transform([Atoms("H")]).any() and not soap.derivatives([Atoms("H")]).values.any()


def test_it_is_a_scikit_learn_transformer_and_can_be_saved(molecules, tmp_path):
    soap = SOAP(**SMALL, mixing=2, normalise=True)
    assert clone(soap).get_params() == soap.get_params() == soap.set_params(seed=0).get_params()
    features = soap.fit_transform(molecules)
    assert len(soap.features_) == features.shape[1] == 4 * 6 * 7 // 2
    checkpoint.save(soap, tmp_path / "soap.safetensors")
    np.testing.assert_array_equal(checkpoint.load(tmp_path / "soap.safetensors", SOAP).transform(molecules), features)


def test_left_and_right_hand_are_the_same_to_it():
    hand = rattled(Atoms("CHFClBr", 1.2 * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])))
    mirror = Atoms(hand.numbers, hand.positions * [-1, 1, 1])
    features = SOAP(**SMALL).fit([hand]).transform([hand, mirror]).reshape(2, -1)
    assert abs(features[0] - features[1]).max() < 1e-14


def test_the_power_spectrum_cannot_tell_the_ring_pair_apart():
    """Hours {0, 1, 4, 6} and {0, 1, 3, 7} on a clock face have the same distances, each as often."""
    def ring(hours):
        angles = np.pi / 6 * np.array(hours)
        return Atoms("CHHHH", np.vstack([np.zeros(3), 2 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)]))

    frames = [ring((0, 1, 4, 6)), ring((0, 1, 3, 7)), ring((0, 1, 3, 6))]
    first, second, other = SOAP(n_max=6, l_max=8).fit(frames).transform(frames)[[0, 5, 10]]
    assert abs(first - second).max() < 1e-13 * abs(first).max() < 1e-3 < abs(first - other).max()
