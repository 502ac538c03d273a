"""SOAP: an atom's surroundings as numbers that no rotation, reflection or relabelling of atoms changes.

The coefficients c of the neighbour density turn with D^l, so their dot products within one degree do not turn at all:

    p_i,anl,a'n' = (−1)^l / √(2l + 1) Σ_m c_ianlm c_ia'n'lm,

the power spectrum of Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013), signs and factors as in featomic. It holds what
distances and angles of pairs of neighbours say, three-body information, and no more: a molecule and its mirror image are the
same to it, and there are surroundings that differ and have one power spectrum.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import pandas as pd
from ase import Atoms

from course_lib.kernels.density import DensityExpansion, SlopedExpansion, split
from course_lib.kernels.neighbours import Derivatives, Neighbours
from course_lib.symmetry import E3_INVARIANT, Symmetry

EDGES = 128
"""How many neighbours' derivatives are worked on together."""


class SOAP(DensityExpansion):
    """The power spectrum of every atom. Arguments are those of `DensityExpansion`, and

    normalise: divide by the length of the vector, so that dot products are SOAP kernels in [−1, 1].

    Every unordered pair of channels (a, n) and (a', n') is one feature for each l; if they differ it counts √2, so that dot
    products of features are sums over ordered pairs. `features_` says which feature is which.
    """

    symmetry: Symmetry = E3_INVARIANT

    def __init__(self, cutoff: float = 5.0, n_max: int = 8, l_max: int = 6, width: float = 0.5, smoothing: float = 0.5,
                 basis="gto", species: Sequence[int] | None = None, mixing=None, seed: int = 0,
                 normalise: bool = False) -> None:
        super().__init__(cutoff, n_max, l_max, width, smoothing, basis, species, mixing, seed)
        self.normalise = normalise

    @property
    def features_(self) -> pd.DataFrame:
        """A row a feature: degree, species (or number of the pseudo-species) and n of each of the two factors."""
        return pd.concat([self._channel_table(*((l, channels) for channels in self._channel_pairs()))
                          for l in range(self.l_max + 1)], ignore_index=True)

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(N, F): a row an atom, all frames end to end.

        Raises ValueError for a species that was not in `fit`, and what `neighbour_graphs` raises.
        """
        blocks = list(self._blocks(frames))
        values = np.zeros((sum(len(near.kinds) for near in blocks), self._size))
        for near, part in zip(blocks, split(values, [len(near.kinds) for near in blocks]), strict=True):
            self._spectrum(self._expand(near), part)
            if self.normalise:
                part /= _lengths(part)
        return values

    def derivatives(self, frames: Sequence[Atoms]) -> Derivatives:
        """∂ features of every centre / ∂ position of each of its neighbours, image by image: values (P, 3, F).

        The array is large, 24 F bytes a neighbour: go through many frames a few at a time, or see `pull_back`. Raises what
        `transform` raises.
        """
        blocks = list(self._blocks(frames))
        sizes = [len(near.centres) + len(near.kinds) for near in blocks]
        slopes = np.zeros((sum(sizes), 3, self._size))
        for near, part in zip(blocks, split(slopes, sizes), strict=True):
            expansion = self._expand_with_slopes(near)
            self._move_neighbours(near, expansion, part[:len(near.centres)])
            self._move_centres(near, expansion, part[len(near.centres):])
            if self.normalise:
                self._project(expansion.density, np.append(near.centres, np.arange(len(near.kinds))), part)
        return Derivatives.of(blocks, slopes)

    def pull_back(self, frames: Sequence[Atoms], weights: np.ndarray) -> Derivatives:
        """Σ_f w_if ∂ feature f / ∂ position: values (P, 3) for `weights` (N, F), a row a centre. It is all that forces need,
        at the price of a few `transform`s. Raises what `transform` raises, and ValueError for weights of another shape.
        """
        blocks = list(self._blocks(frames))
        if np.shape(weights) != (sum(len(near.kinds) for near in blocks), self._size):
            raise ValueError(f"weights have shape {np.shape(weights)}; they need a row for each of the "
                             f"{sum(len(near.kinds) for near in blocks)} atoms, of {self._size} features")
        slopes = [self._pull(near, part) for near, part in
                  zip(blocks, split(weights, [len(near.kinds) for near in blocks]), strict=True)]
        return Derivatives.of(blocks, np.concatenate(slopes))

    @property
    def _size(self) -> int:
        return (self.l_max + 1) * self._channels * (self._channels + 1) // 2

    def _species_pairs(self) -> Iterator[tuple[int, int, slice]]:
        """b1 ≤ b2, and their columns among those of one l."""
        start = 0
        for b1 in range(self.weights_.shape[1]):
            for b2 in range(b1, self.weights_.shape[1]):
                stop = start + (self.n_max * (self.n_max + 1) // 2 if b1 == b2 else self.n_max**2)
                yield b1, b2, slice(start, stop)
                start = stop

    def _scaled(self, density: np.ndarray) -> np.ndarray:
        """c with the factors of a product of two different channels."""
        l = np.repeat(np.arange(self.l_max + 1), 2 * np.arange(self.l_max + 1) + 1)
        return density * ((-1.0) ** l * np.sqrt(2 / (2 * l + 1)))[:, None, None]

    def _multiply(self, left: np.ndarray, right: np.ndarray, equal: bool, out: np.ndarray) -> None:
        """Σ_k left_kn right_kn', (…, K, n_max) both, in a row of `out`; of two `equal` species each pair n ≤ n' once."""
        if not equal:
            np.matmul(left.swapaxes(-1, -2), right, out=out.reshape(*out.shape[:-1], self.n_max, self.n_max))
        else:
            products = (left.swapaxes(-1, -2) @ right).reshape(*out.shape[:-1], -1)
            kept, factors = _upper(self.n_max)
            np.multiply(np.take(products, kept, axis=-1), factors, out=out)

    def _spectrum(self, density: np.ndarray, out: np.ndarray) -> np.ndarray:
        scaled, columns = self._scaled(density), out.reshape(len(out), self.l_max + 1, -1)
        present = density[:, 0].any(axis=(0, 2))
        for b1, b2, pair in self._species_pairs():
            if present[b1] and present[b2]:
                for l, degree in enumerate(self._degrees):
                    self._multiply(scaled[:, degree, b1], density[:, degree, b2], b1 == b2, columns[:, l, pair])
        return out

    def _change(self, factors: np.ndarray, moved: np.ndarray, present: np.ndarray, out: np.ndarray) -> None:
        """d(c c') = dc c' + c dc', from `factors` (…, 3K, B, n_max): K rows of dc, K of c, the same K of dc again.

        dc vanishes but for species that are `moved` (B,), and c but for those `present` (B,).
        """
        K = factors.shape[-3] // 3
        for b1, b2, pair in self._species_pairs():
            if present[b1] and present[b2] and (moved[b1] or moved[b2]):
                start, stop = 0 if moved[b1] else K, 2 * K if moved[b2] else K
                left, right = factors[..., start:stop, b1, :], factors[..., start + K:stop + K, b2, :]
                self._multiply(left, right, b1 == b2, out[..., pair])

    def _move_neighbours(self, near: Neighbours, expansion: SlopedExpansion, out: np.ndarray) -> None:
        """Σ_m dc c' with the sum done first: ∇g times Σ_m Y c' plus g times Σ_m ∇Y c'."""
        scaled, present = self._scaled(expansion.density), expansion.density[:, 0].any(axis=(0, 2))
        angular = np.concatenate([expansion.angular[:, None], expansion.angular_slope], axis=1)
        for kind, count, rows in near.chunks(EDGES):
            centres, moved = near.centres[rows][::count], self.weights_[kind]
            factors = np.empty((len(centres) * count, 3, self.l_max + 1, 6, *scaled.shape[2:]))
            for b in np.flatnonzero(moved):
                factors[..., 0::4, b, :] = moved[b] * expansion.radial_slope[rows, :, :, None]
                factors[..., 1::4, b, :] = moved[b] * expansion.radial[rows, None, :, None]
            for l, degree in enumerate(self._degrees):
                seen = (angular[rows, :, degree].reshape(len(centres), 4 * count, -1)
                        @ scaled[centres, degree].reshape(len(centres), 2 * l + 1, -1)).reshape(-1, 4, *scaled.shape[2:])
                factors[:, :, l, 2], factors[:, :, l, 3] = seen[:, :1], seen[:, 1:]
            self._change(factors, moved, present, out[rows].reshape(len(factors), 3, self.l_max + 1, -1))

    def _move_centres(self, near: Neighbours, expansion: SlopedExpansion, out: np.ndarray) -> None:
        """A centre that moves changes c as all its neighbours would by moving the other way."""
        scaled, present = self._scaled(expansion.density), expansion.density[:, 0].any(axis=(0, 2))
        change = -np.stack([self._sum(near, expansion.radial_slope[:, x], expansion.angular)
                            + self._sum(near, expansion.radial, expansion.angular_slope[:, x]) for x in range(3)], axis=1)
        for l, degree in enumerate(self._degrees):
            beside = np.broadcast_to(scaled[:, None, degree], change[:, :, degree].shape)
            self._change(np.concatenate([change[:, :, degree], beside, change[:, :, degree]], axis=2), present, present,
                         out.reshape(len(out), 3, self.l_max + 1, -1)[:, :, l])

    def _project(self, density: np.ndarray, centres: np.ndarray, slopes: np.ndarray) -> None:
        """d(p / |p|) = (1 − p̂ p̂ᵀ) dp / |p| for `slopes` (P, …, F), in place."""
        spectrum = self._spectrum(density, np.zeros((len(density), self._size)))
        lengths = _lengths(spectrum)
        for start in range(0, len(slopes), EDGES):
            part, rows = slopes[start:start + EDGES], centres[start:start + EDGES]
            unit = (spectrum[rows] / lengths[rows])[:, None]
            part -= (part @ unit.swapaxes(1, 2)) * unit
            part /= lengths[rows, None]

    def _pull(self, near: Neighbours, weights: np.ndarray) -> np.ndarray:
        """From features back to c, and from there to positions."""
        expansion, atoms = self._expand_with_slopes(near), len(near.kinds)
        if self.normalise:
            weights = weights.copy()
            self._project(expansion.density, np.arange(atoms), weights[:, None])
        first, second = self._channel_pairs()
        place = np.empty((self._channels, self._channels), int)
        place[first, second] = place[second, first] = np.arange(len(first))
        table = np.take(weights.reshape(atoms, self.l_max + 1, -1), place, axis=-1)
        table *= np.where(np.eye(self._channels), np.sqrt(2), 1)
        scaled = self._scaled(expansion.density).reshape(atoms, -1, self._channels)
        pulled = np.concatenate([scaled[:, degree] @ table[:, l] for l, degree in enumerate(self._degrees)], axis=1)
        pulled = self.weights_ @ pulled.reshape(expansion.density.shape)
        angular = np.concatenate([expansion.angular[:, None], expansion.angular_slope], axis=1)
        slopes = np.zeros((len(near.centres), 3))
        for kind, count, rows in near.shapes:
            centres = near.centres[rows][::count]
            for l, degree in enumerate(self._degrees):
                seen = (angular[rows, :, degree].reshape(len(centres), 4 * count, -1)
                        @ pulled[centres, degree, kind]).reshape(-1, 4, self.n_max)
                slopes[rows] += np.einsum("exn,en->ex", expansion.radial_slope[rows, :, l], seen[:, 0])
                slopes[rows] += np.einsum("en,exn->ex", expansion.radial[rows, l], seen[:, 1:])
        own = [-np.bincount(near.centres, slopes[:, x], atoms) for x in range(3)]
        return np.append(slopes, np.stack(own, axis=1), axis=0)


def _lengths(spectrum: np.ndarray) -> np.ndarray:
    """(N, 1); 1 where nothing is seen, which mixing with weights of zero can bring about."""
    lengths = np.linalg.norm(spectrum, axis=1, keepdims=True)
    return np.where(lengths > 0, lengths, 1)


@cache
def _upper(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Places on and above the diagonal of an n × n matrix put in a row, and what they count beside √2."""
    places = np.flatnonzero(np.triu(np.ones((n, n))))
    return places, np.where(places % (n + 1), 1, np.sqrt(0.5))
