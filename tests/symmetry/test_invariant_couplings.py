"""Couplings of several features to a scalar against characters, the Haar average and closed forms."""

from itertools import permutations

import numpy as np
import pytest

from course_lib.symmetry import invariant_couplings, random_rotations, rotation_quadrature, wigner_D

CASES = [((0,), "a"), ((1,), "a"), ((2, 2), "ab"), ((2, 1), "ab"), ((1, 1, 1), "abc"), ((1, 1, 1), "aaa"), ((2, 2, 2), "aaa"),
         ((1, 2, 3), "abc"), ((1, 1, 2), "aab"), ((2, 2, 2, 2), "abcd"), ((2, 2, 2, 2), "aabb"), ((2, 2, 2, 2), "abab"),
         ((2, 2, 2, 2), "aaaa"), ((3, 3, 3, 3), "aaaa"), ((3, 2, 1, 1), "abcc"), ((1, 1, 1, 1, 2), "aaaab")]


def count(degrees, labels):
    """∫ Π over labels of the character of Sym^k(V_l), by Newton's identity from χ_l(jθ); 'k' factors share the label."""
    points = 2 * sum(degrees) + 3
    theta = 2 * np.pi * np.arange(points) / points
    total = 1 - np.cos(theta)
    for label in set(labels):
        members = [l for l, other in zip(degrees, labels, strict=True) if other == label]
        turns = np.arange(1, len(members) + 1)[:, None] * theta
        power = sum(np.exp(1j * m * turns) for m in range(-members[0], members[0] + 1))
        symmetric = [np.ones(points)]
        for k in range(1, len(members) + 1):
            symmetric.append(sum(power[j - 1] * symmetric[k - j] for j in range(1, k + 1)) / k)
        total = total * symmetric[-1]
    return round(np.mean(total).real)


@pytest.mark.parametrize("degrees, labels", CASES)
def test_there_are_as_many_as_characters_say_and_they_are_orthonormal(degrees, labels):
    flat = invariant_couplings(degrees, labels).reshape(-1, np.prod([2 * l + 1 for l in degrees]))
    assert len(flat) == count(degrees, labels)
    assert np.abs(flat @ flat.T - np.eye(len(flat))).max(initial=0) < 1e-13


@pytest.mark.parametrize("degrees, labels", CASES)
def test_no_rotation_changes_them_and_no_exchange_of_like_factors(degrees, labels):
    couplings = invariant_couplings(degrees, labels)
    rotation, turned = random_rotations(1, np.random.default_rng(4))[0], couplings
    for l in degrees:  # the first axis each time, which comes back as the last
        turned = np.tensordot(turned, wigner_D(l, rotation), (1, 1))
    assert np.abs(turned - couplings).max(initial=0) < 1e-12
    for order in permutations(range(len(degrees))):
        if [labels[i] for i in order] == list(labels):
            assert np.abs(couplings.transpose(0, *(1 + i for i in order)) - couplings).max(initial=0) < 1e-14


@pytest.mark.parametrize("degrees", [(2, 2), (1, 2, 3), (1, 1, 1), (2, 1, 2, 1)])
def test_without_like_factors_they_span_the_average_over_all_rotations(degrees):
    rotations, weights = rotation_quadrature(sum(degrees))
    average = weights
    for l in degrees:
        average = np.einsum("r...,rab->r...ab", average.reshape(len(rotations), *average.shape[1:]), wigner_D(l, rotations))
    average = average.sum(axis=0)
    order = [*range(0, 2 * len(degrees), 2), *range(1, 2 * len(degrees), 2)]
    flat = invariant_couplings(degrees).reshape(-1, np.prod([2 * l + 1 for l in degrees]))
    assert np.abs(average.transpose(order).reshape(flat.shape[1], -1) - flat.T @ flat).max() < 1e-12


def test_two_vectors_have_a_dot_product_and_three_a_determinant():
    a, b, c = np.random.default_rng(0).normal(size=(3, 3))
    assert np.einsum("kij,i,j->k", invariant_couplings([1, 1]), a, b) == pytest.approx(a @ b / np.sqrt(3))
    triple = np.einsum("kijl,i,j,l->k", invariant_couplings([1, 1, 1]), a, b, c)
    assert np.abs(triple) == pytest.approx(abs(np.linalg.det([a, b, c])) / np.sqrt(6))
    assert len(invariant_couplings([1, 1, 1], "aaa")) == 0  # of one vector, nothing is left of it


def test_like_factors_of_unlike_degree_are_refused():
    for degrees, labels in [([1, 2], "aa"), ([], "")]:
        with pytest.raises(ValueError, match="one degree a label"):
            invariant_couplings(degrees, labels)
    with pytest.raises(ValueError, match="degree a label, 0 or more"):
        invariant_couplings([-1, 1])
