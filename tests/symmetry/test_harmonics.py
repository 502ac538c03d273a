"""Harmonics, Wigner matrices and couplings against SciPy, e3nn, SymPy and quadrature."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from e3nn import o3
from scipy.special import sph_harm_y
from sympy.physics.quantum.cg import CG

from course_lib.symmetry import (
    clebsch_gordan,
    couple,
    icosahedral_rotations,
    random_improper,
    random_rotations,
    recurred_harmonics,
    rotate_coefficients,
    rotation_quadrature,
    sphere_quadrature,
    spherical_harmonics,
    spherical_harmonics_gradient,
    to_e3nn,
    to_scipy,
    wigner_D,
)

IMPLEMENTATIONS = pytest.mark.parametrize("harmonics", [spherical_harmonics, recurred_harmonics])
POLES_AND_AXES = np.vstack([np.eye(3), -np.eye(3), [[1e-9, 0, 1], [3, 4, 0]]])


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def degree(values, l):
    return values[..., l * l:(l + 1) ** 2]


@IMPLEMENTATIONS
def test_harmonics_are_scipys_after_the_change_of_basis(harmonics, rng):
    vectors = np.vstack([rng.normal(size=(500, 3)), POLES_AND_AXES])
    x, y, z = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).T
    ours = harmonics(30, vectors)
    for l in range(31):
        theirs = np.stack([sph_harm_y(l, m, np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)) for m in range(-l, l + 1)], 1)
        assert np.abs(theirs - degree(ours, l) @ to_scipy(l).T).max() < 1e-13


@IMPLEMENTATIONS
def test_harmonics_are_orthonormal_up_to_degree_30(harmonics):
    points, weights = sphere_quadrature(60)
    values = harmonics(30, points)
    assert np.abs((values * weights[:, None]).T @ values - np.eye(31**2)).max() < 1e-12


@IMPLEMENTATIONS
def test_float32_stays_float32_to_its_own_accuracy(harmonics, rng):
    vectors = rng.normal(size=(200, 3))
    single = harmonics(8, vectors.astype(np.float32))
    assert single.dtype == np.float32
    assert np.abs(single - harmonics(8, vectors)).max() < 64 * np.finfo(np.float32).eps


def test_gradients_are_finite_differences(rng):
    vectors, h = 2 * random_rotations(20, rng)[:, 0], 1e-5
    values, gradient = spherical_harmonics_gradient(6, vectors)
    numeric = np.stack([(spherical_harmonics(6, vectors + h * e) - spherical_harmonics(6, vectors - h * e)) / (2 * h)
                        for e in np.eye(3)], axis=1)
    assert np.abs(values - spherical_harmonics(6, vectors)).max() < 1e-14
    assert np.abs(gradient - numeric).max() < 1e-7


@pytest.mark.parametrize("normalization", ["integral", "component", "norm"])
@pytest.mark.parametrize("l", [0, 1, 2, 5, 11])
def test_harmonics_are_e3nns_after_the_change_of_basis(l, normalization, rng):
    vectors = rng.normal(size=(50, 3))
    theirs = o3.spherical_harmonics(l, torch.tensor(vectors), True, normalization).numpy()
    assert np.abs(theirs - degree(spherical_harmonics(l, vectors), l) @ to_e3nn(l, normalization).T).max() < 1e-13


def test_e3nn_vectors_are_ordered_xyz():
    assert np.abs(to_e3nn(1) @ np.array([2.0, 3.0, 1.0]) - [1, 2, 3]).max() < 1e-15  # ours holds (y, z, x)


@pytest.mark.parametrize("vector", [[0, 0, 0], [np.nan, 0, 1], [np.inf, 0, 0]])
@IMPLEMENTATIONS
def test_a_vector_without_direction_is_refused_by_its_number(harmonics, vector):
    with pytest.raises(ValueError, match="vector 1"):
        harmonics(3, np.array([[0, 0, 1.0], vector]))


def test_a_negative_degree_is_refused():
    with pytest.raises(ValueError, match="l_max is -1"):
        spherical_harmonics(-1, np.eye(3))


@pytest.mark.parametrize("l", [0, 1, 2, 7, 30])
def test_wigner_matrices_turn_harmonics_and_represent_the_group(l, rng):
    a, b = random_rotations(1, rng)[0], random_improper(1, rng)[0]
    vectors = rng.normal(size=(40, 3))
    turned = degree(spherical_harmonics(l, vectors @ b.T), l)
    assert np.abs(turned - degree(spherical_harmonics(l, vectors), l) @ wigner_D(l, b).T).max() < 1e-12
    assert np.abs(wigner_D(l, a) @ wigner_D(l, b) - wigner_D(l, a @ b)).max() < 1e-12
    assert np.abs(wigner_D(l, b) @ wigner_D(l, b).T - np.eye(2 * l + 1)).max() < 1e-12
    assert np.abs(wigner_D(l, -np.eye(3)) - (-1) ** l * np.eye(2 * l + 1)).max() < 1e-12


def test_wigner_matrices_are_e3nns(rng):
    rotation = random_rotations(1, rng)[0]
    theirs = o3.Irrep("3o").D_from_matrix(torch.tensor(rotation)).numpy()  # e3nn keeps its constants in float32
    assert np.abs(to_e3nn(3) @ wigner_D(3, rotation) @ to_e3nn(3).T - theirs).max() < 1e-5


def test_a_matrix_that_is_no_rotation_is_refused():
    with pytest.raises(ValueError, match="not orthogonal"):
        wigner_D(2, np.diag([1, 1, 2.0]))


def test_rotated_coefficients_are_the_rotated_function(rng):
    rotation, vectors, coefficients = random_improper(1, rng)[0], rng.normal(size=(30, 3)), rng.normal(size=25)
    rotated = spherical_harmonics(4, vectors) @ rotate_coefficients(coefficients, rotation)
    assert np.abs(rotated - spherical_harmonics(4, vectors @ rotation) @ coefficients).max() < 1e-12
    with pytest.raises(ValueError, match="24 coefficients"):
        rotate_coefficients(coefficients[1:], rotation)


TRIPLES = [(l1, l2, L) for l1 in range(5) for l2 in range(5) for L in range(abs(l1 - l2), l1 + l2 + 1)]


@pytest.mark.parametrize("l1, l2, L", TRIPLES)
def test_coupling_is_equivariant_isometric_and_e3nns(l1, l2, L, rng):
    table = clebsch_gordan(l1, l2, L)
    d1, d2, d = (wigner_D(l, random_rotations(1, np.random.default_rng(3))[0]) for l in (l1, l2, L))
    assert np.abs(np.einsum("ijk,ai,bj->abk", table, d1, d2) - np.einsum("abm,mk->abk", table, d)).max() < 1e-12
    assert np.abs(np.einsum("ijk,ijl->kl", table, table) - np.eye(2 * L + 1)).max() < 1e-12
    theirs = o3.wigner_3j(l1, l2, L, dtype=torch.float64).numpy() * np.sqrt(2 * L + 1)
    ours = np.einsum("ijk,ai,bj,ck->abc", table, to_e3nn(l1), to_e3nn(l2), to_e3nn(L))
    assert np.abs(ours - theirs).max() < 1e-12


def test_complex_coefficients_are_sympys():
    table = np.einsum("ijk,ai,bj,ck->abc", clebsch_gordan(3, 2, 4) * (1j) ** (3 + 2 - 4),
                      to_scipy(3).conj(), to_scipy(2).conj(), to_scipy(4))
    for m1 in range(-3, 4):
        for m2 in range(-2, 3):
            if abs(m1 + m2) <= 4:
                assert table[m1 + 3, m2 + 2, m1 + m2 + 4] == pytest.approx(float(CG(3, m1, 2, m2, 4, m1 + m2).doit()))


def test_high_degrees_lose_nothing():
    table = clebsch_gordan(30, 30, 30)
    assert np.abs(np.einsum("ijk,ijl->kl", table, table) - np.eye(61)).max() < 1e-12


def test_one_times_one_is_dot_cross_and_traceless_part(rng):
    a, b = rng.normal(size=(2, 3))
    yzx, xyz = [1, 2, 0], [2, 0, 1]
    assert couple(a[yzx], b[yzx], 0)[0] == pytest.approx(a @ b / np.sqrt(3))
    assert np.abs(couple(a[yzx], b[yzx], 1)[xyz] - np.cross(a, b) / np.sqrt(2)).max() < 1e-14
    assert np.linalg.norm(couple(a[yzx], b[yzx], 2)) ** 2 == pytest.approx(
        np.sum(((np.outer(a, b) + np.outer(b, a)) / 2 - np.eye(3) * (a @ b) / 3) ** 2))


def test_coupling_outside_the_triangle_is_nothing():
    assert not clebsch_gordan(1, 1, 3).any()


def test_rotation_quadrature_is_exact_to_its_degree_and_not_beyond():
    rotations, weights = rotation_quadrature(4)
    assert weights.sum() == pytest.approx(1)
    for l in range(1, 5):
        assert np.abs(np.einsum("n,nij->ij", weights, wigner_D(l, rotations))).max() < 1e-14
    assert np.abs(np.einsum("n,nij->ij", weights, wigner_D(5, rotations))).max() > 0.1


def test_an_icosahedral_shell_is_invisible_below_degree_six():
    golden = (1 + np.sqrt(5)) / 2
    shell = np.array([[0, s, t * golden] for s in (-1, 1) for t in (-1, 1)])
    shell = np.vstack([np.roll(shell, k, axis=1) for k in range(3)])
    power = [np.sum(degree(spherical_harmonics(10, shell).sum(axis=0), l) ** 2) for l in range(1, 11)]
    assert max(power[:5]) < 1e-20
    assert power[5] > 1 and power[9] > 1
    means = [np.trace(wigner_D(l, icosahedral_rotations()), axis1=1, axis2=2).mean() for l in range(16)]
    assert np.flatnonzero(np.round(means, 10)).tolist() == [0, 6, 10, 12, 15]


def test_any_kind_of_integer_gives_the_same_coefficients():
    assert np.array_equal(clebsch_gordan(np.int64(4), 4, np.int64(6)), clebsch_gordan(4, 4, 6))
    with pytest.raises(ValueError, match="0 to 200"):
        clebsch_gordan(300, 300, 300)


def test_no_feature_has_an_even_number_of_components():
    with pytest.raises(ValueError, match="2l \\+ 1"):
        couple(np.ones(2), np.ones(2), 0)


def test_no_vectors_have_no_harmonics():
    assert spherical_harmonics(2, np.zeros((0, 3))).shape == (0, 9)


def test_threads_and_their_number_do_not_matter():
    """A live figure computes in a thread of its own, after training has set the number of threads: no crash, same values."""
    script = """
import threading, numpy as np, torch
from course_lib.symmetry import spherical_harmonics
torch.set_num_threads(1)
points = np.random.default_rng(0).normal(size=(3000, 3))
expected, found = spherical_harmonics(8, points), []
threads = [threading.Thread(target=lambda: found.extend(spherical_harmonics(8, points) for _ in range(100))) for _ in "ab"]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), all(np.array_equal(values, expected) for values in found))
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | {"OMP_NUM_THREADS": "2"}, capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout.split()) == (0, ["200", "True"]), done.stderr
