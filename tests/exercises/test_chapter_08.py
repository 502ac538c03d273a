"""Chapter 08: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged

T = 4096
TIME = np.arange(T)


def bump(omega, centre, s):
    return np.exp(-((omega - centre) ** 2) / (2 * s**2))


def morlet_hat(omega, xi, s):
    return bump(omega, xi, s) - np.exp(-(xi**2) / (2 * s**2)) * bump(omega, 0, s)


def even(omega, xi, s):
    return bump(omega, xi, s) + bump(omega, -xi, s) - 2 * np.exp(-(xi**2) / (2 * s**2)) * bump(omega, 0, s)


def rippled(low, high, depth=0.3, seed=83):
    rates = np.arange(low, high)[:, None]
    phases = np.random.default_rng(seed).random(rates.shape)
    ripple = np.cos(2 * np.pi * (rates * TIME / T + phases)).sum(axis=0)
    return (1 + depth * ripple / ripple.std()) * np.cos(2 * np.pi * 0.175 * TIME)


def beat(rate):
    return (1 + 0.9 * np.cos(2 * np.pi * rate * TIME / T)) * np.cos(2 * np.pi * 0.2 * TIME)


def pooled(first, second):
    turns = np.arange(first.shape[1])
    return np.concatenate([first.sum(axis=1), *(second[:, turns, (turns + d) % len(turns)].sum(axis=1) for d in turns)])


def slope(x, smooth=True):
    spectrum, omega = np.fft.fft(x), np.fft.fftfreq(len(x))
    if smooth:
        envelope = np.abs(np.fft.ifft(spectrum * (1 + np.sign(omega))))
        spectrum = np.fft.fft(envelope) * np.exp(-(omega**2) / (2 * 0.01**2))
    return np.fft.ifft(2j * np.pi * omega * spectrum).real


def arrow(x):
    return np.mean(slope(x) ** 3) / np.mean(slope(x) ** 2) ** 1.5


def trembling(x):
    """Phases between four Fourier coefficients near the carrier, which a shift leaves alone and reversed time negates."""
    X = np.fft.fft(x)
    return np.imag(X[612] * X[618] * np.conj(X[614] * X[616]))


SLOW = rippled(8, 24)
RIGHT = {"08.1": (241, 3856), "08.2": morlet_hat, "08.3": np.array([SLOW, rippled(100, 180)]), "08.4": pooled, "08.5": arrow}

WRONG = [
    ("08.1", (601, 9616), "only those from a finer to a coarser"),
    ("08.1", (61, 976), "both directions of a pair be the same"),
    ("08.1", (240, 3840), "forgets order zero"),
    ("08.1", (25, 400), "paths of order 0 and 1"),
    ("08.1", (100, 1600), "has not 100 paths"),
    ("08.1", (241, 241 * 4096), "an average over 2^J pixels is slow"),
    ("08.1", (241, 241 * 256), "both sides are thinned"),
    ("08.1", (241, 241), "are not 241 numbers"),
    ("08.2", bump, "this is Gabor's filter"),
    ("08.2", lambda o, xi, s: bump(o, xi, s) - bump(o, 0, s), "a whole window is too much"),
    ("08.2", lambda o, xi, s: bump(o, xi, s) - np.exp(-(xi**2) / (2 * s**2)), "a constant was subtracted"),
    ("08.2", lambda o, xi, s: morlet_hat(o, xi, s) + 0.1 * bump(o, 0, s), "the mean of a wavelet is zero"),
    ("08.2", even, "it is even in ω"),
    ("08.2", lambda o, xi, s: 2 * morlet_hat(o, xi, s), "differs from the definition"),
    ("08.2", lambda o, xi, s: morlet_hat(xi, xi, s), "it returns shape ()"),
    ("08.3", np.array([SLOW, np.roll(SLOW, 700)]), "their second orders are equal as well"),
    ("08.3", np.array([SLOW, 1.2 * rippled(100, 180)]), "first orders differ by"),
    ("08.3", np.array([SLOW, rippled(8, 24, seed=5)]), "their second orders differ by"),
    ("08.3", np.array([beat(16), beat(128)]), "beats like the example"),
    ("08.3", np.zeros((2, T)), "hold nothing"),
    ("08.3", np.array([SLOW, SLOW])[:, :100], "give a real array (2, 4096)"),
    ("08.4", lambda a, b: np.concatenate([a.sum(axis=1), b.sum(axis=(1, 2))]), "Keep l₂ − l₁"),
    ("08.4", lambda a, b: np.concatenate([a.ravel(), b.ravel()]), "a rotation by π/L changes it"),
    ("08.4", lambda a, b: np.concatenate([a.max(axis=1), pooled(a, b)[3:]]), "it is not linear"),
    ("08.4", lambda a, b: pooled(a, b)[3:], "or the first order is left out"),
    ("08.4", lambda a, b: pooled(a, b)[:9], "18"),
    ("08.4", lambda a, b: pooled(a, b).sum(), "make one vector"),
    ("08.4", lambda a, b: np.concatenate([a.sum(axis=1), np.repeat(np.trace(b, axis1=1, axis2=2), 6)]), "follow from"),
    ("08.5", lambda x: np.sum(TIME * x**2) / np.sum(x**2), "a shift changes it"),
    ("08.5", lambda x: np.mean(x**4), "played backwards it is the same"),
    ("08.5", lambda x: np.mean(slope(x) ** 3) + np.mean(slope(x) ** 2) ** 1.5, "and should be −1 times"),
    ("08.5", lambda x: np.mean(slope(x, smooth=False) ** 3), "another phase of the carrier"),
    ("08.5", trembling, "played 1 % too fast"),
    ("08.5", lambda x: -arrow(x), "turn its sign"),
    ("08.5", lambda x: 0.0, "it is zero"),
    ("08.5", slope, "the arrow is one finite number"),
]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(list(RIGHT.items()), WRONG)
