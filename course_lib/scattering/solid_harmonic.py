"""Solid harmonic scattering of molecules: how much of each size and angular pattern there is, wherever and however turned.

    ρ(r) = Σ_a z_a g_σ(r − r_a)                              Gaussians of unit volume; a density for each kind of charge
    U[j,l]ρ = (Σ_m |ρ * ψ_jlm|²)^{1/2}                       the sum over m takes away the orientation
    Φ = ∫ρ^q,  ∫(U[j,l]ρ)^q,  ∫(U[j',l] U[j,l]ρ)^q, j' > j   the integral takes away the place

(Eickenberg, Exarchakis, Hirn, Mallat & Thiry, J. Chem. Phys. 148, 241732 (2018).) What stays of the invariance when integrals
become sums over grid points is measured in chapter 09: reflections and quarter turns exactly, other rotations nearly.
"""

import warnings
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Self

import numpy as np
import torch
from ase import Atoms
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from course_lib.scattering.pyramid import Pyramid
from course_lib.structures import check_structures
from course_lib.symmetry import E3_INVARIANT, Symmetry

CLOSED_SHELLS = np.array([0, 2, 10, 18, 36, 54, 86])
CHANNELS = ("full", "valence", "core")


class SolidHarmonicScattering(TransformerMixin, BaseEstimator):
    """Molecules as integrals of the moduli of their scattered densities: one row a molecule.

    J, L: scales σ_j = 2^j σ, j = 0 … J, and degrees l = 0 … L
    powers: q, positive
    width: σ, Å, of the atoms' Gaussians and of the smallest wavelet
    spacing: of the finest grid, Å; all others follow. Above `width` it cannot resolve the density, and `fit` warns
    order: convolutions, 1 or 2
    channels: which charges z_a make a density: all, of the outer shell, of the closed shells
    memory: MB that the molecules worked on together may take; no feature depends on it, nor on its company
    dtype, device: "float32" or "float64"; "cpu", "cuda", …
    """

    symmetry: Symmetry = E3_INVARIANT

    def __init__(self, J: int = 3, L: int = 3, powers: Sequence[float] = (0.5, 1, 2, 3, 4), width: float = 0.4,
                 spacing: float = 0.4, order: int = 2, channels: Sequence[str] = CHANNELS, memory: float = 256,
                 dtype: str = "float32", device: str = "cpu") -> None:
        self.J, self.L, self.powers, self.width, self.spacing = J, L, powers, width, spacing
        self.order, self.channels, self.memory, self.dtype, self.device = order, channels, memory, dtype, device

    def fit(self, frames: Sequence[Atoms] | None = None, y: None = None) -> Self:
        """Nothing is learned: each molecule has grids of its own size. Raises ValueError for parameters without meaning."""
        for name, choices in {"J": range(12), "L": range(12), "order": (1, 2), "dtype": ("float32", "float64")}.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(map(str, choices))}")
        for name in ("width", "spacing", "memory", "powers"):
            value = np.atleast_1d(getattr(self, name)).astype(float)
            if not (value.size and np.isfinite(value).all() and (value > 0).all()):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive, and not empty")
        if not len(self.channels) or not set(self.channels) <= set(CHANNELS):
            raise ValueError(f"channels are {self.channels}; choose from {', '.join(CHANNELS)}")
        if self.spacing > self.width:
            warnings.warn(f"points {self.spacing} Å apart cannot resolve Gaussians of width {self.width} Å: features will "
                          f"depend on how a molecule lies on the grid. Set spacing={self.width} or less, or a larger width",
                          stacklevel=2)
        paths = [f"j={j} " for j in range(self.J + 1)]
        paths += [f"j={j},{k} " for j, k in combinations(range(self.J + 1 if self.order == 2 else 0), 2)]
        parts = ["", *(f"{path}l={l} " for path in paths for l in range(self.L + 1))]
        self.names_ = [f"{channel} {part}q={q:g}" for channel in self.channels for part in parts for q in self.powers]
        return self

    def get_feature_names_out(self, input_features: None = None) -> np.ndarray:
        """As "valence j=0,2 l=1 q=2": charges, scales of first and second wavelet, degree, power; of ρ itself, no scale."""
        check_is_fitted(self, "names_")
        return np.array(self.names_, dtype=object)

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M, F), in Å^(3 − 3q). Raises ValueError for a periodic frame, a molecule that `memory` has no room for, and what
        `check_structures` raises.
        """
        self._check(frames)
        features = np.empty((len(frames), len(self.names_)), self.dtype)
        with torch.no_grad():
            for rows, columns, scatter, positions, charges in self._batches(frames, slopes=False):
                features[np.ix_(rows, columns)] = scatter(positions, charges).flatten(1).numpy(force=True)
        return features

    def pull(self, frames: Sequence[Atoms], weights: np.ndarray) -> list[np.ndarray]:
        """Slopes of Σ_f w_f Φ_f in the positions, (N_i, 3) a frame. weights: (F,), or (M, F), a row a frame.

        Raises what `transform` raises.
        """
        self._check(frames)
        weights = np.broadcast_to(weights, (len(frames), len(self.names_)))
        slopes = [np.zeros((len(atoms), 3)) for atoms in frames]
        for rows, columns, scatter, positions, charges in self._batches(frames, slopes=True):
            features = scatter(positions.requires_grad_(), charges).flatten(1)
            pulled = features.new_tensor(weights[np.ix_(rows, columns)])
            gradient, = torch.autograd.grad((features * pulled).sum(), positions)
            for row, part in zip(rows, gradient.numpy(force=True), strict=True):
                slopes[row] += part[:len(slopes[row])]
        return slopes

    def _check(self, frames: Sequence[Atoms]) -> None:
        check_is_fitted(self, "names_")
        check_structures(frames)
        for index, atoms in enumerate(frames):
            if atoms.pbc.any():
                raise ValueError(f"frame {index} is periodic; here a molecule is alone in space: set pbc=False if it is one")

    def _batches(self, frames: Sequence[Atoms], slopes: bool) -> Iterator[
            tuple[list[int], np.ndarray, Pyramid, torch.Tensor, torch.Tensor]]:
        """Rows of frames that share a shape of grids, columns of features, and what gives these for positions and charges:
        as many together as there is memory for, if need be one channel of one molecule.
        """
        new = torch.empty(0, dtype=getattr(torch, self.dtype), device=self.device).new_tensor
        sides = [tuple(np.ceil(np.ptp(atoms.positions, axis=0) / self.spacing - 1e-4).tolist()) for atoms in frames]
        C, columns = len(self.channels), np.arange(len(self.names_)).reshape(len(self.channels), -1)
        for side in dict.fromkeys(sides):
            rows = [row for row, own in enumerate(sides) if own == side]
            pyramid = Pyramid([n * self.spacing for n in side], self.J, self.L, self.powers, self.width, self.spacing,
                              self.order, new(()))
            most = max(len(frames[row]) for row in rows)
            needed = pyramid.memory(most, slopes) / 1e6
            room = int(self.memory / needed)
            if room < 1:
                raise ValueError(f"frame {rows[0]}, {frames[rows[0]].get_chemical_formula()}, needs memory={needed + 0.5:.0f} "
                                 f"MB or more, and {self.memory} are allowed; or set a larger spacing than {self.spacing} Å")
            step, channels = max(1, room // C), min(C, room)
            for start in range(0, len(rows), step):
                batch = rows[start:start + step]
                positions, charges = self._arrays([frames[row] for row in batch], most)
                for part in (slice(first, first + channels) for first in range(0, C, channels)):
                    yield batch, columns[part].ravel(), pyramid, new(positions), new(charges[:, part])

    def _arrays(self, frames: Sequence[Atoms], most: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions (B, A, 3) and charges (B, C, A), filled up with atoms of no charge at the place of the first."""
        positions, charges = np.zeros((len(frames), most, 3)), np.zeros((len(frames), len(CHANNELS), most))
        for row, atoms in enumerate(frames):
            core = CLOSED_SHELLS[np.searchsorted(CLOSED_SHELLS, atoms.numbers) - 1]
            positions[row] = atoms.positions[0]
            positions[row, :len(atoms)] = atoms.positions
            positions[row] -= (atoms.positions.max(axis=0) + atoms.positions.min(axis=0)) / 2
            charges[row, :, :len(atoms)] = atoms.numbers, atoms.numbers - core, core
        return positions, charges[:, [CHANNELS.index(channel) for channel in self.channels]]
