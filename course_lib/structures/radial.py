"""Radial bases: a distance as a vector of numbers, smooth enough to learn functions of.

Each takes distances in Å, a NumPy array or a torch tensor of any shape (…), and answers (…, n); `derivative` gives d/dr of
the same shape. Those called orthonormal are so under r² dr, the measure of three-dimensional space. Only the polynomial
basis falls to zero at the cutoff with its slope; multiply the others by a cutoff function.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import gamma

from course_lib.structures.cutoffs import Array, library_of
from course_lib.structures.graphs import check_cutoff


def _check(cutoff: float, n: int) -> None:
    check_cutoff(cutoff)
    if n < 1:
        raise ValueError(f"a radial basis needs at least one function, got n = {n}.")


def _like(constants: np.ndarray, array: Array) -> Array:
    """Constants in the library, dtype and device of `array`."""
    if hasattr(array, "detach"):
        return array.new_tensor(constants) if array.is_floating_point() else array.new_tensor(constants, dtype=float)
    return np.asarray(constants, np.result_type(array, np.float32))


@dataclass(frozen=True)
class GaussianBasis:
    """exp(−(r − μₖ)² / 2w²), n centres μₖ evenly from `start` to `cutoff` (Å), w their spacing: SchNet's smearing.

    Schütt et al., NeurIPS 2017 (SchNet), section 4; there γ = 1 / 2w². Not orthogonal.
    """

    cutoff: float
    n: int = 20
    start: float = 0.0

    def __post_init__(self):
        _check(self.cutoff, self.n)
        if self.n < 2 or not self.start < self.cutoff:
            raise ValueError(f"Gaussians need n ≥ 2 and start < cutoff, got n = {self.n}, start = {self.start}, "
                             f"cutoff = {self.cutoff}.")

    @property
    def width(self) -> float:
        return (self.cutoff - self.start) / (self.n - 1)

    def _scaled(self, distances):
        return (distances[..., None] - _like(np.linspace(self.start, self.cutoff, self.n), distances)) / self.width

    def __call__(self, distances: Array) -> Array:
        return library_of(distances).exp(-0.5 * self._scaled(distances) ** 2)

    def derivative(self, distances: Array) -> Array:
        """d/dr of every function (…, n)."""
        return -self._scaled(distances) / self.width * self(distances)


@dataclass(frozen=True)
class BesselBasis:
    """√(2/c) sin(nπr/c) / r for n = 1…n: Gasteiger, Groß, Günnemann, ICLR 2020 (DimeNet), eq. 7.

    The spherical waves of l = 0 in a ball of radius c, the cutoff: orthonormal on [0, c], finite at r = 0, zero at c but
    not with their slope.
    """

    cutoff: float
    n: int = 8

    def __post_init__(self):
        _check(self.cutoff, self.n)

    def _wave_numbers(self, distances):
        return _like(np.pi * np.arange(1, self.n + 1) / self.cutoff, distances)

    def __call__(self, distances: Array) -> Array:
        k = self._wave_numbers(distances)
        return (2 / self.cutoff) ** 0.5 * k * library_of(distances).sinc(k * distances[..., None] / np.pi)

    def derivative(self, distances: Array) -> Array:
        """d/dr of every function (…, n)."""
        k, lib = self._wave_numbers(distances), library_of(distances)
        x = k * distances[..., None]
        large = lib.where(x > 0.01, x, lib.ones_like(x))
        slope = lib.where(x > 0.01, (large * lib.cos(large) - lib.sin(large)) / large**2, x**3 / 30 - x / 3)
        return (2 / self.cutoff) ** 0.5 * k**2 * slope


@dataclass(frozen=True)
class PolynomialBasis:
    """(r_c − r)² times a polynomial of degree 0…n−1 in r: the functions (r_c − r)ᵏ⁺², k < n, orthonormalised on [0, r_c].

    The space is that of Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013), section III D, who orthonormalise under dr
    by the inverse root of an overlap matrix, which is soon singular. Gram and Schmidt under r² dr lead to Jacobi polynomials
    instead, Nₖ (1 − x)² Pₖ^(4,2)(2x − 1) with x = r / r_c, good for any n. Zero with their slope at the cutoff and beyond it.
    """

    cutoff: float
    n: int = 8

    def __post_init__(self):
        _check(self.cutoff, self.n)

    def _parts(self, distances):
        x = library_of(distances).clip(distances / self.cutoff, max=1)[..., None]
        k = np.arange(self.n)
        return x, k, _like(np.sqrt((2 * k + 7) * (k + 5) * (k + 6) / ((k + 1) * (k + 2)) / self.cutoff**3), x)

    def __call__(self, distances: Array) -> Array:
        x, _, norm = self._parts(distances)
        return norm * (1 - x) ** 2 * _jacobi(2 * x - 1, self.n, 4, 2)

    def derivative(self, distances: Array) -> Array:
        """d/dr of every function (…, n)."""
        x, k, norm = self._parts(distances)
        value, raised = _jacobi(2 * x - 1, self.n, 4, 2), _jacobi(2 * x - 1, self.n, 5, 3)
        lowered = library_of(x).concatenate([0 * raised[..., :1], raised[..., :-1]], -1)  # P'ₖ = (k + 7)/2 Pₖ₋₁^(5,3)
        return norm * (1 - x) * ((1 - x) * _like(k + 7.0, x) * lowered - 2 * value) / self.cutoff


def _jacobi(z: Array, n: int, a: int, b: int) -> Array:
    """Jacobi polynomials Pₖ^(a,b)(z), k < n, of z (…, 1), as (…, n): DLMF 18.9.1 and 18.9.2."""
    values = [z * 0 + 1, (a + b + 2) / 2 * z + (a - b) / 2]
    for k in range(1, n - 1):
        s = 2 * k + a + b
        slope = (s + 1) * (s + 2) / (2 * (k + 1) * (s - k + 1))
        shift = (a**2 - b**2) * (s + 1) / (2 * (k + 1) * (s - k + 1) * s)
        back = (k + a) * (k + b) * (s + 2) / ((k + 1) * (s - k + 1) * s)
        values.append((slope * z + shift) * values[k] - back * values[k - 1])
    return library_of(z).concatenate(values[:n], -1)


@dataclass(frozen=True, eq=False)
class GaussianTypeOrbitals:
    """Orthonormal combinations of c r^p exp(−αr²), for each of L values of l: (…) → (…, L, n).

    powers, exponents, prefactors: (L, n), the primitives; exponents in 1/Å²
    transform: (L, n, n), each l's combinations, the inverse root of the primitives' overlap on [0, ∞) (Löwdin), so that
    R_l = transform_l @ primitives_l. Löwdin's functions depend on the prefactors, sums over all of them do not.
    Raises ValueError when the primitives are so nearly linearly dependent that orthonormality would be off by 1e-4.
    """

    powers: np.ndarray
    exponents: np.ndarray
    prefactors: np.ndarray
    transform: np.ndarray = field(init=False)

    def __post_init__(self):
        scale = self.prefactors[:, :, None] * self.prefactors[:, None, :]
        overlap = scale * _overlap(self.powers, self.exponents)
        values, vectors = np.linalg.eigh(overlap)
        transform = vectors / np.sqrt(np.maximum(values, 1e-300))[:, None, :] @ vectors.swapaxes(1, 2)
        errors = abs(transform @ overlap @ transform - np.eye(overlap.shape[1])).max(axis=(1, 2))
        if errors.max() > 1e-4:
            raise ValueError(f"{self.powers.shape[1]} Gaussian orbitals of l = {np.argmax(errors)} are too nearly linearly "
                             "dependent to be made orthonormal; use a smaller n_max, or PolynomialBasis.")
        object.__setattr__(self, "transform", transform)

    @classmethod
    def dscribe(cls, cutoff: float, n_max: int, l_max: int) -> "GaussianTypeOrbitals":
        """rˡ exp(−α_nl r²), n_max of each l ≤ l_max, the n-th down to 10⁻³ at aₙ Å, aₙ evenly from 1 to `cutoff`.

        The `gto` basis of DScribe: Himanen et al., Comput. Phys. Commun. 247, 106949 (2020).
        """
        _check(cutoff, n_max)
        if cutoff <= 1:
            raise ValueError(f"DScribe's Gaussian orbitals need a cutoff above 1 Å, got {cutoff}.")
        l, decay = np.arange(l_max + 1)[:, None], np.linspace(1, cutoff, n_max)
        exponents = -np.log(1e-3 / decay**l) / decay**2
        return cls(l + np.zeros(n_max, int), exponents, np.ones_like(exponents))

    @classmethod
    def featomic(cls, cutoff: float, n_max: int) -> "GaussianTypeOrbitals":
        """rⁿ exp(−r² / 2σₙ²), normalised, n = 0…n_max−1 for every l (so L = 1), σₙ = cutoff · max(√n, 1) / n_max.

        The `Gto` basis of librascal and featomic, whose `max_radial` is n_max − 1 here.
        """
        _check(cutoff, n_max)
        powers = np.arange(n_max)[None]
        exponents = 0.5 * (n_max / (cutoff * np.maximum(np.sqrt(powers), 1))) ** 2
        norms = np.sqrt(np.diagonal(_overlap(powers, exponents), axis1=1, axis2=2))
        return cls(powers, exponents, 1 / norms)

    def _primitives(self, r, powers):
        lib = library_of(r)
        return _like(self.prefactors, r) * r ** _like(powers, r) * lib.exp(-_like(self.exponents, r) * r**2)

    def _combine(self, primitives):
        return library_of(primitives).einsum("lnk,...lk->...ln", _like(self.transform, primitives), primitives)

    def __call__(self, distances: Array) -> Array:
        return self._combine(self._primitives(distances[..., None, None], self.powers))

    def derivative(self, distances: Array) -> Array:
        """d/dr of every function (…, n)."""
        r = distances[..., None, None]
        lowered = self._primitives(r, np.maximum(self.powers - 1, 0)) * _like(self.powers, r)
        return self._combine(lowered - 2 * _like(self.exponents, r) * self._primitives(r, self.powers + 1))


def _overlap(powers: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """∫₀^∞ r² r^(p+p') exp(−(α+α')r²) dr = ½ Γ(s) (α+α')^(−s), s = (p + p' + 3) / 2, for all pairs: (L, n, n)."""
    s = (powers[:, :, None] + powers[:, None, :] + 3) / 2
    return 0.5 * gamma(s) * (exponents[:, :, None] + exponents[:, None, :]) ** -s
