"""The product basis against e3nn's symmetric powers, sums over tuples of neighbours, and the count by characters."""

from itertools import product

import numpy as np
import pytest
import torch
from e3nn.o3 import Irreps, ReducedTensorProducts

from course_lib.equivariant.product_basis import ProductBasis, monomials, product_couplings
from course_lib.symmetry import invariant_couplings, random_improper, to_e3nn, wigner_D


def character_count(l_max, order, L):
    """How often (L, (−1)^L) is in the symmetric power of all (l, (−1)^l), l ≤ l_max: ⟨χ_L h_order⟩ over O(3), by quadrature."""
    angles = 2 * np.pi * (np.arange(64) + 0.5) / 64
    weights = (1 - np.cos(angles)) / 64
    chi = lambda l, angle: 1 + 2 * sum(np.cos(m * angle) for m in range(1, l + 1))  # noqa: E731
    total = 0.0
    for sign in (1, -1):
        traces = [sum(sign ** (l * i) * chi(l, i * angles) for l in range(l_max + 1)) for i in range(1, order + 1)]
        h = [np.ones_like(angles)]
        for d in range(1, order + 1):  # Newton: the character of the symmetric power from traces of powers
            h.append(sum(traces[i] * h[d - 1 - i] for i in range(d)) / d)
        total += np.sum(weights * sign**L * chi(L, angles) * h[order]) / 2
    return total


@pytest.mark.parametrize("l_max, correlation", [(1, 4), (2, 3), (3, 3)])
def test_there_are_as_many_products_as_characters_count(l_max, correlation):
    for L in range(3):
        counts = [character_count(l_max, order, L) for order in range(1, correlation + 1)]
        np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
        assert len(product_couplings(l_max, correlation, L)) == round(sum(counts))


def values(l_max, correlation, L, A):
    """Each path's product of features A (S, D): (S, paths, 2L + 1)."""
    one = np.column_stack([np.ones(len(A)), A])
    M = np.stack([one[:, list(factors)].prod(axis=1) for factors in monomials(l_max, correlation - 1)], axis=1)
    return np.einsum("pkmt,st,sk->spm", product_couplings(l_max, correlation, L), M, A)


@pytest.mark.parametrize("order, formula", [(2, "ij=ji"), (3, "ijk=jik=jki")])
def test_they_span_what_e3nn_finds_in_the_symmetric_power(order, formula):
    l_max, rng = 2, np.random.default_rng(0)
    peer = ReducedTensorProducts(formula, i=Irreps.spherical_harmonics(l_max))
    A = rng.normal(size=(200, (l_max + 1) ** 2))
    Q = peer.change_of_basis.numpy()
    powers = np.einsum({2: "zij,si,sj->sz", 3: "zijk,si,sj,sk->sz"}[order], Q, *[A] * order)
    for L in range(3):
        places = [where for (_, ir), where in zip(peer.irreps_out, peer.irreps_out.slices(), strict=True)
                  if (ir.l, ir.p) == (L, (-1) ** L)]
        blocks = [powers[:, where].reshape(len(A), -1, 2 * L + 1) for where in places]
        theirs = np.concatenate(blocks, axis=1).swapaxes(1, 2).reshape(-1, sum(b.shape[1] for b in blocks))
        fewer = len(product_couplings(l_max, order - 1, L))
        ours = values(l_max, order, L, A)[:, fewer:].swapaxes(1, 2).reshape(len(theirs), -1)
        assert ours.shape == theirs.shape
        left = theirs - ours @ np.linalg.lstsq(ours, theirs, rcond=None)[0]
        assert np.abs(left).max() < 1e-5 * np.abs(theirs).max()  # e3nn stores its basis in single precision
        assert np.linalg.matrix_rank(ours) == ours.shape[1]


@pytest.mark.parametrize("l_max_edge, l_max, correlation", [(2, 2, 3), (1, 1, 4), (3, 1, 2), (1, 2, 1)])
def test_a_product_of_sums_is_a_sum_over_tuples_of_neighbours(l_max_edge, l_max, correlation):
    torch.manual_seed(0)
    n, channels, elements = (l_max_edge + 1) ** 2, 2, torch.tensor([1, 0, 1])
    basis = ProductBasis(l_max_edge, l_max, correlation, 2, channels).double()
    one_body = torch.randn(3, 3, n, channels, dtype=torch.float64)  # atoms, their neighbours, components, channels
    found = basis(one_body.sum(dim=1), elements).detach().numpy()
    turns = [to_e3nn(l) for l in range(max(l_max_edge, l_max) + 1)]
    ours = [one_body[:, :, l * l:(l + 1) ** 2].numpy().swapaxes(2, 3) @ turns[l] for l in range(l_max_edge + 1)]
    expected = np.zeros_like(found)
    for L in range(l_max + 1):
        path = 0
        for order in range(1, correlation + 1):
            for degrees in (d for d in product(range(l_max_edge + 1), repeat=order)
                            if list(d) == sorted(d) and (sum(d) + L) % 2 == 0):
                for C in invariant_couplings((*degrees, L), (*degrees, "L")):
                    w = basis.weights[L][:, :, path].detach().numpy()[elements] * np.sqrt(2 * L + 1)  # (atoms, channels)
                    path += 1
                    total = np.zeros((3, channels, 2 * L + 1))
                    for neighbours in product(range(3), repeat=order):
                        factors = sum(([ours[l][:, j], [0, 1, 2 + axis]]
                                       for axis, (l, j) in enumerate(zip(degrees, neighbours, strict=True))), [])
                        total += np.einsum(C, list(range(2, 3 + order)), *factors, [0, 1, 2 + order])
                    expected[:, L * L:(L + 1) ** 2] += np.swapaxes(w[..., None] * (total @ turns[L].T), 1, 2)
        assert path == basis.weights[L].shape[2]
        expected[:, L * L:(L + 1) ** 2] /= max(path, 1) ** 0.5
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max())


def test_products_turn_as_their_factors_do_and_not_with_components_exchanged():
    torch.manual_seed(0)
    R, = random_improper(1, np.random.default_rng(0))
    D = [to_e3nn(l) @ wigner_D(l, R) @ to_e3nn(l).T for l in range(4)]
    D = torch.block_diag(*map(torch.from_numpy, D))
    basis, A, element = ProductBasis(3, 2, 3, 1, 2).double(), torch.randn(2, 16, 2, dtype=torch.float64), torch.tensor([0, 0])

    def broken(exchanged):
        moved = basis((D @ A)[:, exchanged], element) - D[:9, :9] @ basis(A[:, exchanged], element)
        return float((moved.abs().max() / basis(A, element).abs().max()).detach())

    assert broken(list(range(16))) < 1e-13
    assert broken([0, 1, 2, 3, 5, 4, *range(6, 16)]) > 1e-2
