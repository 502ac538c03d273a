"""Permutationally invariant polynomials of interatomic distances.

V(x) = Σ_k c_k p_k(y) with Morse variables y_ij = exp(−r_ij / λ) and p_k the sums over an orbit of monomials: invariant under
E(3) because distances are, under relabelling of like atoms because orbit sums are (Braams & Bowman, Int. Rev. Phys. Chem.
28, 577 (2009)). There are as many as the Molien series says.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from course_lib.polynomials.recipe import Product, recipe
from course_lib.structures import check_structures
from course_lib.symmetry import E3_INVARIANT, Symmetry

VALUES, SLOPES = 2048, 384
"""How many frames are evaluated together: few enough for the processor's cache."""


class InvariantPolynomials(TransformerMixin, BaseEstimator):
    """All invariant polynomials of one composition up to a degree, as features of frames.

    symbols: the elements, as "CHHHH" or ["C", "H", …], in any order
    degree: largest total degree in the Morse variables
    length: λ of y = exp(−r/λ), Å; 2 bohr by default
    fragments: optional groups of indices into `symbols`, as [[0, 1, 2], [3, 4]]: keep only the polynomials that go to zero
        when these fragments part (a purified basis), the constant not among them
    Raises ValueError for fewer than two atoms, degree < 1, length ≤ 0, and fragments that do not share out all atoms.
    """

    symmetry: Symmetry = E3_INVARIANT

    def __init__(self, symbols: Sequence[str], degree: int, length: float = 1.0583544, fragments=None) -> None:
        self.symbols, self.degree, self.length, self.fragments = symbols, degree, length, fragments

    def fit(self, frames: Sequence[Atoms] | None = None, y: None = None) -> "InvariantPolynomials":
        """Find the orbits and how to compute their sums; needs no data."""
        atoms = _elements(self.symbols)
        if len(atoms) < 2 or self.degree < 1 or not self.length > 0:
            raise ValueError(f"polynomials need two atoms or more, degree ≥ 1 and length > 0; got {len(atoms)} atoms, "
                             f"degree {self.degree}, length {self.length}")
        pairs = np.transpose(np.triu_indices(len(atoms), 1))
        group = np.zeros(len(atoms), int)
        if self.fragments is not None:
            if sorted(i for part in self.fragments for i in part) != list(range(len(atoms))):
                raise ValueError(f"fragments {self.fragments} must name each of the atoms 0 to {len(atoms) - 1} once")
            for label, part in enumerate(self.fragments):
                group[list(part)] = label
        between = group[pairs[:, 0]] != group[pairs[:, 1]]
        self.pairs_, self.recipe_ = pairs, recipe(atoms, self.degree, between)
        self.kept_ = np.flatnonzero(self.recipe_.vanishing) if self.fragments is not None else np.arange(
            len(self.recipe_.degrees))
        return self

    @property
    def degrees_(self) -> np.ndarray:
        """(K,): the degree of each polynomial."""
        return self.recipe_.degrees[self.kept_]

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M, K) values of the polynomials. Raises ValueError for a frame of another composition or a periodic one."""
        return np.concatenate([self._values(y)[self.kept_].T for _, _, y in self._chunks(frames, VALUES)])

    def jacobian(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M, K, N, 3): ∂p_k/∂x of every atom in the order of the frame, 1/Å."""
        slopes = np.empty((len(frames), len(self.kept_), len(self.symbols), 3))
        for start, (order, vectors, y) in enumerate(self._chunks(frames, SLOPES)):
            slopes[start * SLOPES:(start + 1) * SLOPES] = self._to_positions(
                self._slopes(y)[self.kept_].transpose(2, 0, 1), y, vectors, order)
        return slopes

    def contract(self, frames: Sequence[Atoms], coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Σ_k c_k p_k (M,) and its gradient (M, N, 3), 1/Å times the unit of c, at the cost of a few evaluations."""
        weights = np.zeros(len(self.recipe_.degrees))
        weights[self.kept_] = coefficients
        energies, gradients = [], []
        for order, vectors, y in self._chunks(frames, VALUES):
            values = self._values(y)
            energies.append(weights @ values)
            gradients.append(self._to_positions(self._back(values, y, weights).T[:, None], y, vectors, order)[:, 0])
        return np.concatenate(energies), np.concatenate(gradients)

    def _chunks(self, frames: Sequence[Atoms], size: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Which atom of a frame is which of `symbols` (m, N), pair vectors (m, P, 3) Å, Morse variables (P, m)."""
        check_is_fitted(self, "recipe_")
        check_structures(frames)
        wanted = _elements(self.symbols)
        for index, atoms in enumerate(frames):
            if atoms.pbc.any():
                raise ValueError(f"frame {index} is periodic; these polynomials are of a molecule: set pbc=False if it is one")
            if Counter(atoms.numbers.tolist()) != Counter(wanted):
                raise ValueError(f"frame {index} is {atoms.get_chemical_formula()}, these polynomials are of "
                                 f"{Atoms(wanted).get_chemical_formula()}; make others for it")
        place = np.argsort(np.argsort(wanted, kind="stable"), kind="stable")
        order = np.array([np.argsort(atoms.numbers, kind="stable")[place] for atoms in frames])
        positions = np.array([atoms.positions[rows] for atoms, rows in zip(frames, order, strict=True)])
        vectors = positions[:, self.pairs_[:, 0]] - positions[:, self.pairs_[:, 1]]
        distances = np.linalg.norm(vectors, axis=-1)
        if not distances.all():
            frame, pair = np.argwhere(distances == 0)[0]
            raise ValueError(f"frame {frame}: atoms {order[frame, self.pairs_[pair]].tolist()} are at one place; move one")
        morse = np.exp(-distances / self.length)
        for start in range(0, len(frames), size):
            chunk = slice(start, start + size)
            yield order[chunk], vectors[chunk], np.ascontiguousarray(morse[chunk].T)

    def _values(self, y: np.ndarray) -> np.ndarray:
        """(all polynomials, m)."""
        p = np.ones((len(self.recipe_.degrees), y.shape[1]))
        for k, step in enumerate(self.recipe_.steps, start=1):
            if isinstance(step, Product):
                np.multiply(p[step.left], p[step.right], out=p[k])
                for coefficient, other in zip(step.coefficients, step.others, strict=True):
                    p[k] -= coefficient * p[other]
                p[k] /= step.scale
            else:
                p[k] = y[step.monomials].prod(axis=1).sum(axis=0)
        return p

    def _slopes(self, y: np.ndarray) -> np.ndarray:
        """∂p/∂y (all polynomials, P, m), by the product rule along the recipe."""
        p, slopes = self._values(y), np.zeros((len(self.recipe_.degrees), *y.shape))
        for k, step in enumerate(self.recipe_.steps, start=1):
            if isinstance(step, Product):
                np.multiply(p[step.left], slopes[step.right], out=slopes[k])
                slopes[k] += p[step.right] * slopes[step.left]
                for coefficient, other in zip(step.coefficients, step.others, strict=True):
                    slopes[k] -= coefficient * slopes[other]
                if step.scale != 1:
                    slopes[k] /= step.scale
            else:
                _add_slopes(slopes[k], step.monomials, y, 1.0)
        return slopes

    def _back(self, p: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """∂(Σ c_k p_k)/∂y (P, m), from the last polynomial to the first."""
        pull, gradient = np.repeat(weights[:, None], y.shape[1], axis=1), np.zeros_like(y)
        for k, step in reversed(list(enumerate(self.recipe_.steps, start=1))):
            if isinstance(step, Product):
                share = pull[k] / step.scale
                pull[step.left] += share * p[step.right]
                pull[step.right] += share * p[step.left]
                pull[step.others] -= step.coefficients[:, None] * share
            else:
                _add_slopes(gradient, step.monomials, y, pull[k])
        return gradient

    def _to_positions(self, slopes: np.ndarray, y: np.ndarray, vectors: np.ndarray, order: np.ndarray) -> np.ndarray:
        """∂/∂y (m, K, P) to ∂/∂x (m, K, N, 3), atoms in the order of the frames."""
        m, n = order.shape
        along = -(y.T / self.length / np.linalg.norm(vectors, axis=-1))[..., None] * vectors
        moves = np.zeros((m, len(self.pairs_), n, 3))
        frame, pair = np.arange(m)[:, None], np.arange(len(self.pairs_))
        moves[frame, pair, order[:, self.pairs_[:, 0]]] = along
        moves[frame, pair, order[:, self.pairs_[:, 1]]] = -along
        return (slopes @ moves.reshape(m, len(self.pairs_), 3 * n)).reshape(m, -1, n, 3)


def _elements(symbols: Sequence[str]) -> list[int]:
    unknown = [s for s in symbols if s not in atomic_numbers]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no element; give one symbol an atom, as in 'CHHHH' or ['Si', 'H', 'H', 'H', 'H']")
    return [atomic_numbers[s] for s in symbols]


def _add_slopes(total: np.ndarray, monomials: np.ndarray, y: np.ndarray, weight: np.ndarray | float) -> None:
    """Add weight · ∂(Σ monomials)/∂y to `total` (P, m)."""
    for t in range(monomials.shape[1]):
        rest = np.delete(monomials, t, axis=1)
        np.add.at(total, monomials[:, t], weight * y[rest].prod(axis=1))
