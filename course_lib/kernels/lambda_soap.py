"""λ-SOAP: an atom's surroundings as vectors and tensors, features that turn as what they are to predict.

Two coefficients of the neighbour density, which turn with D^l1 and D^l2, couple to one that turns with D^λ:

    p^λμ_i,anl1,a'n'l2 ∝ Σ_m1m2 ⟨l1 m1 l2 m2 | λμ⟩ c_ianl1m1 c_ia'n'l2m2,

Grisafi, Wilkins, Csányi, Ceriotti, Phys. Rev. Lett. 120, 036002 (2018). Where l1 + l2 + λ is even it answers an inversion as
the harmonics Y_λ do, a polar tensor; where it is odd with one sign more, a pseudotensor. λ = 0 is the power spectrum.
"""

from collections.abc import Sequence
from numbers import Integral
from typing import Self

import numpy as np
import pandas as pd
from ase import Atoms

from course_lib.kernels.density import DensityExpansion, split
from course_lib.symmetry import clebsch_gordan


class LambdaSOAP(DensityExpansion):
    """Features of degree λ of every atom. Arguments are those of `DensityExpansion`, and

    degree: λ, 0 for scalars, 1 for vectors, 2 for symmetric traceless tensors …
    parity: +1 for features that an inversion multiplies by (−1)^λ, as it does polar vectors; −1 for pseudotensors

    Products that differ by the order of their factors only are one feature, which counts √2, so that dot products of features
    are sums over ordered pairs. `features_` says which feature is which.
    """

    def __init__(self, cutoff: float = 5.0, n_max: int = 8, l_max: int = 6, width: float = 0.5, smoothing: float = 0.5,
                 basis="gto", species: Sequence[int] | None = None, mixing=None, seed: int = 0, degree: int = 1,
                 parity: int = 1) -> None:
        super().__init__(cutoff, n_max, l_max, width, smoothing, basis, species, mixing, seed)
        self.degree, self.parity = degree, parity

    def fit(self, frames: Sequence[Atoms] | None = None, y: None = None) -> Self:
        """As for the density; ValueError also when no two degrees up to l_max couple to this degree and parity."""
        if not isinstance(self.degree, Integral) or self.parity not in (1, -1) or not self._couplings():
            raise ValueError(f"degrees up to l_max = {self.l_max} couple to no feature of degree {self.degree} and parity "
                             f"{self.parity}; a degree is a whole number, 0 to {2 * self.l_max}, a parity +1 or −1, and a "
                             "scalar's is +1")
        return super().fit(frames)

    @property
    def features_(self) -> pd.DataFrame:
        """A row a feature: degree, species (or number of the pseudo-species) and n of each of the two factors."""
        return pd.concat([self._channel_table(*zip(degrees, self._kept(*degrees), strict=True))
                          for degrees in self._couplings()], ignore_index=True)

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(N, 2λ + 1, F): a row an atom, all frames end to end, m = −λ … λ of our real harmonics.

        Raises ValueError for a species that was not in `fit`, and what `neighbour_graphs` raises.
        """
        blocks, sizes = list(self._blocks(frames)), [self._kept(*degrees).shape[1] for degrees in self._couplings()]
        values = np.zeros((sum(len(near.kinds) for near in blocks), 2 * self.degree + 1, sum(sizes)))
        for near, rows in zip(blocks, split(values, [len(near.kinds) for near in blocks]), strict=True):
            density = self._expand(near).reshape(len(rows), (self.l_max + 1) ** 2, -1)
            for degrees, part in zip(self._couplings(), split(rows, sizes, axis=2), strict=True):
                self._couple(density, *degrees, part)
        return values

    def _couplings(self) -> list[tuple[int, int]]:
        """The pairs of degrees l1 ≤ l2 that couple to λ with the parity."""
        return [(l1, l2) for l1 in range(self.l_max + 1) for l2 in range(l1, self.l_max + 1)
                if l2 - l1 <= self.degree <= l1 + l2 and (-1) ** (l1 + l2 + self.degree) == self.parity]

    def _kept(self, l1: int, l2: int) -> np.ndarray:
        """Channels q1, q2 (2, F) of the features: of equal degrees each pair once, a channel with itself only where that does
        not vanish."""
        if l1 < l2:
            return np.indices(2 * (self._channels,)).reshape(2, -1)
        pairs = self._channel_pairs()
        return pairs[:, (pairs[0] < pairs[1]) | (self.parity == (-1) ** self.degree)]

    def _couple(self, density: np.ndarray, l1: int, l2: int, out: np.ndarray) -> None:
        first, second = density[:, self._degrees[l1]], density[:, self._degrees[l2]] * np.sqrt(2)
        if l1 < l2:
            coupled(first, second, self.degree, out.reshape(*out.shape[:2], self._channels, -1))
        else:
            pairs = self._kept(l1, l2)
            products = coupled(first, second, self.degree).reshape(*out.shape[:2], -1)
            np.multiply(np.take(products, pairs[0] * self._channels + pairs[1], axis=-1),
                        np.where(pairs[0] == pairs[1], np.sqrt(0.5), 1), out=out)


def coupled(first: np.ndarray, second: np.ndarray, degree: int, out: np.ndarray | None = None) -> np.ndarray:
    """All products of channels (N, 2l1 + 1, Q) and (N, 2l2 + 1, Q) that turn with D^L, L = `degree`: (N, 2L + 1, Q, Q).

    The signs are featomic's: an overall i^(l1 + l2 − L) beside our Clebsch–Gordan coefficients.
    """
    l1, l2 = first.shape[1] // 2, second.shape[1] // 2
    table = (-1) ** ((l1 + l2 - degree + 1) // 2) * clebsch_gordan(l1, l2, degree).transpose(2, 0, 1)
    right = (table.reshape(-1, 2 * l2 + 1) @ second).reshape(len(second), -1, 2 * l1 + 1, second.shape[2])
    return np.matmul(first[:, None].swapaxes(2, 3), right, out=out)
