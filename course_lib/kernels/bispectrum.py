"""The bispectrum: three coefficients of the neighbour density multiplied to a number that does not turn.

Two of them, of degrees l1 and l2, couple to a third degree l3, and their dot product with a coefficient of that degree is

    b_i,q1l1,q2l2,q3l3 = (2l3 + 1)^(−1/2) Σ ⟨l1 m1 l2 m2 | l3 m3⟩ c_iq1l1m1 c_iq2l2m2 c_iq3l3m3,      q = (a, n),

Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013), where q1 = q2 = q3. It knows how triples of neighbours stand to each
other, four-body information, and tells apart much that the power spectrum does not. Where l1 + l2 + l3 is odd it changes sign
under inversion: a pseudoscalar, which tells left from right.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from ase import Atoms
from sklearn.utils.validation import check_is_fitted

from course_lib.kernels.density import DensityExpansion
from course_lib.kernels.lambda_soap import coupled
from course_lib.symmetry import E3_INVARIANT, Symmetry

PSEUDOSCALAR = Symmetry(permutation=True, translation=True, rotation=True, inversion=True, periodic=True, output="pseudoscalar")


class Bispectrum(DensityExpansion):
    """The bispectrum of every atom. Arguments are those of `DensityExpansion`, and

    parity: +1 for l1 + l2 + l3 even, scalars; −1 for odd, pseudoscalars

    Every unordered triple of (l, a, n) that couples is one feature and counts the root of its number of orders, so that dot
    products of features are sums over ordered triples. There are many: keep n_max and l_max small, or mix the species.
    """

    def __init__(self, cutoff: float = 5.0, n_max: int = 2, l_max: int = 4, width: float = 0.5, smoothing: float = 0.5,
                 basis="gto", species: Sequence[int] | None = None, mixing=None, seed: int = 0, parity: int = 1) -> None:
        super().__init__(cutoff, n_max, l_max, width, smoothing, basis, species, mixing, seed)
        self.parity = parity

    @property
    def symmetry(self) -> Symmetry:
        return E3_INVARIANT if self.parity == 1 else PSEUDOSCALAR

    def fit(self, frames: Sequence[Atoms] | None = None, y: None = None) -> Self:
        """As for the density; ValueError also when no three degrees up to l_max couple with this parity."""
        if self.parity not in (1, -1) or not self._triples():
            raise ValueError(f"degrees up to l_max = {self.l_max} couple to no number of parity {self.parity}; a parity is +1 "
                             "or −1, and −1 needs l_max ≥ 1")
        return super().fit(frames)

    @property
    def features_(self) -> pd.DataFrame:
        """A row a feature: degree, species (or number of the pseudo-species) and n of each of the three factors."""
        return pd.concat([self._channel_table(*zip(degrees, self._kept(degrees), strict=True)) for degrees in self._triples()],
                         ignore_index=True)

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(N, F): a row an atom, all frames end to end.

        Raises ValueError for a species that was not in `fit`, and what `neighbour_graphs` raises.
        """
        check_is_fitted(self, "series_")
        kept = [(degrees, self._kept(degrees)) for degrees in self._triples()]
        return np.concatenate([np.concatenate([self._products(density, *features) for features in kept], axis=1)
                               for density in map(self._expand, self._blocks(frames))])

    def _triples(self) -> list[tuple[int, int, int]]:
        """Degrees l1 ≤ l2 ≤ l3 that couple with the parity."""
        return [(l1, l2, l3) for l1 in range(self.l_max + 1) for l2 in range(l1, self.l_max + 1)
                for l3 in range(l2, min(l1 + l2, self.l_max) + 1) if (-1) ** (l1 + l2 + l3) == self.parity]

    def _kept(self, degrees: tuple[int, int, int]) -> np.ndarray:
        """Channels q1, q2, q3 (3, F) of the features, in order where degrees are equal: exchange changes an odd product's sign,
        so that it vanishes if two factors are the same."""
        channels = np.indices(3 * (self._channels,)).reshape(3, -1)
        steps = np.diff(np.array(degrees)[:, None] * self._channels + channels, axis=0)
        return channels[:, (steps >= (self.parity == -1)).all(axis=0)]

    def _products(self, density: np.ndarray, degrees: tuple[int, int, int], channels: np.ndarray) -> np.ndarray:
        """(N, F) for one triple of degrees."""
        first, second, third = (density[:, self._degrees[l]].reshape(len(density), 2 * l + 1, -1) for l in degrees)
        pairs = coupled(first, second, degrees[2]).reshape(len(density), third.shape[1], -1)
        products = (pairs.swapaxes(1, 2) @ third).reshape(len(density), -1)
        equal = np.diff(np.array(degrees)[:, None] * self._channels + channels, axis=0) == 0
        orders = np.array([6, 3, 1])[equal.sum(axis=0)]
        return products[:, np.ravel_multi_index(channels, 3 * (self._channels,))] * np.sqrt(orders / third.shape[1])
