"""The product basis: all polynomials of an atom's features that turn as features do, up to a degree ν, each once.

    B_η^LM = Σ C_η^LM(l₁m₁, …, l_nm_n) A_l₁m₁ ⋯ A_l_nm_n,   n = 1 … ν,        m^LM = Σ_η w_η B_η^LM

(Batatia et al., NeurIPS 2022, arXiv 2206.07697, eqs. 10 and 11; Drautz, PRB 99, 014104 (2019)), channel by channel, with
weights w of each element and channel. A is a sum over neighbours; so a product of n of them is a sum over all n-tuples of
neighbours, of body order n + 1, at the cost of visiting each neighbour once. A has one label of each degree, with the parity
of the harmonics, (−1)^l; a product has the parity of degree L if l₁ + … + l_n + L is even. Since the factors are one and the
same A, many couplings coincide or vanish. `symmetry.invariant_couplings` keeps as many as are independent: those of n factors
and one more of degree L into a scalar are those of the n into degree L.

Weights meet couplings before features do: m^LM = Σ_k A_k Σ_t T_kt^LM M_t with M_t the monomials of degree below ν, and
T = Σ_η w_η U_η of each element and channel. That is one product of matrices, and B is never written down. With A_0 = 1 added to
the features, the monomials of all degrees below ν are those of degree ν − 1 exactly.
"""

from functools import cache
from itertools import combinations_with_replacement

import numpy as np
import torch

from course_lib.symmetry import invariant_couplings, to_e3nn


def monomials(l_max_edge: int, degree: int) -> list[tuple[int, ...]]:
    """Those of exactly this degree in 1 and the (l_max_edge + 1)² components, as places in ascending order: 0 is 1."""
    return list(combinations_with_replacement(range(1 + (l_max_edge + 1) ** 2), degree))


@cache
def product_couplings(l_max_edge: int, correlation: int, L: int) -> np.ndarray:
    """U (paths, (l_max_edge + 1)², 2L + 1, monomials of degree ν − 1), in e3nn's components, paths of few factors first.

    Normalised so that A of independent numbers of size 1 have products of about this size.
    """
    place = {factors: t for t, factors in enumerate(monomials(l_max_edge, correlation - 1))}
    paths = []
    for order in range(1, correlation + 1):
        for degrees in combinations_with_replacement(range(l_max_edge + 1), order):
            if (sum(degrees) + L) % 2:
                continue
            C = invariant_couplings((*degrees, L), (*degrees, "L")) * np.sqrt(2 * L + 1)
            for l in (*degrees, L):  # the first axis of a feature is turned and goes last, until all are in order again
                C = np.tensordot(C, to_e3nn(l), (1, 1))
            components = [range(l * l, (l + 1) ** 2) for l in degrees]
            *others, last = np.stack(np.meshgrid(*components, indexing="ij")).reshape(order, -1)
            ones = [np.zeros_like(last)] * (correlation - order)
            rows = [place[tuple(sorted(t))] for t in zip(*ones, *(k + 1 for k in others), strict=True)] or 0
            U = np.zeros((len(C), (l_max_edge + 1) ** 2, len(place), 2 * L + 1))
            np.add.at(U, (slice(None), last, rows), C.reshape(len(C), last.size, 2 * L + 1))
            paths.append(U.swapaxes(2, 3))
    return np.concatenate(paths)


@cache
def _couplings(l_max_edge: int, correlation: int, L: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.as_tensor(product_couplings(l_max_edge, correlation, L), dtype=dtype, device=device)


class ProductBasis(torch.nn.Module):
    """m (N, (l_max + 1)², C) of features A (N, (l_max_edge + 1)², C) and the element of each atom, 0 … n_species − 1 (N,).

    correlation: ν, the largest number of factors
    """

    def __init__(self, l_max_edge: int, l_max: int, correlation: int, n_species: int, n_channels: int) -> None:
        super().__init__()
        self.l_max_edge, self.correlation = l_max_edge, correlation
        self.weights = torch.nn.ParameterList(
            torch.randn(n_species, n_channels, len(product_couplings(l_max_edge, correlation, L))) for L in range(l_max + 1))
        for d in range(2, correlation):  # each monomial of degree d is one of degree d − 1 times one more component
            place = {factors: t for t, factors in enumerate(monomials(l_max_edge, d - 1))}
            grown = [(place[factors[:-1]], factors[-1]) for factors in monomials(l_max_edge, d)]
            self.register_buffer(f"grown_{d}", torch.tensor(grown).T, persistent=False)

    def forward(self, A: torch.Tensor, element: torch.Tensor) -> torch.Tensor:
        order, counts = element.argsort(), element.bincount(minlength=len(self.weights[0])).tolist()
        A = A.index_select(0, order).permute(2, 1, 0)  # (C, D, N), atoms of an element together
        one = torch.ones_like(A[:, :1])
        M = with_one = torch.cat([one, A], dim=1)
        for d in range(2, self.correlation):
            left, right = getattr(self, f"grown_{d}")
            M = M.index_select(1, left) * with_one.index_select(1, right)
        M = M if self.correlation > 1 else one
        Q = torch.cat([T @ part for T, part in zip(self._weighted(A), M.split(counts, dim=2), strict=True)], dim=2)
        m = (Q.unflatten(1, (A.shape[1], -1)) * A[:, :, None]).sum(dim=1)
        return m.permute(2, 1, 0).index_select(0, order.argsort())

    def _weighted(self, A: torch.Tensor) -> torch.Tensor:
        """T of each element and channel (n_species, C, D · (l_max + 1)², monomials)."""
        parts = []
        for L, w in enumerate(self.weights):
            U = _couplings(self.l_max_edge, self.correlation, L, A.dtype, A.device)
            parts.append(((w / w.shape[2] ** 0.5) @ U.flatten(1)).unflatten(2, U.shape[1:]))
        return torch.cat(parts, dim=3).flatten(2, 3)
