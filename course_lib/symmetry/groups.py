"""Elements of S_n, SO(3), O(3) and E(3), drawn by Haar measure.

Haar measure is the only probability on a compact group that no group element can tell from its own shift. Three
uniform Euler angles are *not* Haar: they crowd the poles, for dR = sin β dα dβ dγ / 8π² carries a sine. SciPy draws
unit quaternions uniformly on their sphere, which is Haar. E(3) is not compact, so its translations need a scale.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Isometry:
    """x ↦ `linear` x + `translation`: an element of E(3), with `linear` (3, 3) orthogonal and `translation` (3,) in Å."""

    linear: np.ndarray
    translation: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Moves points (…, 3), Å."""
        return points @ self.linear.T + self.translation

    def __matmul__(self, other: "Isometry") -> "Isometry":
        """First `other`, then `self`."""
        return Isometry(self.linear @ other.linear, self.linear @ other.translation + self.translation)

    @property
    def inverse(self) -> "Isometry":
        return Isometry(self.linear.T, -self.linear.T @ self.translation)


def random_rotations(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 3, 3) proper rotations by the Haar measure of SO(3)."""
    return Rotation.random(n, rng=rng).as_matrix()


def random_improper(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 3, 3) improper elements of O(3), −R with Haar R: inversion, reflections and rotary reflections."""
    return -random_rotations(n, rng)


def random_isometry(rng: np.random.Generator, scale: float = 1.0) -> Isometry:
    """An element of E(3): Haar on O(3), and a translation normal with standard deviation `scale`, Å."""
    return Isometry(random_rotations(1, rng)[0] * rng.choice([-1, 1]), rng.normal(scale=scale, size=3))


def random_permutation(numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A uniform permutation of like atoms: indices (N,) such that `numbers[indices]` equals `numbers` (N,)."""
    numbers = np.asarray(numbers)
    indices = np.arange(len(numbers))
    for species in np.unique(numbers):
        like = np.flatnonzero(numbers == species)
        indices[like] = rng.permutation(like)
    return indices


def icosahedral_rotations() -> np.ndarray:
    """(60, 3, 3): the rotations of an icosahedron, identity included."""
    return Rotation.create_group("I").as_matrix()
