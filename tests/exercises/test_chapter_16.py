"""Chapter 16: the right answers pass, and each wrong one is refused for its own reason."""

from dataclasses import replace

import numpy as np
from judged import judged
from sklearn.linear_model import Ridge

from course_lib.learning import CompositionBaseline, Potential, Prediction, labels
from course_lib.survey import Method
from course_lib.symmetry import E3_INVARIANT


def needed(n_1, e_1, n_2, e_2, target):
    b = np.log(e_1 / e_2) / np.log(n_2 / n_1)
    return b, n_2 * (e_2 / target) ** (1 / b)


def front(cost, error):
    as_good = (cost[:, None] <= cost) & (error[:, None] <= error)
    return ~(as_good & ((cost[:, None] < cost) | (error[:, None] < error))).any(axis=0)


def hull(cost, error):
    on = []
    for i in range(len(cost)):
        weights = np.linspace(0.01, 0.99, 99)
        on.append(any(w * cost[i] + (1 - w) * error[i] <= (w * cost + (1 - w) * error).min() + 1e-9 for w in weights))
    return np.array(on) & front(cost, error)


def draws(rows, sizes, seed):
    order = np.random.default_rng(seed).permutation(rows)
    return {n: order[:n] for n in sizes}


def life(times, broke):
    return times.sum() / broke.sum() if broke.any() else np.inf


class Pairs(Potential):
    """Sums over pairs of one kind, and a ridge."""

    def _fit(self, frames, validation, progress):
        self.baseline_ = CompositionBaseline().fit(frames)
        left = labels(frames).energies - self.baseline_.predict(frames).energies
        self.ridge_ = Ridge(1e-6).fit(self._sums(frames), left)
        self.coefficients_ = self.ridge_.coef_

    def _predict(self, frames):
        return Prediction(self.baseline_.predict(frames).energies + self.ridge_.predict(self._sums(frames)))

    def _sums(self, frames):
        rows = []
        for atoms in frames:
            r, hydrogen = atoms.get_all_distances(), atoms.numbers == 1
            CH, HH = r[~hydrogen][:, hydrogen].ravel(), r[hydrogen][:, hydrogen][np.triu_indices(4, 1)]
            rows.append([np.exp(-part / rho).sum() for part in (CH, HH) for rho in (0.2, 0.4, 0.8, 1.6)])
        return np.array(rows)


class Rows(Pairs):
    """Distances in the order of the rows."""

    def _sums(self, frames):
        return np.array([atoms.get_all_distances()[np.triu_indices(5, 1)] for atoms in frames])


class Places(Pairs):
    """Where atoms are."""

    def _sums(self, frames):
        return np.array([(atoms.positions**2).sum(axis=0) for atoms in frames])


class Cheats(Pairs):
    """Learns from what it should be judged by."""

    def __init__(self, more=None):
        self.more = more

    def _fit(self, frames, validation, progress):
        super()._fit(list(frames) + list(self.more), validation, progress)


def method(potential, **claims):
    return Method(name="mine", make=lambda data, n: potential(), body_order="2", cost="n²", **claims)


CHEAT = Method(name="mine", make=lambda data, n: Cheats(data.test), body_order="2", cost="n²")

RIGHT = [("16.1", needed), ("16.2", front), ("16.3", draws), ("16.4", life), ("16.5", method(Pairs))]

WRONG = [
    ("16.1", lambda *a: (-needed(*a)[0], needed(*a)[1]), "counted positive"),
    ("16.1", lambda a, e, b, f, t: ((e - f) / (b - a), needed(a, e, b, f, t)[1]), "slope on linear axes"),
    ("16.1", lambda a, e, b, f, t: (np.log(e / f) / (b - a), needed(a, e, b, f, t)[1]), "that is an exponential"),
    ("16.1", lambda a, e, b, f, t: (needed(a, e, b, f, t)[0], b + (f - t) * (b - a) / (e - f)), "promises too much"),
    ("16.1", lambda a, e, b, f, t: (needed(a, e, b, f, t)[0], needed(a, e, b, f, t)[1] / b), "this is n over n₂"),
    ("16.1", lambda *a: (1.0, 5000), "mean b = 0.75; yours is 1"),
    ("16.1", lambda *a: (needed(*a)[0], 100), "it takes 5000 frames"),
    ("16.2", lambda c, e: np.flatnonzero(front(c, e)), "a mask is asked for"),
    ("16.2", lambda c, e: ~((c[:, None] < c) & (e[:, None] < e)).any(axis=0), "(3, 4) is on your front"),
    ("16.2", lambda c, e: ((c[:, None] <= c) & (e[:, None] <= e)).sum(axis=0) == 1, "both are on the front"),
    ("16.2", hull, "fronts need not be convex"),
    ("16.2", lambda c, e: front(c, e) & ((c == c.min()) | (e == e.min()) | (len(c) < 40)), "missing; nothing beats it"),
    ("16.2", lambda c, e: np.full(len(c), True) & ~((len(c) == 5) & (c == 3)), "beaten in both"),
    ("16.3", lambda rows, sizes, seed: {5: np.arange(5)}, "a dictionary with the sizes"),
    ("16.3", lambda rows, sizes, seed: {n: draws(rows, [5], seed)[5] for n in sizes}, "there must be 20 rows"),
    ("16.3", lambda rows, sizes, seed: {n: np.random.default_rng(seed).integers(rows, size=n) for n in sizes}, "drawn twice"),
    ("16.3", lambda rows, sizes, seed: {n: 1 + part for n, part in draws(rows, sizes, seed).items()}, "does not exist"),
    ("16.3", lambda rows, sizes, seed: {n: np.random.default_rng((seed, n)).permutation(rows)[:n] for n in sizes},
     "are not among the 20"),
    ("16.3", lambda rows, sizes, seed: {n: np.arange(n) for n in sizes}, "the first frames of the file"),
    ("16.3", lambda rows, sizes, seed: draws(rows, sizes, 7), "a band over them would have no width"),
    ("16.4", lambda times, broke: times.mean(), "were stopped while alive"),
    ("16.4", lambda times, broke: times[broke].mean(), "forgets the long-lived"),
    ("16.4", lambda times, broke: np.median(times), "how long you were willing to wait"),
    ("16.4", lambda times, broke: broke.sum() / times.sum(), "its inverse is asked for"),
    ("16.4", lambda times, broke: times.sum() / max(broke.sum(), 1), "infinity"),
    ("16.4", lambda times, broke: 1.0, "you say 1"),
    ("16.5", Pairs, "a survey.Method is asked for"),
    ("16.5", Method(name="mine", make=lambda data, n: Ridge(), body_order="2", cost="n²"), "make must give"),
    ("16.5", method(Rows), "broken: permutation"),
    ("16.5", method(Places), "translation"),
    ("16.5", method(Rows, symmetry=replace(E3_INVARIANT, permutation=False)), "claims less than"),
    ("16.5", method(CompositionBaseline), "better than half"),
    ("16.5", CHEAT, "looked at the test frames"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)
