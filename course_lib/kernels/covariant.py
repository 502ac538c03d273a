"""Gaussian processes for what turns with the molecule: dipoles, polarizabilities.

A vector or a symmetric tensor is split in spherical parts y^λ_μ, of degree λ = 1, or 0 and 2, each learned by itself. If the
prior covariance turns with both its arguments, k^λ(R x, x') = D^λ(R) k^λ(x, x'), every prediction turns as it should,
whatever the data (Glielmo, Sollich, De Vita, Phys. Rev. B 95, 214302 (2017); Grisafi, Wilkins, Csányi, Ceriotti,
PRL 120, 036002 (2018)). Sums over atoms of λ-SOAP features q and scalar SOAP features p have it:

    k^λ_μμ'(A, B) = Σ_{i∈A, j∈B, of one element} (q_iμ · q_jμ') (p_i · p_j)^(ζ−1),   |p_i| = 1.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import numpy as np
from ase import Atoms
from scipy.linalg import cho_solve
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from course_lib.kernels.gaussian_process import cholesky_factor
from course_lib.kernels.lambda_soap import LambdaSOAP
from course_lib.structures import check_structures
from course_lib.symmetry import E3_TENSOR, E3_VECTOR, Symmetry, to_cartesian, to_spherical

Environments = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Of N atoms: atomic numbers (N,), whose atom each is (N,), p (N, F) of length one, q (N, 2λ + 1, F')."""
ROWS = 128
"""How many atoms are compared with all others at a time."""
VANISHING = 1e-14
"""Of the number of pairs of atoms: a kernel below it is zero by symmetry, but for rounding."""


class SymmetryAdaptedGP(BaseEstimator):
    """Learns one vector or one symmetric tensor a structure.

    features: settings of λ-SOAP; its degree, parity and species are set here
    output: "vector" or "tensor"
    power: ζ, 1 or more
    noise: standard deviation of a spherical component of the labels, in their unit; a number, or one a degree {0: …, 2: …}.
        The kernel of each degree is scaled so that a priori its components are as large as the labels'.
    Fitted: `species_`, and by degree `features_`, `environments_`, `scales_` and `coefficients_` (M, 2λ + 1).
    """

    def __init__(self, features: LambdaSOAP, output: Literal["vector", "tensor"] = "vector", power: int = 2,
                 noise: float | Mapping[int, float] = 1e-3) -> None:
        self.features, self.output, self.power, self.noise = features, output, power, noise

    @property
    def symmetry(self) -> Symmetry:
        return E3_TENSOR if self.output == "tensor" else E3_VECTOR

    def fit(self, frames: Sequence[Atoms], y: np.ndarray) -> Self:
        """Learn from y, (M, 3) or (M, 3, 3). Raises ValueError for labels of another shape, not finite, or not symmetric, for
        those that the symmetry of every frame forbids, and for a noise or power that is none.
        """
        check_structures(frames)
        parts = to_spherical(y, self.output)
        if len(y) != len(frames):
            raise ValueError(f"{len(y)} labels beside {len(frames)} frames")
        noises = self.noise if isinstance(self.noise, Mapping) else dict.fromkeys(parts, self.noise)
        if not (set(parts) <= set(noises) and all(0 <= noise < np.inf for noise in noises.values()) and self.power >= 1):
            raise ValueError(f"a {self.output} needs a noise of 0 or more for each degree {', '.join(map(str, parts))}, and a "
                             f"power of 1 or more; got {self.noise} and {self.power}")
        self.species_ = np.unique(np.concatenate([atoms.numbers for atoms in frames]))
        self.features_, self.environments_, self.scales_, self.coefficients_ = {}, {}, {}, {}
        for degree, labels in parts.items():
            self.features_[degree] = [clone(self.features).set_params(degree=l, parity=1, species=self.species_).fit()
                                      for l in (0, degree)]
            self.environments_[degree] = known = self._describe(frames, degree)
            K, size = _kernel(known, known, self.power), np.sqrt(np.square(labels).mean())
            if K.diagonal().mean() > VANISHING * np.square(np.bincount(known[1])).mean():
                self.scales_[degree] = size**2 / K.diagonal().mean()
            elif size <= noises[degree]:
                self.scales_[degree] = 0.0
            else:
                raise ValueError(f"the symmetry of every frame forbids a part of degree {degree}, but the labels have one, of "
                                 f"root mean square {size:.2g}; are they those of these frames? Add frames of less symmetry")
            K *= self.scales_[degree]
            K.flat[::len(K) + 1] += noises[degree] ** 2
            factor = cholesky_factor(K, f"raise noise ({noises[degree]:g}), or leave out frames that only an isometry tells "
                                        "apart")
            self.coefficients_[degree] = cho_solve((factor, True), labels.ravel()).reshape(labels.shape)
        return self

    def predict(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M, 3) or (M, 3, 3). Raises NotFittedError before `fit`, ValueError for elements that were not in it."""
        check_is_fitted(self, "coefficients_")
        check_structures(frames, self.species_)
        parts = {}
        for degree, coefficients in self.coefficients_.items():
            shared = self.scales_[degree] * _kernel(self._describe(frames, degree), self.environments_[degree], self.power)
            parts[degree] = (shared @ coefficients.ravel()).reshape(len(frames), -1)
        return to_cartesian(parts, self.output)

    @property
    def amplification(self) -> float:
        """How many times larger than their sum the terms of a prediction are: the audit's allowance."""
        check_is_fitted(self, "coefficients_")
        ratios = [1]
        for degree, coefficients in self.coefficients_.items():
            if self.scales_[degree]:
                K = _kernel(self.environments_[degree], self.environments_[degree], self.power)
                ratios.append((np.abs(K) @ np.abs(coefficients.ravel())).max() / np.abs(K @ coefficients.ravel()).max())
        return float(max(ratios))

    def _describe(self, frames: Sequence[Atoms], degree: int) -> Environments:
        p, q = (features.transform(frames) for features in self.features_[degree])
        length = np.linalg.norm(p, axis=2, keepdims=True)  # zero, unlike that of q, only if mixing weights are
        length = np.where(length > 0, length, 1)
        return (np.concatenate([atoms.numbers for atoms in frames]), np.repeat(np.arange(len(frames)), list(map(len, frames))),
                (p / length)[:, 0], q / length)


def _kernel(a: Environments, b: Environments, power: int) -> np.ndarray:
    """k^λ (M (2λ + 1), M' (2λ + 1)) of all structures of a and b."""
    (numbers, structure, p, q), (others, partner, p_, q_) = a, b
    n = q.shape[1]
    K = np.zeros((structure[-1] + 1, n, partner[-1] + 1, n))
    for species in np.intersect1d(numbers, others):
        like, of = np.flatnonzero(numbers == species), np.flatnonzero(others == species)
        columns = q_[of].reshape(-1, q_.shape[2]).T
        for i in np.array_split(like, len(like) // ROWS + 1):
            k = (q[i].reshape(-1, q.shape[2]) @ columns).reshape(len(i), n, len(of), n)
            k *= ((p[i] @ p_[of].T) ** (power - 1))[:, None, :, None]
            k, right = _summed(k, partner[of], axis=2)
            k, left = _summed(k, structure[i], axis=0)
            K[left[:, None], :, right] += k.swapaxes(1, 2)
    return K.reshape(K.shape[0] * n, -1)


def _summed(k: np.ndarray, structure: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Atoms of one structure added up along `axis`, and which structures those are."""
    starts = np.flatnonzero(np.diff(structure, prepend=-1))
    return np.add.reduceat(k, starts, axis=axis), structure[starts]
