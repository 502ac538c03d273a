"""The bispectrum against an integral over rotations, and what it sees that the power spectrum does not."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from sklearn.exceptions import NotFittedError

from course_lib.kernels import SOAP, Bispectrum, DensityExpansion
from course_lib.symmetry import audit, rotate_coefficients, rotation_quadrature

SMALL = dict(n_max=2, l_max=2)


@pytest.fixture(scope="module")
def frames():
    atoms = [molecule("CH3OH"), bulk("NaCl", "rocksalt", 5.0) * (1, 1, 2)]
    for frame in atoms:
        frame.positions += np.random.default_rng(0).normal(scale=0.1, size=frame.positions.shape)
    return atoms


@pytest.mark.parametrize("parity", [1, -1])
def test_the_audit_finds_scalars_and_pseudoscalars(frames, parity):
    for atoms in frames:
        bispectrum = Bispectrum(**SMALL, parity=parity).fit([atoms])
        table = audit(bispectrum, [atoms]).set_index("element")
        assert set(table.verdict) <= {"kept", "not tested: no frame can tell"} and table.verdict["proper rotation"] == "kept"
        assert len(bispectrum.features_) == bispectrum.transform([atoms]).shape[1]
    assert table.verdict["periodic image"] == "kept"


def test_the_wrong_parity_would_be_found_out(frames):
    pseudoscalars = Bispectrum(**SMALL, parity=-1).fit(frames)
    table = audit(pseudoscalars, frames[:1], symmetry=Bispectrum().symmetry).set_index("element")
    assert table.verdict["inversion, reflection"] == "BROKEN"


def test_dot_products_are_cubed_overlaps_of_densities_averaged_over_rotations(frames):
    """∫ dR (∫ ρ(x) ρ'(R⁻¹x) dx)³ by quadrature over SO(3), which sees both parities; factors and multiplicities in one."""
    density = DensityExpansion(**SMALL).fit(frames).transform(frames)[[0, 1, 6]]
    rotations, weights = rotation_quadrature(3 * SMALL["l_max"])
    overlaps = np.array([density.reshape(3, -1) @ rotate_coefficients(density, R).reshape(3, -1).T for R in rotations])
    features = np.hstack([Bispectrum(**SMALL, parity=parity).fit(frames).transform(frames)[[0, 1, 6]] for parity in (1, -1)])
    expected = np.einsum("r,rij->ij", weights, overlaps**3)
    np.testing.assert_allclose(features @ features.T, expected, rtol=1e-11)


def test_it_sees_the_ring_pair_that_has_one_power_spectrum():
    def ring(hours):
        angles = np.pi / 6 * np.array(hours)
        return Atoms("CHHHH", np.vstack([np.zeros(3), 2 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)]))

    pair = [ring((0, 1, 4, 6)), ring((0, 1, 3, 7))]
    power, bi = (features.fit(pair).transform(pair)[[0, 5]] for features in (SOAP(n_max=2, l_max=4), Bispectrum()))
    assert abs(power[0] - power[1]).max() < 1e-13 * abs(power).max()
    assert abs(bi[0] - bi[1]).max() > 0.05 * abs(bi).max()


def test_only_the_odd_one_tells_left_from_right():
    """By the carbon of CHFClBr; the even bispectrum is as blind as the power spectrum."""
    corners = 1.2 * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    pair = [Atoms("CHFClBr", corners), Atoms("CHFClBr", corners * [-1, 1, 1])]
    even, odd = (Bispectrum(**SMALL, parity=parity).fit(pair).transform(pair)[[0, 5]] for parity in (1, -1))
    assert abs(even[0] - even[1]).max() < 1e-14
    assert abs(odd[0] + odd[1]).max() < 1e-14 < 1e-3 < abs(odd).max()


def test_settings_that_leave_nothing_are_refused():
    for options in (dict(parity=-1, l_max=0), dict(parity=2)):
        with pytest.raises(ValueError, match="couple to no number of parity"):
            Bispectrum(**options, species=[1]).fit()
    with pytest.raises(NotFittedError):
        Bispectrum().transform([Atoms("H")])
