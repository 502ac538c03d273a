"""Invariant products as tables of numbers: which A to multiply, and with which couplings to add the products up.

Each product of ν factors is computed from one of ν − 1, so the set of products is closed under leaving out a factor. The slope
∂(A_1 … A_ν)/∂A_t, the product of the others, is then in the set as well and costs no more than a look at a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise

import numpy as np
from scipy.sparse import csr_array

from course_lib.symmetry import invariant_couplings

Label = tuple[int, int, int]
"""The element (atomic number), n and l of 2l + 1 variables A."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """∂B/∂A of all functions of one order: entry by entry, `values` times a product, added to a function and a variable."""

    functions: np.ndarray
    variables: np.ndarray
    products: np.ndarray
    values: np.ndarray


class InvariantProducts:
    """For each order ν, all B whose ν factors have the labels given for it, K in all.

    variables: V, how many A there are
    labels: for each order a table {label: number of the variable A with m = −l}, the others of this label following it
    degree: for each order the largest Σ (n + l)
    functions: for each order an array (K_ν, ν, 3), the labels of the factors of each B
    coupling: (K, P) sparse, B = coupling @ products
    slopes: for each order its `Slopes`
    """

    def __init__(self, variables: int, labels: Sequence[Mapping[Label, int]], degree: Sequence[float]) -> None:
        if variables ** len(labels) > 2**62:
            raise ValueError(f"products of {len(labels)} out of {variables} variables cannot be numbered with 64 bits; lower "
                             "the order, n_max or l_max")
        self.variables = variables
        self.functions, rows, monomials, values = [], [], [], []
        for order, first in enumerate(labels, start=1):
            chosen, parts, before = [], [], sum(map(len, self.functions))
            for factors in combinations_with_replacement(first, order):
                degrees = [l for _, _, l in factors]
                if sum(degrees) % 2 == 0 and sum(n + l for _, n, l in factors) <= degree[order - 1]:  # inversion: (−1)^Σl
                    couplings = invariant_couplings(degrees, factors)
                    which, *m = np.nonzero(np.abs(couplings) > 1e-12)
                    multiplied = np.transpose(m) + [first[label] for label in factors]
                    parts.append((before + len(chosen) + which, np.sort(multiplied, axis=1), couplings[which, *m]))
                    chosen += len(couplings) * [factors]
            self.functions.append(np.array(chosen).reshape(-1, order, 3))
            for table, part in zip((rows, monomials, values), zip(*parts, strict=True), strict=True):
                table.append(np.concatenate(part))
        self._number_the_products(monomials)
        places = np.concatenate([self._place(table) for table in monomials])
        self.coupling = csr_array((np.concatenate(values), (np.concatenate(rows), places)),
                                  shape=(sum(map(len, self.functions)), self.starts[-1]))
        self.slopes = [
            Slopes(np.tile(row, order), table.T.ravel(),
                   np.concatenate([self._place(np.delete(table, t, axis=1)) for t in range(order)]), np.tile(value, order))
            for order, (row, table, value) in enumerate(zip(rows, monomials, values, strict=True), start=1)]

    def _number_the_products(self, monomials: Sequence[np.ndarray]) -> None:
        """Product k is product left[k] times variable right[k], which have their places order by order."""
        levels = [np.unique(self._code(table)) for table in monomials]
        for order in range(len(levels) - 1, 0, -1):
            factors = self._factors(levels[order], order + 1)
            parts = [self._code(np.delete(factors, t, axis=1)) for t in range(order + 1)]
            levels[order - 1] = np.unique(np.concatenate([levels[order - 1], *parts]))
        self._levels = [np.zeros(1, int), *levels]
        self.starts = np.cumsum([0, *map(len, self._levels)])
        factors = [self._factors(codes, order) for order, codes in enumerate(levels, start=1)]
        self.left, self.right = [self._place(table[:, :-1]) for table in factors], [table[:, -1] for table in factors]

    def _code(self, monomials: np.ndarray) -> np.ndarray:
        return monomials @ self.variables ** np.arange(monomials.shape[1])[::-1]

    def _factors(self, codes: np.ndarray, order: int) -> np.ndarray:
        return codes[:, None] // self.variables ** np.arange(order)[::-1] % self.variables

    def _place(self, monomials: np.ndarray) -> np.ndarray:
        order = monomials.shape[1]
        return self.starts[order] + np.searchsorted(self._levels[order], self._code(monomials))

    def values(self, A: np.ndarray) -> np.ndarray:
        """(P, n) products of A (V, n), the empty product first."""
        products = np.ones((self.starts[-1], A.shape[1]))
        for (start, stop), left, right in zip(pairwise(self.starts[1:]), self.left, self.right, strict=True):
            np.multiply(products[left], A[right], out=products[start:stop])
        return products

    def jacobians(self, first: int, count: int) -> list[tuple[np.ndarray, np.ndarray, csr_array]]:
        """For each order: functions (f,), their variables (v,) among `count` from `first` on, counted from there, and the
        table (v · f, P) that makes ∂(functions)/∂(variables) of the products.
        """
        found = []
        for part in self.slopes:
            mine = (part.variables >= first) & (part.variables < first + count)
            functions, column = np.unique(part.functions[mine], return_inverse=True)
            variables, row = np.unique(part.variables[mine] - first, return_inverse=True)
            table = csr_array((part.values[mine], (row * len(functions) + column, part.products[mine])),
                              shape=(len(variables) * len(functions), self.starts[-1]))
            found.append((functions, variables, table))
        return found

    def contraction(self, coefficients: np.ndarray) -> tuple[np.ndarray, csr_array]:
        """(P,) and (V, P): what makes Σ c B, and its slopes ∂(Σ c B)/∂A, of the products."""
        functions, variables, products, values = (np.concatenate([getattr(part, name) for part in self.slopes])
                                                  for name in ("functions", "variables", "products", "values"))
        return self.coupling.T @ coefficients, csr_array((values * coefficients[functions], (variables, products)),
                                                         shape=(self.variables, self.starts[-1]))
