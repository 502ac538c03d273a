"""Kernels k(a, b): what the value of an unknown function at a tells of its value at b; and of its slopes.

A kernel of a squared distance or of a scalar product, k = f(s), has derivatives that follow from f', f'' alone:
∂k/∂a = f' ∂s/∂a and ∂²k/∂a∂b = f'' ∂s/∂a ∂s/∂b + f' ∂²s/∂a∂b (Rasmussen & Williams, Gaussian Processes for Machine Learning
(2006), sections 4.2 and 9.4).
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator
from sklearn.metrics.pairwise import euclidean_distances


class Kernel(BaseEstimator, ABC):
    """k(A, B) of points A (n, d) and B (m, d), symmetric and positive semidefinite.

    `amplitude` is the standard deviation of the function, in its unit, `length` how far one must go for another value, in the
    unit of the points. `learned` names the positive hyperparameters that evidence may choose, the amplitude first.
    """

    learned: ClassVar[tuple[str, ...]] = ("amplitude", "length")

    def __init__(self, amplitude: float = 1.0, length: float = 1.0) -> None:
        self.amplitude, self.length = amplitude, length

    def check(self) -> None:
        """Raises ValueError for a learned hyperparameter that is not positive and finite."""
        for name in self.learned:
            if not 0 < (value := self.get_params()[name]) < np.inf:
                raise ValueError(f"{name} of {type(self).__name__} is {value}; it must be positive and finite")

    @abstractmethod
    def __call__(self, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        """(n, m)."""

    @abstractmethod
    def slopes(self, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        """∂k/∂a, (n, d, m)."""

    @abstractmethod
    def curvatures(self, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        """∂²k/∂a∂b, (n, d, m, d)."""

    def diagonal(self, A: np.ndarray) -> np.ndarray:
        """k(a, a), (n,)."""
        return np.concatenate([self(part, part).diagonal() for part in np.array_split(A, len(A) // 64 + 1)])


class _OfDistance(Kernel):
    """k = f(s), s = |a − b|²."""

    @abstractmethod
    def _f(self, s: np.ndarray, order: int) -> np.ndarray:
        """The derivative of f of this order, 0, 1 or 2."""

    def __call__(self, A, B):
        return self._f(_squared(A, B), 0)

    def slopes(self, A, B):
        return 2 * self._f(_squared(A, B), 1)[:, None] * (A[:, :, None] - B.T)

    def curvatures(self, A, B):
        s, d = _squared(A, B), A[:, :, None] - B.T
        return (-4 * (self._f(s, 2)[:, None] * d)[..., None] * d.swapaxes(1, 2)[:, None]
                - 2 * self._f(s, 1)[:, None, :, None] * np.eye(A.shape[1])[:, None])


class RBF(_OfDistance):
    """σ² exp(−|a − b|² / 2ℓ²): functions with all derivatives."""

    def _f(self, s, order):
        factor = -0.5 / self.length**2
        values = np.exp(factor * s)
        values *= self.amplitude**2 * factor**order
        return values


class Matern52(_OfDistance):
    """σ² (1 + u + u²/3) exp(−u), u = √5 |a − b| / ℓ: functions with two derivatives."""

    def _f(self, s, order):
        u = np.sqrt(5 * s) / self.length
        decay = self.amplitude**2 * np.exp(-u)
        match order:
            case 0:
                return decay * (1 + u + u * u / 3)
            case 1:
                return decay * (1 + u) * (-5 / 6 / self.length**2)
        return decay * (25 / 12 / self.length**4)


class Laplacian(Kernel):
    """σ² exp(−Σ_i |a_i − b_i| / ℓ): continuous functions with kinks, so there are no slopes."""

    def __call__(self, A, B):
        return self.amplitude**2 * np.exp(cdist(A, B, "cityblock") * (-1 / self.length))

    def slopes(self, A, B):
        raise ValueError("functions under a Laplacian kernel have no slopes; use Matern52 or RBF for forces")

    curvatures = slopes


class DotProduct(Kernel):
    """σ² (a·b + c)^ζ: polynomials of degree ζ in the points, with all lower degrees where `offset` c > 0."""

    learned = ("amplitude",)

    def __init__(self, amplitude: float = 1.0, power: int = 2, offset: float = 0.0) -> None:
        self.amplitude, self.power, self.offset = amplitude, power, offset

    def _f(self, s, order):
        if order > self.power:
            return np.zeros_like(s)
        factor = np.prod(self.power - np.arange(order))
        return self.amplitude**2 * factor * (s + self.offset) ** (self.power - order)

    def __call__(self, A, B):
        return self._f(A @ B.T, 0)

    def slopes(self, A, B):
        return self._f(A @ B.T, 1)[:, None] * B.T

    def curvatures(self, A, B):
        s = A @ B.T
        return ((self._f(s, 2)[:, None] * B.T)[..., None] * A[:, None, None]
                + self._f(s, 1)[:, None, :, None] * np.eye(A.shape[1])[:, None])


class Symmetrized(Kernel):
    """|G|⁻¹ Σ_g k(a, g b) for a group that permutes coordinates: every function under it is invariant.

    permutations: (|G|, d), each g as the order it gives the coordinates; all of the group, or the sum may be no kernel
    """

    def __init__(self, kernel: Kernel, permutations: np.ndarray) -> None:
        self.kernel, self.permutations = kernel, permutations

    @property
    def learned(self) -> tuple[str, ...]:
        return tuple(f"kernel__{name}" for name in self.kernel.learned)

    def check(self) -> None:
        """Raises ValueError as the kernel within does, and unless every two permutations give a third when composed."""
        self.kernel.check()
        group = np.asarray(self.permutations)
        closed = np.unique(np.concatenate([group, *(group[:, g] for g in group)]), axis=0)
        if (np.sort(group) != np.arange(group.shape[1])).any() or len(closed) != len(group):
            raise ValueError(f"the {len(group)} permutations are not a group: composed with each other they give "
                             f"{len(closed)}; list them all, each once")

    def __call__(self, A, B):
        return sum(self.kernel(A, B[:, g]) for g in self.permutations) / len(self.permutations)

    def slopes(self, A, B):
        return sum(self.kernel.slopes(A, B[:, g]) for g in self.permutations) / len(self.permutations)

    def curvatures(self, A, B):
        return sum(self.kernel.curvatures(A, B[:, g])[..., np.argsort(g)] for g in self.permutations) / len(self.permutations)


def _squared(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """|a − b|² (n, m): for few coordinates by differences, to the last digit; for many by one matrix product."""
    if A.shape[1] < 32:
        return cdist(A, B, "sqeuclidean")
    centre = B.mean(axis=0)  # |a|² + |b|² − 2 a·b rounds where a and b are large
    return euclidean_distances(A - centre, B - centre, squared=True)
