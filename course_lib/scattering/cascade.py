"""The scattering cascade on a periodic grid of any dimension: wavelets, moduli, averages.

U[λ]x = |x ∗ ψ_λ|,  U[λ₁,λ₂]x = ||x ∗ ψ_λ₁| ∗ ψ_λ₂|,  S[p]x = U[p]x ∗ φ_J: a modulus takes away the phase that a translation
turns, the low-pass φ_J averages over 2^J samples, and what the average loses the next wavelets recover. Both filters and
moduli contract, so the whole does: ‖Sx − Sy‖ ≤ ‖x − y‖ (Mallat, Comm. Pure Appl. Math. 65, 1331 (2012)).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.fft import fftn, ifftn
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

PERIODS = 2
"""How many periods of the grid's frequencies to either side a filter is summed over: what sampling does to it."""
WORK = 2**18
"""About how many numbers are transformed together."""


def gabor(shape: tuple[int, ...], centre: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Fourier transform, on the grid of `shape`, of a Gaussian window times a plane wave, of height 1 at its centre.

    centre (d,): the wave's frequency, cycles a sample; precision (d, d): the inverse covariance of the bump around it.
    """
    grid = np.stack(np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij"), axis=-1)
    total = np.zeros(shape)
    for shift in product(range(-PERIODS, PERIODS + 1), repeat=len(shape)):
        away = grid + shift - centre
        total += np.exp(-0.5 * (away @ precision * away).sum(axis=-1))
    return total


def morlet(shape: tuple[int, ...], centre: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """A Gabor filter less the multiple of its window that makes its mean zero."""
    wave, window = gabor(shape, centre, precision), gabor(shape, np.zeros(len(shape)), precision)
    return wave - wave.flat[0] / window.flat[0] * window


@dataclass(frozen=True)
class FilterBank:
    """Real Fourier transforms of filters on one grid.

    low_pass (*shape): φ̂_J; wavelets (K, *shape): ψ̂_λ; centres (K, d): where each lies, cycles a sample.
    """

    low_pass: np.ndarray
    wavelets: np.ndarray
    centres: np.ndarray

    def littlewood_paley(self) -> np.ndarray:
        """(*shape): |φ̂(ω)|² + ½ Σ_λ (|ψ̂_λ(ω)|² + |ψ̂_λ(−ω)|²), the share of a real signal's energy kept at each frequency."""
        energy = np.square(self.wavelets).sum(axis=0)
        mirrored = np.roll(np.flip(energy), 1, axis=tuple(range(energy.ndim)))
        return np.square(self.low_pass) + 0.5 * (energy + mirrored)

    def contracting(self) -> "FilterBank":
        """The bank with its wavelets scaled together, as large as a Littlewood–Paley sum ≤ 1 allows."""
        low = np.square(self.low_pass)
        band = self.littlewood_paley() - low
        seen = band > 1e-9 * band.max()
        gain = np.sqrt(np.min((1 - low[seen]) / band[seen]))
        return FilterBank(self.low_pass, gain * self.wavelets, self.centres)


class Scattering(TransformerMixin, BaseEstimator, ABC):
    """What signals and images share; subclasses name the filters. They have parameters `J` and `order`.

    After `fit`: `banks_`, the bank of each order; `paths_`, the tuple of wavelet indices of each coefficient: (), (λ₁,) …,
    (λ₁, λ₂) …, frequency-decreasing, since a modulus |x ∗ ψ_λ₁| has little to say above the frequency of ψ_λ₁.
    """

    @abstractmethod
    def _banks(self, shape: tuple[int, ...]) -> tuple[FilterBank, FilterBank]:
        """Filters of first and second order."""

    dimension: int
    J: int
    order: int

    def fit(self, X: np.ndarray, y: None = None) -> "Scattering":
        """Make the filters for arrays of the shape of `X` (n, *shape); nothing is learnt from their values."""
        if self.J < 1 or self.order not in (1, 2):
            raise ValueError(f"scattering needs J ≥ 1 and order 1 or 2; got J = {self.J}, order = {self.order}")
        shape = np.shape(X)[1:]
        if len(shape) != self.dimension:
            raise ValueError(f"an array of shape {np.shape(X)}; {type(self).__name__} takes n arrays in one, with "
                             f"{1 + self.dimension} axes: add the first one, X[None], for a single one")
        if any(side % 2**self.J for side in shape):
            raise ValueError(f"arrays of shape {shape} cannot be averaged over 2^J = {2**self.J} samples a side: pad them to "
                             f"a multiple of it, or take a smaller J")
        self.banks_ = tuple(bank.contracting() for bank in self._banks(shape))
        first, second = (np.linalg.norm(bank.centres, axis=1) for bank in self.banks_)
        pairs = np.argwhere(second < 0.999 * first[:, None]) if self.order == 2 else []
        self.paths_ = [(), *((k,) for k in range(len(first))), *map(tuple, np.asarray(pairs).tolist())]
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """(n, paths · samples): `coefficients` in one row an array."""
        return self.coefficients(X).reshape(len(X), -1)

    def coefficients(self, X: np.ndarray) -> np.ndarray:
        """(n, paths, *shape/2^J): S[p]x at every 2^J-th sample, in the order of `paths_`, in the unit of x."""
        X = self._checked(X)
        step = 2**self.J
        coarse = [side // step for side in X.shape[1:]]
        folded = [length for side in coarse for length in (step, side)]
        places = tuple(range(1, 2 * self.dimension, 2))
        result = np.empty((len(X), len(self.paths_), *coarse), X.dtype)
        rows = max(1, WORK // X[0].size)
        low_pass = self.banks_[0].low_pass.astype(X.dtype)
        for start in range(0, len(X), rows):
            part = slice(start, start + rows)
            for p, _, spectrum in self._walk(X[part]):
                every = (spectrum * low_pass).reshape(len(spectrum), *folded).mean(axis=places)    # sample in space: fold
                result[part, p] = ifftn(every, axes=self._axes).real
        return result

    def moduli(self, X: np.ndarray) -> np.ndarray:
        """(n, paths, *shape): U[p]x before the average, in the order of `paths_`; of first order, a scalogram."""
        X = self._checked(X)
        result = np.empty((len(X), len(self.paths_), *X.shape[1:]), X.dtype)
        for p, modulus, _ in self._walk(X):
            result[:, p] = modulus
        return result

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(1, 1 + self.dimension))

    def _walk(self, x: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """The place of every path, its U[p]x and the Fourier transform of that."""
        spectra = {}
        first, second = (bank.wavelets.astype(x.dtype) for bank in self.banks_)
        place = {path: p for p, path in enumerate(self.paths_)}
        for path in sorted(self.paths_):                       # λ₁ and then all of its children
            if not path:
                modulus = x
            else:
                wavelet = (first, second)[len(path) - 1][path[-1]]
                modulus = np.abs(ifftn(spectra[len(path) - 1] * wavelet, axes=self._axes))
            spectra[len(path)] = fftn(modulus, axes=self._axes)
            yield place[path], modulus, spectra[len(path)]

    def _checked(self, X: np.ndarray) -> np.ndarray:
        check_is_fitted(self, "banks_")
        X = np.asarray(X)
        if X.dtype.kind == "c":
            raise ValueError(f"arrays are complex, {X.dtype}; give real ones, as two if both parts matter")
        X = X if X.dtype == np.float32 else X.astype(np.float64)
        if X.shape[1:] != self.banks_[0].low_pass.shape:
            raise ValueError(f"arrays of shape {X.shape[1:]}, fitted to {self.banks_[0].low_pass.shape}: fit again")
        if not np.isfinite(X).all():
            row = int(np.argwhere(~np.isfinite(X))[0, 0])
            raise ValueError(f"row {row} holds values that are not finite; clean or drop it")
        return X
