"""Vectors and symmetric tensors in spherical parts: degree 1, or 0 and 2, each turning with its own Wigner matrix."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy as np

from course_lib.symmetry.coupling import clebsch_gordan


@cache
def _bases(output: str) -> dict[int, np.ndarray]:
    """For each degree, orthonormal Cartesian vectors (3, 3) or tensors (2λ + 1, 3, 3), μ first; they turn as harmonics do."""
    axes = np.eye(3)[[1, 2, 0]]  # Y_1 is ordered y, z, x
    match output:
        case "vector":
            return {1: axes}
        case "tensor":
            return {l: np.einsum("abm,ai,bj->mij", clebsch_gordan(1, 1, l), axes, axes) for l in (0, 2)}
    raise ValueError(f"output is {output!r}; it is 'vector' or 'tensor'")


def to_spherical(values: np.ndarray, output: Literal["vector", "tensor"]) -> dict[int, np.ndarray]:
    """Vectors (M, 3) or symmetric tensors (M, 3, 3) as components (M, 2λ + 1) of each degree, keeping sums of squares.

    Raises ValueError for another shape, values that are not finite, and tensors that are not symmetric.
    """
    values, bases = np.asarray(values, float), _bases(output)
    shape = next(iter(bases.values())).shape[1:]
    if values.shape[1:] != shape or values.ndim != len(shape) + 1 or not len(values):
        raise ValueError(f"labels have shape {values.shape}; a {output} a structure is needed, "
                         f"{'(M, 3)' if output == 'vector' else '(M, 3, 3)'}")
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if not finite.all():
        raise ValueError(f"label {np.argmin(finite)} is not finite; leave its frame out")
    if output == "tensor":
        skew = np.abs(values - values.swapaxes(1, 2)).max(axis=(1, 2))
        if (wrong := skew > 1e-4 * np.abs(values).max()).any():
            raise ValueError(f"tensor {np.argmax(wrong)} is not symmetric, by {skew[np.argmax(wrong)]:.1e}; "
                             "take (α + αᵀ) / 2, if that is what you mean")
    return {l: np.tensordot(values, basis, axes=(range(1, values.ndim), range(1, values.ndim))) for l, basis in bases.items()}


def to_cartesian(parts: Mapping[int, np.ndarray], output: Literal["vector", "tensor"]) -> np.ndarray:
    """The inverse of `to_spherical`: (M, 3) or (M, 3, 3)."""
    return sum(np.tensordot(parts[l], basis, axes=1) for l, basis in _bases(output).items())
