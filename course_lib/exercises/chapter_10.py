"""Checks of chapter 10: sums that hold a spread, maps that commute with few permutations, masks, features of a set."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from course_lib.exercises.core import register, require
from course_lib.structures import load
from course_lib.symmetry import random_improper

ENOUGH = 0.93


@register("10.1", "The variance is the mean of the squares less the square of the mean. Which sums do you need?",
          "φ(x) = (1, x, x²): the ones count the points. Rounding may leave a tiny negative number below the root.")
def spread(answer: tuple[Callable, Callable]) -> str:
    require(isinstance(answer, tuple | list) and len(answer) == 2, "give the pair (phi, rho).")
    phi, rho = answer
    rng = np.random.default_rng(101)

    def of(x: np.ndarray) -> float:
        with np.errstate(invalid="ignore"):
            return float(rho(np.sum(np.asarray(phi(x)), axis=0)))

    x = rng.normal(2, 1, size=5)
    each = np.asarray(phi(x))
    require(each.ndim == 2 and len(each) == 5, f"φ of five points has shape {each.shape}; a row a point is needed, (5, d).")
    require(np.allclose(each[:1], phi(x[:1])), "φ of a point changes when other points are there; it may see one point only.")
    found, right = of(x), x.std()
    require(not np.isclose(found, right**2), "this is the variance; take its root.")
    require(not np.isclose(found, x.std(ddof=1)), "this divides by n − 1; divide by n.")
    require(not np.isclose(found, np.sqrt(np.mean(x**2))), "this is the root of the mean square; the mean must be taken away.")
    require(np.isclose(found, right), f"of {np.round(x, 2).tolist()} the standard deviation is {right:.4f}, yours {found:.4f}.")
    longer = rng.normal(2, 1, size=9)
    require(np.isclose(of(longer), longer.std()),
            "right for five points, wrong for nine: a sum over points must also say how many they were.")
    equal = of(np.full(7, 0.1))
    require(np.isfinite(equal), "not a number for equal points: rounding makes the variance negative; cut it off at zero.")
    require(equal < 1e-7, f"for equal points it is {equal:.2g}, not 0.")
    return "Three numbers hold count, mean and spread of a set of any size."


@register("10.2", "Carbon to carbon, carbon to hydrogens, hydrogens to carbon, hydrogens to hydrogens: count each block.",
          "Among the four hydrogens it is λ 1 + γ 11ᵀ.")
def commuting(answer: int) -> str:
    found = int(answer)
    require(found == answer, "it is a whole number.")
    reasons = {2: "λ 1 + γ 11ᵀ treats all five atoms alike; here only the hydrogens may be exchanged, so more maps commute.",
               25: "this is every 5 × 5 matrix; most of them name a hydrogen.",
               4: "one number for each block; but from hydrogens to hydrogens there are two, for the same one and for another.",
               3: "carbon to carbon and the two of the hydrogens; carbon and hydrogens may also tell each other.",
               15: "this counts maps of matrices to matrices under all permutations."}
    require(found not in reasons, reasons.get(found, ""))
    require(found == 5, f"{found} is not the number; write the 5 × 5 matrix in blocks, C and HHHH.")
    return "Five: C→C, C→H, H→C, and λ and γ of the hydrogens. Fewer symmetries, more parameters."


@register("10.3", "Sets of three with one sum lie on a plane, with one sum of squares besides on a circle: go round it.",
          "Whole numbers will do: 3 + 4 + … and squares that add up alike; try all triples up to 10.")
def confused(answer: tuple[Sequence[float], Sequence[float]]) -> str:
    require(len(answer) == 2, "give two sets.")
    first, second = (np.sort(np.asarray([*x], dtype=float)) for x in answer)
    require(first.shape == second.shape == (3,), f"three numbers each; yours have shapes {first.shape} and {second.shape}.")
    gap = np.abs(first - second).max()
    scale = max(np.abs(first).max(), np.abs(second).max())
    require(gap > 1e-6 * scale, "these are the same set in another order.")
    sums = [np.sum(first**k) - np.sum(second**k) for k in (1, 2, 3)]
    require(abs(sums[0]) < 1e-9 * scale, f"their sums differ by {abs(sums[0]):.3g}.")
    require(abs(sums[1]) < 1e-9 * scale**2, f"the sums agree, the sums of squares differ by {abs(sums[1]):.3g}.")
    require(abs(sums[2]) > 1e-9 * scale**3, "even the third power sums agree to rounding: these sets are too close to tell.")
    return f"Two latent numbers cannot hold three points; the sums of cubes, {abs(sums[2]):.3g} apart, can."


@register("10.4", "Set the scores of absent rows to −∞ before the softmax, not their weights to 0 after it.",
          "exp overflows beyond 700: subtract the largest score of each row first, which changes nothing.")
def attend(answer: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> str:
    rng = np.random.default_rng(104)
    q, x, absent = rng.normal(size=(3, 4)), rng.normal(size=(6, 4)), np.arange(6) >= 4

    def truth(scores: np.ndarray, axis: int = 1) -> np.ndarray:
        weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return weights / weights.sum(axis=axis, keepdims=True)

    found, right = np.asarray(answer(q, x, absent)), truth(q @ x[:4].T / 2) @ x[:4]
    require(found.shape == (3, 4), f"your answer has shape {found.shape}; a row for each of the three questions, (3, 4).")
    require(not np.allclose(found, truth(q @ x.T / 2) @ x), "absent rows are heard: the mask does nothing.")
    require(not np.allclose(found, truth(q @ np.where(absent[:, None], 0, x).T / 2)[:, :4] @ x[:4]),
            "absent rows still take weight: a score of 0 is an answer too; it must be −∞.")
    require(not np.allclose(found, truth(q @ x.T / 2)[:, :4] @ x[:4]),
            "the weights of those present no longer add up to 1: mask before the softmax.")
    require(not np.allclose(found, truth(q @ x[:4].T) @ x[:4]), "the scores are not divided by √4, the root of the channels.")
    require(not np.allclose(found, truth(q @ x[:4].T / 2, axis=0) @ x[:4]), "the softmax runs over the questions; it must run "
                                                                           "over the points.")
    require(np.allclose(found, right), f"off by {np.abs(found - right).max():.2g} from softmax(q xᵀ/√4) x of the others.")
    with np.errstate(all="ignore"):
        large = np.asarray(answer(1000 * q, x, absent))
    require(np.isfinite(large).all(), "for large scores it is not a number: exp overflows; subtract the largest score first.")
    require(np.allclose(large, truth(1000 * q @ x[:4].T / 2) @ x[:4], rtol=1e-3, atol=1e-3),
            "for large scores it is a number, and a wrong one: do not cut scores off, subtract the largest of each row.")
    return "Padding takes no part, so a set says the same in every batch."


@register("10.5", "What differs is the order of layers, ABC or AB: among the twelve nearest, look at the angles.",
          "Cosines between directions of the twelve nearest: how many pairs are opposite (six in fcc, three in hcp)? Or "
          "means of their powers.")
def features(answer: Callable[[np.ndarray], Sequence[float]]) -> str:
    rng, data = np.random.default_rng(105), load("crystal_environments")
    parts = [[atoms for atoms in part if atoms.info["phase"] in ("fcc", "hcp")] for part in (data.train, data.test)]
    x = parts[0][7].positions[1:]
    found = np.asarray(answer(x), dtype=float)
    require(found.ndim == 1 and 1 <= len(found) <= 5, f"your features have shape {found.shape}; give one to five numbers.")
    require(np.isfinite(found).all(), f"your features are {found.tolist()}: not all finite.")
    small = 1e-6 * (1 + np.abs(found).max())
    order = max(np.abs(answer(x[rng.permutation(32)]) - found).max() for _ in range(4))
    require(order < small, f"in another order of the neighbours they change by {order:.2g}; sort by distance, or sum.")
    turn = max(np.abs(answer(x @ R.T) - found).max() for R in [*random_improper(2, rng), *-random_improper(2, rng)])
    require(turn < small, f"turned or mirrored they change by {turn:.2g}.")
    tables = [np.array([answer(atoms.positions[1:]) for atoms in part]) for part in parts]
    labels = [[atoms.info["phase"] for atoms in part] for part in parts]
    score = make_pipeline(StandardScaler(), LogisticRegression()).fit(tables[0], labels[0]).score(tables[1], labels[1])
    require(score >= 0.7, f"invariant, but they tell fcc from hcp in {100 * score:.0f} % of the test only (a coin: 50 %). Both "
                          "have twelve neighbours at one distance: look at angles.")
    require(score >= ENOUGH, f"they tell fcc from hcp in {100 * score:.0f} % of the test; {100 * ENOUGH:.0f} % is asked.")
    return f"{len(found)} numbers, a straight boundary, and {100 * score:.0f} % right: symmetry and one idea about the crystal."
