"""Transforms on S² and SO(3): inverse to each other, equal to sums over SciPy's and the course's functions, exact as stated."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from course_lib.equivariant.rotation_fourier import RotationFourier, matrix_places, wigner_d
from course_lib.equivariant.spherical_fourier import SphericalFourier
from course_lib.symmetry import rotation_quadrature, spherical_harmonics, to_scipy, wigner_D

RNG = np.random.default_rng(13)


def random(*shape, dtype=torch.float64):
    return torch.tensor(RNG.normal(size=shape), dtype=dtype)


def rotation_functions(l_max, rotations):
    """(2l + 1) D^l_mn, (n, Σ (2l + 1)²), by the quadrature of `symmetry.wigner_D`."""
    return np.hstack([(2 * l + 1) * wigner_D(l, rotations).reshape(len(rotations), -1) for l in range(l_max + 1)])


@pytest.mark.parametrize(("l_max", "degree"), [(0, None), (1, 2), (5, None), (8, 25), (32, None), (48, 96)])
def test_a_bandlimited_signal_on_the_sphere_survives_the_way_there_and_back(l_max, degree):
    fourier, f = SphericalFourier(l_max, degree), random(2, 3, (l_max + 1) ** 2)
    torch.testing.assert_close(fourier.analysis(fourier.synthesis(f)), f, rtol=0, atol=1e-12)


@pytest.mark.parametrize("l_max", [0, 3, 32])
def test_values_on_the_sphere_are_sums_of_scipys_harmonics(l_max):
    fourier, f = SphericalFourier(l_max), random((l_max + 1) ** 2)
    x, y, z = fourier.directions.T
    expected = np.zeros(len(x), complex)
    for l in range(l_max + 1):
        m = np.arange(-l, l + 1)[:, None]
        complex_harmonics = sph_harm_y(l, m, np.arccos(z), np.arctan2(y, x))
        expected += f[l * l:(l + 1) ** 2].numpy() @ to_scipy(l).conj().T @ complex_harmonics
    np.testing.assert_allclose(fourier.synthesis(f), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("l_max", [0, 1, 2, 5])
def test_values_on_the_rotations_are_sums_of_the_courses_wigner_functions(l_max):
    fourier, F = RotationFourier(l_max), random(matrix_places(l_max)[-1].stop)
    expected = rotation_functions(l_max, rotation_quadrature(fourier.degree)[0]) @ F.numpy()
    np.testing.assert_allclose(fourier.synthesis(F), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize(("l_max", "degree"), [(0, None), (1, 2), (4, 11), (10, None), (32, 64)])
def test_a_bandlimited_signal_on_the_rotations_survives_the_way_there_and_back(l_max, degree):
    fourier, F = RotationFourier(l_max, degree), random(2, matrix_places(l_max)[-1].stop)
    torch.testing.assert_close(fourier.analysis(fourier.synthesis(F)), F, rtol=0, atol=1e-12)


def one_degree(Fourier, l, degree):
    """Values of a random function of degree l, and no other, on the grid for `degree`."""
    if Fourier is SphericalFourier:
        return torch.tensor(spherical_harmonics(l, SphericalFourier(0, degree).directions)[:, l * l:]) @ random(2 * l + 1)
    D = rotation_functions(l, rotation_quadrature(degree)[0])[:, matrix_places(l)[-1]]
    return torch.tensor(D) @ random((2 * l + 1) ** 2)


@pytest.mark.parametrize("Fourier", [SphericalFourier, RotationFourier])
def test_degrees_are_exact_up_to_the_quadratures_less_l_max_and_aliased_beyond(Fourier):
    seen = [Fourier(3, 10).analysis(one_degree(Fourier, l, 10)).abs().max() for l in range(4, 9)]  # right would be: nothing
    assert max(seen[:4]) < 1e-12 and seen[4] > 1e-2


@pytest.mark.parametrize("l", [0, 1, 2, 7, 32])
def test_small_d_is_the_courses_wigner_matrix_of_a_rotation_about_y(l):
    beta = np.array([0, 0.3, 1.4, 2.9, np.pi])
    d = wigner_d(l, beta)[l].transpose(2, 0, 1)
    real = to_scipy(l).conj().T @ d @ to_scipy(l)
    np.testing.assert_allclose(real, wigner_D(l, Rotation.from_euler("y", beta[:, None]).as_matrix()), rtol=0, atol=2e-13)


@pytest.mark.parametrize("l_max", [32, 100])
def test_small_d_is_orthogonal_to_rounding_at_large_degrees(l_max):
    d = wigner_d(l_max, np.array([0.01, 0.8, 1.6, 3.1]))
    for l in (1, l_max // 2, l_max):
        block = d[l, l_max - l:l_max + l + 1, l_max - l:l_max + l + 1].transpose(2, 0, 1)
        np.testing.assert_allclose(block @ block.transpose(0, 2, 1), np.broadcast_to(np.eye(2 * l + 1), block.shape),
                                   rtol=0, atol=1e-12)
    assert not d[0, :l_max].any()


def test_parseval_holds_on_both_grids():
    f, F = random((7 + 1) ** 2), random(matrix_places(4)[-1].stop)
    sphere, rotations = SphericalFourier(7), RotationFourier(4)
    square = SphericalFourier(0, sphere.degree).analysis(sphere.synthesis(f) ** 2)[0] * (4 * np.pi) ** 0.5
    torch.testing.assert_close(square, (f**2).sum(), rtol=1e-12, atol=0)
    mean = RotationFourier(0, rotations.degree).analysis(rotations.synthesis(F) ** 2)[0]
    expected = sum((2 * l + 1) * (F[place] ** 2).sum() for l, place in enumerate(matrix_places(4)))
    torch.testing.assert_close(mean, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("Fourier", "size"), [(SphericalFourier, 16), (RotationFourier, 84)])
def test_transforms_are_differentiable_and_their_gradients_are_slopes(Fourier, size):
    fourier = Fourier(3)
    f = random(2, size).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: fourier.analysis(fourier.synthesis(f).sin()), f)


@pytest.mark.parametrize(("Fourier", "size"), [(SphericalFourier, 36), (RotationFourier, 286)])
def test_single_precision_agrees_with_double(Fourier, size):
    fourier, f = Fourier(5), random(3, size)
    values = fourier.synthesis(f.float())
    assert values.dtype == torch.float32
    torch.testing.assert_close(fourier.analysis(values).double(), f, rtol=0, atol=3e-5)


@pytest.mark.parametrize("Fourier", [SphericalFourier, RotationFourier])
def test_what_does_not_fit_is_refused(Fourier):
    with pytest.raises(ValueError, match=r"l_max is 4 and the degree of the quadrature 7.*degree ≥ 2 l_max"):
        Fourier(4, 7)
    with pytest.raises(ValueError, match="l_max is -1"):
        Fourier(-1)
    with pytest.raises(ValueError, match=r"values have shape \(2, 5\); the last axis must hold those at the"):
        Fourier(3).analysis(torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"coefficients have shape \(17,\); the last axis must hold"):
        Fourier(3).synthesis(torch.zeros(17))
