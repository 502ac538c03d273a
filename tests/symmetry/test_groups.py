"""Random elements are Haar, averages are projections, and Molien counts what brute force finds."""

from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from course_lib.symmetry import (
    cycle_index,
    icosahedral_rotations,
    molien_of_matrices,
    molien_series,
    random_improper,
    random_isometry,
    random_permutation,
    random_rotations,
    reynolds,
    sphere_quadrature,
    wigner_D,
)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def haar_p_value(rotations):
    """Under Haar measure the image of any axis is uniform on the sphere: its z component is uniform on [−1, 1]."""
    return kstest(rotations[:, 2, 0], "uniform", args=(-1, 2)).pvalue


def test_random_rotations_are_haar_and_uniform_euler_angles_are_not(rng):
    assert haar_p_value(random_rotations(4000, rng)) > 1e-3
    euler = Rotation.from_euler("ZYZ", rng.uniform([0, 0, 0], [2 * np.pi, np.pi, 2 * np.pi], size=(4000, 3))).as_matrix()
    assert haar_p_value(euler) < 1e-6


def test_the_mean_of_wigner_matrices_vanishes_under_haar(rng):
    n = 20000
    assert np.abs(wigner_D(2, random_rotations(n, rng)).mean(axis=0)).max() < 5 / np.sqrt(5 * n)


def test_improper_elements_reverse_orientation(rng):
    assert np.abs(np.linalg.det(random_improper(50, rng)) + 1).max() < 1e-12
    assert np.abs(np.linalg.det(random_rotations(50, rng)) - 1).max() < 1e-12


def test_isometries_compose_and_invert(rng):
    f, g, points = random_isometry(rng), random_isometry(rng), rng.normal(size=(6, 3))
    assert np.abs((f @ g)(points) - f(g(points))).max() < 1e-13
    assert np.abs(f.inverse(f(points)) - points).max() < 1e-13


def test_permutations_keep_species_and_are_uniform(rng):
    numbers = np.array([6, 1, 1, 1, 8])
    drawn = np.array([random_permutation(numbers, rng) for _ in range(6000)])
    assert (numbers[drawn] == numbers).all()
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 6 and np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_icosahedral_rotations_are_a_group_of_sixty():
    group = icosahedral_rotations()
    table = np.einsum("aij,bjk->abik", group, group)
    assert len(group) == 60
    assert np.abs(table[:, :, None] - group).max(axis=(-1, -2)).min(axis=-1).max() < 1e-12


def test_reynolds_projects_on_invariants_and_keeps_them():
    group, rng = icosahedral_rotations(), np.random.default_rng(0)
    points = rng.normal(size=(5, 3))

    def act(g, x):
        return x @ g.T

    mean = reynolds(lambda x: np.sum(x[:, 0] ** 6 + x[:, 1] * x[:, 2]), group, act)
    assert mean(points) == pytest.approx(mean(act(group[17], points)), rel=1e-12)
    assert reynolds(mean, group[:7], act)(points) == pytest.approx(mean(points), rel=1e-12)


def test_reynolds_makes_any_map_equivariant(rng):
    group, points = icosahedral_rotations(), rng.normal(size=3)

    def crooked(x):
        return np.array([x[0] ** 3, x[1] * x[2] ** 2, x[0] * x[1]])

    mean = reynolds(crooked, group, lambda g, x: g @ x, undo=lambda g, y: g.T @ y)
    assert np.abs(crooked(group[5] @ points) - group[5] @ crooked(points)).max() > 0.1
    assert np.abs(mean(group[5] @ points) - group[5] @ mean(points)).max() < 1e-12


def test_reynolds_refuses_an_empty_group_and_stray_weights():
    with pytest.raises(ValueError, match="at least its identity"):
        reynolds(abs, [], lambda g, x: x)
    with pytest.raises(ValueError, match="2 weights for 1"):
        reynolds(abs, [1], lambda g, x: x, weights=[0.5, 0.5])


def test_sphere_quadrature_is_exact_to_its_degree():
    points, weights = sphere_quadrature(6)
    x, _, z = points.T
    assert weights.sum() == pytest.approx(4 * np.pi)
    assert weights @ z**6 == pytest.approx(4 * np.pi / 7)
    assert weights @ (x**2 * z**4) == pytest.approx(4 * np.pi * 3 / (3 * 5 * 7))
    with pytest.raises(ValueError, match="degree is -1"):
        sphere_quadrature(-1)


KNOWN = {"AAA": [1, 2, 4, 7, 11, 16, 23, 31, 41], "AAB": [1, 3, 7, 13, 22, 34],
         "AAAA": [1, 2, 5, 11, 22, 40, 72, 120, 195], "CHHHH": [1, 3, 10, 30, 83, 208, 495, 1101, 2327],
         "CCHHHHHHO": [1, 6, 32, 153, 712, 3234]}


@pytest.mark.parametrize("symbols", KNOWN)
def test_molien_counts_the_published_dimensions(symbols):
    assert np.cumsum(molien_series(symbols, len(KNOWN[symbols]) - 1)).tolist() == KNOWN[symbols]


@pytest.mark.parametrize("symbols", ["AA", "AAA", "AABB", "CHHHH", "AAABBC"])
def test_molien_from_the_cycle_index_is_molien_from_all_matrices(symbols):
    atoms = range(len(symbols))
    pairs = {pair: i for i, pair in enumerate(combinations(atoms, 2))}
    like = [[i for i in atoms if symbols[i] == s] for s in sorted(set(symbols))]
    matrices = []
    for images in product(*(permutations(group) for group in like)):
        where = dict(zip(sum(like, []), sum(map(list, images), []), strict=True))
        matrix = np.zeros((len(pairs), len(pairs)))
        for (i, j), column in pairs.items():
            matrix[pairs[tuple(sorted((where[i], where[j])))], column] = 1
        matrices.append(matrix)
    assert molien_series(symbols, 6) == molien_of_matrices(np.array(matrices), 6)
    assert sum(cycle_index(symbols).values()) == 1


def test_molien_counts_the_rank_of_symmetrised_monomials(rng):
    r = rng.normal(size=(40, 3))                        # the three distances of A3; S_3 permutes all three
    columns = [sum(np.prod(r[:, list(p)] ** np.array(e), axis=1) for p in permutations(range(3)))
               for e in product(range(5), repeat=3) if sum(e) == 4]
    assert np.linalg.matrix_rank(np.array(columns)) == molien_series("AAA", 4)[4]


def test_molien_refuses_what_is_no_group_and_no_molecule():
    with pytest.raises(ValueError, match="not a group"):
        molien_of_matrices(random_rotations(3, np.random.default_rng(0)), 4)
    with pytest.raises(ValueError, match="no atoms"):
        molien_series("", 3)


def test_icosahedral_invariants_of_a_vector_start_at_degrees_two_and_six():
    assert molien_of_matrices(icosahedral_rotations(), 10) == [1, 0, 1, 0, 1, 0, 2, 0, 2, 0, 3]


def test_reynolds_weights_are_an_average():
    with pytest.raises(ValueError, match="sum to 2"):
        reynolds(abs, [1, -1], lambda g, x: g * x, weights=[1, 1])
