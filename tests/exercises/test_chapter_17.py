"""Chapter 17's exercises accept a right answer and refuse each wrong one for its own reason."""

import numpy as np
from judged import judged
from sklearn.cluster import KMeans

from course_lib.exercises.chapter_17 import _greedy


def farthest(K, n):
    diagonal, chosen = K.diagonal(), [0]
    nearest = diagonal + diagonal[0] - 2 * K[0]
    while len(chosen) < n:
        new = int(nearest.argmax())
        chosen.append(new)
        nearest = np.minimum(nearest, diagonal + diagonal[new] - 2 * K[new])
    return np.array(chosen)


def squares(K):
    return K.diagonal()[:, None] + K.diagonal() - 2 * K


def chain(K, n):
    chosen = [0]
    while len(chosen) < n:
        chosen.append(int(squares(K)[chosen[-1]].argmax()))
    return np.array(chosen)


def parts(validation, y, test):
    error, spread = validation.mean(axis=0) - y, validation.std(axis=0)
    return error, spread, np.sqrt((error**2 / spread**2).mean()), test.std(axis=0)


def bars(validation, y, test):
    *_, alpha, claimed = parts(validation, y, test)
    return alpha * claimed


def unbiased(validation, y, test):
    spread = validation.std(axis=0, ddof=1)
    return np.sqrt(((validation.mean(axis=0) - y) ** 2 / spread**2).mean()) * test.std(axis=0, ddof=1)


def of_means(validation, y, test):
    error, spread, _, claimed = parts(validation, y, test)
    return np.sqrt((error**2).mean() / (spread**2).mean()) * claimed


def of_members(validation, y, test):
    return np.sqrt(((validation - y) ** 2 / validation.var(axis=0)).mean()) * test.std(axis=0)


def of_moduli(validation, y, test):
    error, spread, _, claimed = parts(validation, y, test)
    return (np.abs(error) / spread).mean() * claimed


def one_width(validation, y, test):
    return np.full(test.shape[1], np.sqrt(((validation.mean(axis=0) - y) ** 2).mean()))


def spread_out(Q, n):
    return farthest(Q @ Q.T, n)


def middles(Q, n):
    found = KMeans(n, n_init=1, random_state=0).fit(Q)
    return np.array([((Q - centre) ** 2).sum(axis=1).argmin() for centre in found.cluster_centers_])


def rim(Q, n):
    return np.argsort(((Q - Q.mean(axis=0)) ** 2).sum(axis=1))[-n:]


RIGHT = [("17.1", (0.5, 6, 2)), ("17.2", farthest), ("17.3", bars), ("17.3", unbiased), ("17.4", spread_out)]

WRONG = [
    ("17.1", 0.5, "three numbers are asked for"),
    ("17.1", (1 - 2 ** (-1 / 3), 6, 2), "the prefactor is there to make this one half"),
    ("17.1", (1.0, 6, 2), "put r = σ into the formula"),
    ("17.1", (0.5, 2, 6), "near and far are exchanged"),
    ("17.1", (0.5, 5, 2), "the power of the slope"),
    ("17.1", (0.5, 3, 2), "expand the bracket for small r"),
    ("17.1", (0.5, 6, -2), "give the power of 1/r"),
    ("17.1", (0.5, 6, 6), "raised to the power −b/a"),
    ("17.1", (0.5, 6, 1), "leave out the 1 in the bracket"),
    ("17.2", lambda K, n: farthest(K, n - 1), "8 rows are asked for"),
    ("17.2", lambda K, n: farthest(K, n).astype(float), "rows are whole numbers"),
    ("17.2", chain, "goes to and fro"),
    ("17.2", lambda K, n: farthest(K, n)[::-1], "the first row shall be 0"),
    ("17.2", lambda K, n: _greedy(squares(K), np.max, n), "not from its nearest one"),
    ("17.2", lambda K, n: _greedy(squares(K), np.sum, n), "goes for the rim twice"),
    ("17.2", lambda K, n: _greedy(-K, np.min, n), "not the farthest"),
    ("17.2", lambda K, n: np.arange(n), "the rows should be"),
    ("17.3", lambda v, y, t: bars(v, y, t)[:7], "it must be (50,)"),
    ("17.3", lambda v, y, t: t.std(axis=0), "the spread is not calibrated"),
    ("17.3", lambda v, y, t: t.std(axis=0, ddof=1), "the spread is not calibrated"),
    ("17.3", lambda v, y, t: bars(v, y, t) ** 2, "this is the variance"),
    ("17.3", lambda v, y, t: bars(v, y, t) ** 2 / t.std(axis=0), "take the root of α²"),
    ("17.3", of_means, "lets the largest errors decide alone"),
    ("17.3", of_moduli, "square the ratios, average, take the root"),
    ("17.3", of_members, "the prediction is their mean"),
    ("17.3", one_width, "one width for all"),
    ("17.3", lambda v, y, t: 3 * bars(v, y, t), "the first should be"),
    ("17.4", lambda Q, n: spread_out(Q, n)[:7], "40 rows are asked for"),
    ("17.4", lambda Q, n: spread_out(Q, n) + len(Q), "rows go from 0 to 449"),
    ("17.4", lambda Q, n: np.zeros(n, int), "the same question twice"),
    ("17.4", lambda Q, n: np.random.default_rng(0).permutation(len(Q))[:n], "rare in a random draw"),
    ("17.4", lambda Q, n: np.random.default_rng(37).permutation(len(Q))[:n], "That is luck, not choice"),
    ("17.4", middles, "the middles of clusters"),
    ("17.4", rim, "The rim alone is not the pool"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)
