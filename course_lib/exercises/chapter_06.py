"""Exercises of chapter 06: kernels and features that turn with the molecule."""

from collections import Counter
from collections.abc import Callable
from itertools import combinations, product

import numpy as np
from ase import Atoms

from course_lib.exercises.core import register, require
from course_lib.kernels import LambdaSOAP, SymmetryAdaptedGP
from course_lib.structures import load
from course_lib.symmetry import couple, random_rotations, wigner_D

ROUNDING = 1e-6
"""Å."""


@register("06.1", "Count first: how many entries i ≤ j ≤ k are there? A piece of degree λ has 2λ + 1 numbers.",
          "A symmetric tensor of rank 3 is a cubic polynomial in x, y, z; which are harmonic, and what are the others?")
def hyperpolarizability(answer: list) -> str:
    given = list(answer)
    require(all(degree == int(degree) for degree in given), "a degree is a whole number.")
    degrees = Counter(int(degree) for degree in given)
    numbers = sum(n * (2 * degree + 1) for degree, n in degrees.items())
    require(all(degree >= 0 for degree in degrees), "a degree is 0 or more.")
    require(numbers != 27, "these are 27 numbers, all of a tensor of rank 3; β is symmetric in its three indices.")
    require(degrees != Counter([3]), "degree 3 alone is a tensor all of whose traces vanish: 7 numbers. Those of β do not.")
    require(degrees != Counter([0, 1, 2, 3]), "these are 16 numbers, β has 10; and it is odd under inversion, "
                                              "so no polar piece of even degree can occur.")
    require(numbers == 10, f"these pieces have {numbers} numbers; β_ijk with i ≤ j ≤ k has 10.")
    require(not any(degree % 2 == 0 for degree in degrees),
            "10 numbers, yes; but β is odd under inversion and symmetric, so no piece of even degree can occur.")
    return "A vector and an octupole: 3 + 7 = 10. Each would be learned by itself, with kernels of degree 1 and 3."


@register("06.2", "One part is a multiple of the unit matrix, one antisymmetric, one symmetric with no trace.",
          "np.swapaxes(T, -1, -2) transposes every matrix of a stack, and np.trace(T, axis1=-2, axis2=-1) takes every trace.")
def pieces(answer: Callable) -> str:
    T = np.random.default_rng(0).normal(size=(4, 2, 3, 3))
    said = answer(T.copy())
    require(len(said) == 3, f"three parts are needed, yours are {len(said)}.")
    zero, one, two = (np.asarray(part, float) for part in said)
    require(all(part.shape == T.shape for part in (zero, one, two)),
            f"for T of shape {T.shape} each part must have that shape; yours have {zero.shape}, {one.shape}, {two.shape}.")
    swapped, trace = np.swapaxes(T, -1, -2), np.trace(T, axis1=-2, axis2=-1)
    unit = trace[..., None, None] * np.eye(3)
    require(not np.allclose(zero, unit), "the trace of the first part is three times too large: it is on each of three places.")
    require(not np.allclose(one, (swapped - T) / 2), "the second part is (Tᵀ − T)/2: so the sum of the three is not T.")
    require(not np.allclose(one, T - swapped), "T − Tᵀ is twice the antisymmetric part.")
    require(not np.allclose(two, (T + swapped) / 2), "the third part has a trace still: it holds the first part as well.")
    require(np.allclose(zero + one + two, T), "the three parts do not add up to T.")
    require(np.allclose(zero, unit / 3), "the first part is no multiple of the unit matrix with the trace of T.")
    require(np.allclose(one, (T - swapped) / 2), "the second part is not antisymmetric; of degree 1 nothing else is.")
    return "1 + 3 + 5 numbers, orthogonal to each other, and no rotation mixes them."


@register("06.3", "q = couple(c[:, None, l1 part], c[None, :, l2 part], degree) for l1 + l2 + degree even; k = q q'ᵀ.",
          "Sum over ordered pairs (l1, l2) and ordered pairs of channels; the integral leaves one factor 1/(2λ + 1).")
def coupled_kernel(answer: Callable) -> str:
    rng = np.random.default_rng(0)
    c, d = rng.normal(size=(2, 3, 16))
    for degree in (2, 1, 0):
        size = 2 * degree + 1
        k = np.asarray(answer(c, d, degree))
        require(k.shape == (size, size),
                f"for degree {degree} the kernel is a matrix ({size}, {size}); yours has shape {k.shape}.")
        even, odd = _kernel(c, d, degree, 0), _kernel(c, d, degree, 1)
        if degree:
            require(not np.allclose(k, size * even),
                    "the factor 1/(2λ + 1) is missing, which the integral of three Wigner matrices leaves.")
            require(not any(np.allclose(k, factor * (even + odd) / 2) or np.allclose(k, factor * (even + odd))
                            for factor in (1, size)),
                    "yours holds the paths with l1 + l2 + λ odd too. It turns, but under inversion a part of it changes sign: "
                    "it is the integral over SO(3), not O(3).")
            require(not np.allclose(k, odd), "you kept the paths with l1 + l2 + λ odd: those are the pseudotensors.")
            require(not np.allclose(k, even.T), "yours is transposed: rows belong to c, the first atom.")
            require(not np.allclose(k, _kernel(c, d, degree, 0, ordered=False)),
                    "yours sums l1 ≤ l2 only; the square of a sum has both orders.")
        require(not np.allclose(k, _kernel(c, d, degree, 0, crossed=False)),
                "yours couples each channel with itself only; the square of a sum has products of different ones too.")
        R = random_rotations(1, rng)[0]
        turned = np.concatenate([c[:, l * l:(l + 1) ** 2] @ wigner_D(l, R).T for l in range(4)], axis=1)
        difference = np.abs(answer(turned, d, degree) - wigner_D(degree, R) @ k).max() / np.abs(k).max()
        require(difference < 1e-6,
                f"turn c by R, and the kernel should become D(R) k; yours differs by {difference:.2g} of its size.")
        require(np.allclose(k, even), f"it turns as it should, but for degree {degree} it is not the integral: "
                                      f"first entry {k[0, 0]:.3f}, needed {even[0, 0]:.3f}.")
    return "No integral is left: dot products of coupled densities, which is why λ-SOAP is fast."


def _kernel(c: np.ndarray, d: np.ndarray, degree: int, odd: int, ordered: bool = True, crossed: bool = True) -> np.ndarray:
    total, n = np.zeros(2 * (2 * degree + 1,)), len(c)
    kept = np.ones((n, n), bool) if crossed else np.eye(n, dtype=bool)
    for l1, l2 in product(range(4), repeat=2):
        if abs(l1 - l2) <= degree <= l1 + l2 and (l1 + l2 + degree) % 2 == odd and (ordered or l1 <= l2):
            one, two = (slice(l * l, (l + 1) ** 2) for l in (l1, l2))
            q, q_ = (couple(x[:, None, one], x[None, :, two], degree)[kept] for x in (c, d))
            total += q.T @ q_
    return total / (2 * degree + 1)


@register("06.4", "No degree 1 and 2: think of the tetrahedral group. Degree 3 is odd: there must be no inversion.",
          "Start from two tetrahedra, one the inverse of the other. What must differ between them?")
def forbidden(answer: np.ndarray) -> str:
    x = np.asarray(answer, float)
    require(x.ndim == 2 and x.shape[1] == 3, f"positions have the shape (n, 3); yours is {x.shape}.")
    require(len(x) <= 8, f"{len(x)} atoms; at most eight.")
    r = np.linalg.norm(x, axis=1)
    require(r.min() >= 0.8 - ROUNDING and r.max() <= 3 + ROUNDING,
            f"distances from the centre are {r.min():.2f} to {r.max():.2f} Å; they must be 0.8 to 3.")
    apart = min((np.linalg.norm(a - b) for a, b in combinations(x, 2)), default=np.inf)
    require(apart >= 0.3 - ROUNDING, f"two atoms are {apart:.2g} Å apart; they must be 0.3 Å or more.")
    frame = Atoms("C" + len(x) * "H", np.vstack([np.zeros(3), x]))
    size = {degree: np.abs(LambdaSOAP(4.5, 6, 4, 0.5, species=[1, 6], degree=degree).fit().transform([frame])[0]).max()
            for degree in (1, 2, 3)}
    require(size[1] < 1e-9, f"the centre has a vector, features up to {size[1]:.2g}: the atoms are not balanced about it.")
    inverted = all(np.linalg.norm(x + atom, axis=1).min() < 1e-6 for atom in x)
    axis = "An axis singled out by symmetry, as of a square or a triangle, is a tensor of degree 2"
    require(size[2] < 1e-9, f"no vector, but a tensor of degree 2, features up to {size[2]:.2g}. {axis}.")
    require(not inverted, "the centre is a centre of inversion: degree 3 is odd, and vanishes with degree 1.")
    require(size[3] > 1e-3, "degree 3 vanishes as well, or nearly.")
    require(len(x) != 4, "the four corners of a tetrahedron are in the text; find others.")
    return f"Degrees 1 and 2 vanish, degree 3 has features up to {size[3]:.2g}: a tetrahedron's group allows xyz, of degree 3."


@register("06.5", "The field of a dipole falls as 1/r³; along its axis it is twice as strong as beside it, and reversed there.",
          "α (3 r̂ (r̂ · μ) − μ) / r³; α is a volume, so no constant is left over.")
def induction(answer: Callable) -> str:
    rng = np.random.default_rng(5)
    mu, r = rng.normal(size=3), np.array([1.2, -0.7, 2.5])
    A = rng.normal(size=(3, 3))
    alpha = A @ A.T
    said = np.asarray(answer(mu, alpha, r))
    require(said.shape == (3,), f"a dipole (3,) is needed; yours has shape {said.shape}.")
    distance, h = np.linalg.norm(r), 1e-5
    field = np.array([-((x := r + step) @ mu / np.linalg.norm(x) ** 3 - (y := r - step) @ mu / np.linalg.norm(y) ** 3) / (2 * h)
                      for step in h * np.eye(3)])
    right, unit = alpha @ field, r / distance

    def like(value: np.ndarray) -> bool:
        return np.allclose(said, value, rtol=1e-6)

    require(not like(-right), "yours has the opposite sign: the field points out of the dipole's positive end.")
    require(not like(field), "this is the field; the molecule answers with α times the field.")
    require(not like(right * distance), "yours falls as 1/r²: that is the field of a charge, a dipole's falls as 1/r³.")
    require(not like(alpha @ (3 * r * (r @ mu) - mu) / distance**3), "the direction r̂ has length one; you used r itself in it.")
    require(not like(alpha @ (unit * (unit @ mu) - mu) / distance**3), "the factor 3 before r̂ (r̂ · μ) is missing.")
    require(not like(alpha @ (2 * mu) / distance**3), "2 μ/r³ holds on the axis only; this r is not on it.")
    require(not like(np.trace(alpha) / 3 * field),
            "you took the mean of α; it is a tensor, and the dipole it answers with may be tilted.")
    require(not any(like(right * factor) for factor in (14.399645, 1 / 14.399645)),
            "a factor 14.4 is too many: α in Å³ is a volume and takes e·Å⁻² to e·Å.")
    R = random_rotations(1, rng)[0]
    bent = np.abs(np.subtract(answer(R @ mu, R @ alpha @ R.T, R @ r), R @ said)).max() / np.abs(said).max()
    require(bent < 1e-6, f"turn everything by R, and the answer should turn; yours is off by {bent:.2g} of its size.")
    require(np.allclose(said, right, rtol=1e-6),
            f"for the check's example the answer is {np.round(right, 3)}, yours {np.round(said, 3)}.")
    return _on_pairs(answer)


def _on_pairs(answer: Callable) -> str:
    """Dipoles of two waters, from a model of one."""
    water = load("water_tensors")
    train = [atoms for atoms in water.train if len(atoms) == 3][:100]
    pairs = [atoms for atoms in water.test if len(atoms) == 6][:50]
    halves = [[atoms[part] for atoms in pairs] for part in (slice(0, 3), slice(3, 6))]
    labels = {"vector": np.array([atoms.get_dipole_moment() for atoms in train]),
              "tensor": np.array([atoms.info["polarizability"] for atoms in train])}
    features, said = LambdaSOAP(cutoff=4.5, n_max=6, l_max=3, width=0.5), []
    for output, y in labels.items():
        model = SymmetryAdaptedGP(features, output, noise=1e-4).fit(train, y)
        said += [model.predict(half) for half in halves]
    r = np.array([b.get_center_of_mass() - a.get_center_of_mass() for a, b in zip(*halves, strict=True)])
    mutual = np.array([np.add(answer(m, a_, x), answer(m_, a, -x)) for m, m_, a, a_, x in zip(*said, r, strict=True)])
    wrong = said[0] + said[1] - np.array([atoms.get_dipole_moment() for atoms in pairs])
    before, after = (np.sqrt(np.mean(np.sum((wrong + added) ** 2, axis=1))) for added in (0, mutual))
    return f"The error of two molecules' summed dipoles falls from {before:.2f} to {after:.2f} e·Å, no pair being learnt."
