"""Checks of chapter 04: one label by hand, slopes, an honest committee, a kernel that is none, a prior mean."""

from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.calculators.lj import LennardJones

from course_lib.exercises.core import register, require
from course_lib.kernels import RBF, GaussianProcess, pair_observations

SIGMA, DEPTH = 3.4, 0.0104  # of argon: Å, eV


@register("04.1", "The label y = f(x') + noise has the variance k(x', x') plus that of the noise, its deviation squared.",
          "Mean: k(x, x') / variance of y, times y. Variance: k(x, x) less k(x, x')² / variance of y.")
def one_label(answer: tuple[float, float]) -> str:
    mean, deviation = answer
    require(not np.isclose(mean, 1.5), "1.5 = 2 / 4 · 3 believes the label as if it had no noise.")
    require(not np.isclose(mean, 1.0), "1 = 2 / (4 + 2) · 3 adds the standard deviation of the noise; variances add, 4 + 2².")
    require(not np.isclose(mean, 3.0), "3 is f(x') as told; x' is elsewhere, and the prior mean, zero, has a say.")
    require(np.isclose(mean, 0.75), f"a mean of {mean:g} is not k(x, x') / (k(x', x') + σ²) · y.")
    require(not np.isclose(deviation, 3.5), "3.5 is the variance; take its root.")
    require(not np.isclose(deviation, np.sqrt(7.5)), "√7.5 is the deviation of a new *label* at x; f(x) itself has no noise.")
    require(not np.isclose(deviation, np.sqrt(3)), "√3 is what a label without noise would leave.")
    require(not np.isclose(deviation, 2), "2 is the deviation before the label; the label tells something.")
    require(np.isclose(deviation, np.sqrt(3.5), atol=0.005), f"a deviation of {deviation:g} is not the root of 4 − 2² / 8.")
    return "A quarter of the label, and hardly less doubt: √3.5 = 1.87 instead of 2."


@register("04.2", "Covariance is linear in both: ⟨f'(a) f'(b)⟩ = ∂²k(a, b) / ∂a ∂b.",
          "∂k/∂b = +(a − b)/ℓ² · k; now differentiate that by a, both the factor and the exponential.")
def slope_kernel(answer: Callable) -> str:
    a, b, length = np.array([0.0, 0.3, 1.0, 2.5]), np.array([0.0, 0.7, 1.9]), 0.8
    found, gap = np.asarray(answer(a, b, length)), a[:, None] - b
    require(found.shape == (4, 3), f"for a (4,) and b (3,) your function returns shape {found.shape}, it must return (4, 3).")
    k = np.exp(-(gap**2) / (2 * length**2))
    right = (1 / length**2 - gap**2 / length**4) * k
    require(not np.allclose(found, -right), "this is ∂²k/∂a², the negative: a variance, as this is at a = b, is not negative.")
    require(not (np.allclose(found, gap / length**2 * k) or np.allclose(found, -gap / length**2 * k)),
            "this is the covariance of a slope with a value; differentiate by the other argument as well.")
    require(not np.allclose(found, k / length**2), "you differentiated the factor (a − b)/ℓ², but not the exponential.")
    require(not np.allclose(np.abs(found), gap**2 / length**4 * k),
            "you differentiated the exponential twice, but not the factor (a − b)/ℓ² that came down the first time.")
    require(not np.allclose(found, k), "this is the kernel of the values themselves.")
    require(np.allclose(found, right), f"this is not ∂²k/∂a∂b; at a = b the variance of a slope is 1/ℓ² = {right[0, 0]:.3f}, "
                                       f"yours is {found[0, 0]:.3f}.")
    return "Positive when near, negative beyond ℓ: a function that rises here must come down somewhere."


@register("04.3", "The committee's answer is the mean of its members; e is its error, one a structure.",
          "α² = ⟨e² / spread²⟩ over structures; the spread of K members has K − 1 degrees of freedom.")
def honest(answer: Callable) -> str:
    rng = np.random.default_rng(4)
    spread = rng.uniform(0.2, 2.0, 60)
    truth = rng.normal(size=60)
    members = truth + spread * (1.5 * rng.normal(size=60) + rng.normal(size=(5, 60)))
    found, wrong = np.asarray(answer(members, truth)), members.mean(axis=0) - truth
    require(found.shape == (), f"one factor for all structures is needed; yours has shape {found.shape}.")
    right = np.sqrt(np.mean((wrong / members.std(axis=0, ddof=1)) ** 2))
    require(not np.isclose(found, right**2), "this is α²; take the root.")
    require(not np.isclose(found, 1 / right), "this is 1/α: it is the spread that is to be multiplied.")
    require(not np.isclose(found, np.sqrt(np.mean((wrong / members.std(axis=0)) ** 2))),
            "the spread of K members about their own mean has K − 1 degrees of freedom: std(…, ddof=1).")
    require(not np.isclose(found, np.mean(np.abs(wrong) / members.std(axis=0, ddof=1))),
            "the mean of |e|/spread is smaller than α even for honest claims; average the squares, and take the root after.")
    require(not np.isclose(found, np.sqrt(np.mean(wrong**2) / np.mean(members.var(axis=0, ddof=1)))),
            "a ratio of averages lets the few structures with the largest errors decide; average the ratios.")
    every = np.sqrt(np.mean(((members - truth) / members.std(axis=0, ddof=1)) ** 2))
    require(not np.isclose(found, every), "these are the errors of the members; the committee answers with their mean.")
    require(np.isclose(found, right), f"for five members and sixty structures α is {right:.2f}; yours is {found:.2f}.")
    return "It is the maximum likelihood estimate if errors are normal; course_lib.learning.committee_scale does the same."


@register("04.4", "Try random points: more of them, and neither much nearer nor much farther than ℓ.",
          "Build the matrix of all pairs and look at its smallest eigenvalue with np.linalg.eigvalsh.")
def no_kernel(answer: np.ndarray) -> str:
    x = np.asarray(answer, float)
    require(x.ndim == 2 and x.shape[1] == 3, f"points have the shape (n, 3), a row a point; yours is {x.shape}.")
    require(len(x) <= 30, f"{len(x)} points; thirty are enough.")
    squared = [np.square(x[:, None] - np.roll(x, shift, axis=1)).sum(axis=-1) for shift in range(3)]
    lowest = np.linalg.eigvalsh(np.exp(-np.min(squared, axis=0) / 2))[0]
    nearest = np.sqrt(np.min(squared, axis=0) + 1e9 * np.eye(len(x))).min()
    require(nearest > 1e-6, "two of your points are one up to a shift; they give a zero eigenvalue, and zero is allowed.")
    require(nearest < 3, f"no two of your points are nearer than {nearest:.1f} ℓ: the matrix is close to the identity, and "
                         f"its smallest eigenvalue, {lowest:.2g}, is positive.")
    require(lowest < -1e-6, f"the smallest eigenvalue is {lowest:.2g}: these points prove nothing. Try others, or more.")
    return f"The smallest eigenvalue is {lowest:.2g}: some combination of values of f would have a negative variance."


@register("04.5", "The wall is steep, high below 3.4 Å, and gone where the pairs are: a high power of 1/r, or an exponential.",
          "At 3 Å the true pair energy is about 0.1 eV. A wall that is wrong by a factor of two still beats none.")
def prior_mean(answer: Callable) -> str:
    def wall(r):
        return np.asarray(answer(r), float)

    seen, y, noise = _five_clusters()
    gap, r = np.linspace(2.9, 3.4, 51), np.linspace(3.45, 9.0, 112)
    shape = np.shape(wall(gap))
    require(shape == gap.shape, f"for distances of shape {gap.shape} your function returns shape {shape}; give one value each.")
    whole = np.append(gap, r)
    require(np.isfinite(wall(whole)).all(), "your mean is not finite between 2.9 and 9 Å.")
    require(np.abs(wall(whole) - _lennard_jones(whole)).max() > 1e-3,
            "this is the answer itself. A prior mean is what you know before the data: that atoms repel.")
    require(wall(whole).min() > -1e-4, "your mean is negative somewhere: an attraction. Let the data tell that.")
    require(abs(wall(np.array([12.0]))[0]) < 1e-3, "at 12 Å your mean is still above 1 meV: atoms that far apart should not "
                                                   "feel each other, and the data have to take away again what you put in.")
    errors = {}
    for name, mean in {"none": np.zeros_like, "yours": wall}.items():
        p, h = seen.points[:, 0], 1e-4
        known = seen.values @ mean(p) + seen.slopes @ ((mean(p + h) - mean(p - h)) / (2 * h))
        process = GaussianProcess(RBF(0.03, 0.5), noise).fit(seen, y - known)
        wrong = [mean(s) + process.predict(s[:, None]) - _lennard_jones(s) for s in (gap, r)]
        errors[name] = [1000 * np.sqrt(np.mean(part**2)) for part in wrong]
    (inside, outside), (bare_inside, bare_outside) = errors["yours"], errors["none"]
    require(outside < max(0.01, 3 * bare_outside), f"where there are data the error rose from {bare_outside:.3f} to "
                                                   f"{outside:.3f} meV: your mean varies faster there than the kernel.")
    alone = 1000 * np.sqrt(np.mean((wall(gap) - _lennard_jones(gap)) ** 2))
    require(inside < 0.5 * bare_inside or alone > 0.5 * bare_inside,
            f"your wall alone is good to {alone:.1f} meV between 2.9 and 3.4 Å, but with the data the error is {inside:.1f}: "
            "where they begin it changes too fast for the kernel, of length 0.5 Å, to correct. Make it smoother or less steep.")
    require(inside < 0.5 * bare_inside, f"between 2.9 and 3.4 Å the error is {inside:.1f} meV, without any mean "
                                        f"{bare_inside:.1f}: not yet half. Is the wall steep enough, and high enough?")
    return f"From {bare_inside:.0f} to {inside:.0f} meV where there were no data, and no worse where there were."


def _lennard_jones(r: np.ndarray) -> np.ndarray:
    return 4 * DEPTH * ((SIGMA / r) ** 12 - (SIGMA / r) ** 6)


def _five_clusters():
    """What is seen of the pair energy, labels and noise: five clusters of ten atoms with forces."""
    rng, frames = np.random.default_rng(1), []
    while len(frames) < 5:
        x = rng.uniform(0, 9.5, (1, 3))
        while len(x) < 10:
            new = rng.uniform(0, 9.5, 3)
            x = np.vstack([x, new]) if np.linalg.norm(x - new, axis=1).min() > SIGMA else x
        frames.append(Atoms("Ar10", x, calculator=LennardJones(sigma=SIGMA, epsilon=DEPTH, rc=500)))
    y = np.concatenate([[a.get_potential_energy() for a in frames], *(a.get_forces().ravel() for a in frames)])
    return pair_observations(frames, 50), y, np.repeat([1e-5, 3e-5], [5, 150])
