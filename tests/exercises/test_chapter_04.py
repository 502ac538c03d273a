"""Chapter 04: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged


def k(a, b, length):
    return np.exp(-((a[:, None] - b) ** 2) / (2 * length**2))


def slope_kernel(a, b, length):
    return (1 / length**2 - (a[:, None] - b) ** 2 / length**4) * k(a, b, length)


def parts(members, truth, ddof=1):
    return members.mean(axis=0) - truth, members.std(axis=0, ddof=ddof)


def honest(members, truth):
    errors, spread = parts(members, truth)
    return np.sqrt(np.mean((errors / spread) ** 2))


def wall(r):
    return 0.03 * (3.4 / r) ** 12


def points(seed=0, n=30):
    return np.random.default_rng(seed).normal(size=(n, 3))


RIGHT = [("04.1", (0.75, np.sqrt(3.5))), ("04.1", (3 / 4, 1.87)), ("04.2", slope_kernel), ("04.3", honest), ("04.4", points()),
         ("04.4", points(3)), ("04.5", wall), ("04.5", lambda r: 0.04 * np.exp((3.4 - r) / 0.25)),
         ("04.5", lambda r: [wall(distance) for distance in r])]

WRONG = [
    ("04.1", (1.5, np.sqrt(3.5)), "as if it had no noise"),
    ("04.1", (1.0, np.sqrt(3.5)), "variances add"),
    ("04.1", (3.0, np.sqrt(3.5)), "as told"),
    ("04.1", (0.5, np.sqrt(3.5)), "a mean of 0.5 is not"),
    ("04.1", (0.75, 3.5), "is the variance; take its root"),
    ("04.1", (0.75, np.sqrt(7.5)), "deviation of a new *label*"),
    ("04.1", (0.75, np.sqrt(3)), "without noise would leave"),
    ("04.1", (0.75, 2), "before the label"),
    ("04.1", (0.75, 1), "a deviation of 1 is not"),
    ("04.2", lambda a, b, length: -slope_kernel(a, b, length), "is not negative"),
    ("04.2", lambda a, b, length: -(a[:, None] - b) / length**2 * k(a, b, length), "a slope with a value"),
    ("04.2", lambda a, b, length: k(a, b, length) / length**2, "but not the exponential"),
    ("04.2", lambda a, b, length: -((a[:, None] - b) ** 2) / length**4 * k(a, b, length), "but not the factor"),
    ("04.2", k, "of the values themselves"),
    ("04.2", lambda a, b, length: slope_kernel(a, b, length).T, "returns shape (3, 4)"),
    ("04.2", lambda a, b, length: length * slope_kernel(a, b, length), "1/ℓ² = 1.562, yours is 1.250"),
    ("04.3", lambda m, t: honest(m, t) ** 2, "this is α²"),
    ("04.3", lambda m, t: 1 / honest(m, t), "this is 1/α"),
    ("04.3", lambda m, t: np.sqrt(np.mean(np.square(np.divide(*parts(m, t, ddof=0))))), "K − 1 degrees of freedom"),
    ("04.3", lambda m, t: np.mean(np.abs(np.divide(*parts(m, t)))), "average the squares"),
    ("04.3", lambda m, t: np.sqrt(np.mean(parts(m, t)[0] ** 2) / np.mean(parts(m, t)[1] ** 2)), "a ratio of averages"),
    ("04.3", lambda m, t: np.sqrt(np.mean(((m - t) / parts(m, t)[1]) ** 2)), "errors of the members"),
    ("04.3", lambda m, t: np.abs(np.divide(*parts(m, t))), "yours has shape (60,)"),
    ("04.3", lambda m, t: 1.0, "yours is 1.00"),
    ("04.4", points().T, "a row a point"),
    ("04.4", points(n=40), "thirty are enough"),
    ("04.4", points()[[0, 1, 0]], "zero is allowed"),
    ("04.4", points(n=3) * 50, "close to the identity"),
    ("04.4", points(n=3), "prove nothing"),
    ("04.5", np.zeros_like, "not yet half"),
    ("04.5", lambda r: 0.05 * np.exp((3.4 - r) / 0.5), "steep enough"),
    ("04.5", lambda r: 0.1 * np.exp(-(r - 3) / 0.15), "Make it smoother"),
    ("04.5", lambda r: 0 * r + 0.05, "still above 1 meV"),
    ("04.5", lambda r: 1 / r, "still above 1 meV"),
    ("04.5", lambda r: 4 * 0.0104 * ((3.4 / r) ** 12 - (3.4 / r) ** 6), "this is the answer itself"),
    ("04.5", lambda r: -wall(r), "an attraction"),
    ("04.5", lambda r: 0.0, "returns shape ()"),
    ("04.5", lambda r: np.where(r < 3.4, np.inf, 0), "not finite"),
    ("04.5", lambda r: wall(r) + 1e-3 * np.sin(40 * r) ** 2 * np.exp(-((r - 5) ** 2)), "varies faster there than the kernel"),
]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)


def test_the_average_over_the_shifts_is_a_kernel_where_the_best_match_is_none():
    x = points()
    matches = [np.exp(-np.square(x[:, None] - np.roll(x, shift, axis=1)).sum(axis=-1) / 2) for shift in range(3)]
    assert np.linalg.eigvalsh(np.max(matches, axis=0))[0] < -0.05
    assert np.linalg.eigvalsh(np.mean(matches, axis=0))[0] > -1e-12
