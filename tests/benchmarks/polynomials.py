"""Invariant polynomials by lower products against summing every monomial, as a naive reading of the definition does."""

import numpy as np
from clock import compare

from course_lib.polynomials import InvariantPolynomials
from course_lib.polynomials.orbits import MonomialOrbits, pair_permutations
from course_lib.structures import load

if __name__ == "__main__":
    frames = [frame for _ in range(10) for frame in load("methane_b3lyp").train]
    polynomials = InvariantPolynomials("CHHHH", 6).fit()
    levels = [MonomialOrbits(10, d, pair_permutations("CHHHH")) for d in range(1, 7)]
    first, second = np.triu_indices(5, 1)

    def naive() -> np.ndarray:
        x = np.array([frame.positions for frame in frames])
        y = np.exp(-np.linalg.norm(x[:, first] - x[:, second], axis=-1) / polynomials.length)
        sums = [np.ones((1, len(y)))]
        for level in levels:
            values = np.zeros((len(level.size), len(y)))
            for monomial, orbit in zip(level.monomials, level.orbit, strict=True):
                values[orbit] += y[:, monomial].prod(axis=1)
            sums.append(values)
        return np.concatenate(sums).T

    assert np.allclose(np.sort(naive()[0]), np.sort(polynomials.transform(frames[:1])[0]), rtol=1e-9)
    compare("495 polynomials of 10 000 CH4 geometries", {
        "every monomial": naive, "transform": lambda: polynomials.transform(frames),
        "transform and jacobian": lambda: (polynomials.transform(frames), polynomials.jacobian(frames)),
        "energy and forces of a potential": lambda: polynomials.contract(frames, np.ones(495))},
        reference="every monomial", rounds=3)
