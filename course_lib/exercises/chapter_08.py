"""Checks of chapter 08: counting paths, a Morlet wavelet, twins of first order, directions, the arrow of time."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.core import register, require
from course_lib.scattering import SignalScattering

T = 4096


@register("08.1", "Order 0 is one path, order 1 one for each wavelet, order 2 one for each pair with j₁ < j₂.",
          "After φ_J one sample in 2^J is kept along each side.")
def count(answer: tuple[int, int]) -> str:
    paths, numbers = answer
    require(paths != 601, "601 counts all pairs of wavelets; only those from a finer to a coarser scale are paths.")
    require(paths != 61, "61 lets both directions of a pair be the same; each of the L² pairs of directions is a path.")
    require(paths != 240, "240 forgets order zero, the plain average.")
    require(paths != 25, "25 are the paths of order 0 and 1; the second order is the larger part.")
    require(paths == 241, f"it has not {paths} paths: add 1, J·L, and L² for each pair of scales.")
    require(numbers != 241 * 64 * 64, "an average over 2^J pixels is slow: one sample in 2^J along each side is kept.")
    require(numbers != 241 * 256, "64/2^J is the number of samples along one side; both sides are thinned, by 2^4.")
    require(numbers == 241 * 16, f"241 paths of 4 × 4 samples are not {numbers} numbers.")
    return "Nearly as many numbers as the image has pixels; and most of them are of second order."


@register("08.2", "Two Gaussians of one width s: one around ξ, one around 0.",
          "How high is the first one at ω = 0? Take the second one that many times.")
def morlet_hat(answer: Callable[[np.ndarray, float, float], np.ndarray]) -> str:
    omega, xi, s = np.linspace(-0.5, 0.5, 1001), 0.12, 0.06
    found = np.asarray(answer(omega, xi, s))
    require(found.shape == omega.shape, f"for frequencies of shape {omega.shape} it returns shape {found.shape}.")
    zero, far = found[500], found[0]
    gabor = np.exp(-((omega - xi) ** 2) / (2 * s**2))
    require(not np.allclose(found, gabor), f"this is Gabor's filter: at ω = 0 it is {zero:.2f}, so its mean is not zero.")
    require(not np.allclose(found, gabor - np.exp(-(omega**2) / (2 * s**2))),
            "a whole window is too much: at ω = 0 the wave has the height exp(−ξ²/2s²), take that much of the window.")
    require(abs(far) < 1e-6, f"far away, at ω = −0.5, it is {far:.2g}: a constant was subtracted, which in time is a spike at "
                             "zero. Subtract a window.")
    require(abs(zero) < 1e-9, f"at ω = 0 it is {zero:.2g}; the mean of a wavelet is zero.")
    require(not np.allclose(found, found[::-1]), "it is even in ω: a real wavelet, whose modulus oscillates. Leave out −ξ.")
    right = gabor - np.exp(-(xi**2) / (2 * s**2)) * np.exp(-(omega**2) / (2 * s**2))
    require(np.allclose(found, right), f"it differs from the definition by up to {np.abs(found - right).max():.2g}; both bumps "
                                       "have the width s and are not normalised.")
    return "Mean zero, one side of the frequencies, and as short in time as its window."


@register("08.3", "The first order is about the mean of each envelope. Keep it, and change how fast the envelope moves.",
          "A carrier times (1 + 0.3 ripple), with a ripple of slow random waves for one and of fast ones for the other.")
def twins(answer: np.ndarray) -> str:
    pair = np.asarray(answer)
    require(not np.iscomplexobj(pair) and pair.shape == (2, T), f"give a real array (2, {T}), not {pair.dtype} {pair.shape}.")
    require(np.isfinite(pair).all() and np.abs(pair).max() > 0, "the signals hold nothing, or values that are not finite.")
    scattering = SignalScattering(J=9).fit(pair)
    orders = np.array([len(path) for path in scattering.paths_])
    S = scattering.coefficients(pair.astype(float)).mean(axis=-1)
    first, second = (np.linalg.norm(np.diff(S[:, orders == m], axis=0)) / np.linalg.norm(S[0, orders == m]) for m in (1, 2))
    require(first < 0.05, f"their first orders differ by {first:.0%}: not the same frequencies with the same mean envelopes.")
    require(second > 1e-9, "their second orders are equal as well: shifted, reversed, negative copies have the same averages.")
    require(second > 0.5, f"their second orders differ by {second:.0%} only; let one envelope move much faster than the other.")
    power = np.abs(np.fft.rfft(pair * np.blackman(T))) ** 2
    crowd = np.sum(power > 1e-4 * power.max(axis=1, keepdims=True), axis=1).min()
    require(crowd > 25, "one of them has a few partials only, so it beats like the example; let it ripple with many.")
    return f"First order {first:.1%} apart, second {second:.0%}: the mean of an envelope is not the envelope."


@register("08.4", "First order: sum over l. Second order: l₁ and l₂ move on together, so l₂ − l₁ (modulo L) stays.",
          "For each turn d sum second[:, l, (l + d) % L] over l.")
def pooled(answer: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> str:
    rng = np.random.default_rng(84)
    first, second = rng.random((3, 6)), rng.random((3, 6, 6))
    found = np.asarray(answer(first, second))
    require(found.ndim == 1, f"your function returns shape {found.shape}; make one vector.")

    def of(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(answer(a, b))

    turned = np.abs(of(np.roll(first, 1, axis=1), np.roll(second, (1, 1), axis=(1, 2))) - found).max()
    require(turned < 1e-9, f"a rotation by π/L changes it by {turned:.2g}.")
    require(np.allclose(of(2 * first, 2 * second), 2 * found)
            and np.allclose(of(first + first[::-1], second + second[::-1]), found + of(first[::-1], second[::-1])),
            "it is not linear: a maximum or a product is no sum.")
    require(np.abs(of(np.roll(first, 1, axis=0), second) - found).max() > 1e-9,
            "the scales of the first order are mixed, or the first order is left out; a rotation leaves the scale alone.")
    other = np.abs(of(first, np.roll(second, 1, axis=2)) - found).max()
    require(other > 1e-9, "turning the second wavelets alone does not change it: summed over l₁ and l₂ one by one, a corner "
                          "and a line become the same. Keep l₂ − l₁.")
    require(len(found) == 3 + 3 * 6, f"{len(found)} numbers; there is one for each j, and for each pair of scales one for each "
                                     "of the L differences l₂ − l₁: 3 + 18 here.")
    seen = [of(*(rng.normal(size=x.shape) for x in (first, second))) for _ in range(42)]
    require(np.linalg.matrix_rank(seen, tol=1e-6) == 21, "some of your 21 numbers follow from the others: each difference "
                                                         "l₂ − l₁ of each pair of scales needs a sum of its own.")
    return "Invariant under a joint turn, and corners stay corners."


@register("08.5", "The slope of an envelope that rises fast and falls slowly is skewed: few large values, many small.",
          "Take the modulus of the analytic signal, smooth it, differentiate, and compare the mean cube with the mean square.")
def arrow(answer: Callable[[np.ndarray], float]) -> str:
    t = np.arange(T)

    def note(faster: float = 1.0, phase: float = 0.0, start: int = 900) -> np.ndarray:
        u = faster * (t - start)
        rise = 1 / (1 + np.exp(-np.clip(u / 12, -50, 50)))
        return rise * np.exp(-np.clip(u, 0, None) / 300) * np.cos(2 * np.pi * 0.15 * u + phase)

    x, value = note(), np.asarray(answer(note()))
    require(value.ndim == 0 and np.isfinite(value), f"for a note it returns {value}; the arrow is one finite number.")
    require(abs(value) > 1e-12, "it is zero for a note with a sudden attack.")
    shifted = abs(answer(np.roll(x, 1234)) - value) / abs(value)
    require(shifted < 1e-6, f"a shift changes it by {shifted:.0%}; sums over the whole of a periodic signal do not know when.")
    reverse = answer(np.roll(x[::-1], 1)) / value
    require(not np.isclose(reverse, 1, rtol=1e-3), "played backwards it is the same: it knows the values, not their order.")
    require(np.isclose(reverse, -1, rtol=1e-3), f"played backwards it is {reverse:.2f} times itself, and should be −1 times.")
    phases = [answer(note(phase=phase)) / value for phase in (0.8, 1.6, 3.1)]
    require(np.allclose(phases, 1, atol=0.1), f"another phase of the carrier makes it {min(phases):.2f} to {max(phases):.2f} "
                                              "times itself: it listens to single oscillations. Take the envelope first.")
    stretch = abs(answer(note(faster=1.01)) / value - 1)
    require(stretch < 0.1, f"played 1 % too fast it changes by {stretch:.0%}: not stable.")
    require(value > 0, "it is negative for a sudden attack; turn its sign.")
    return "Invariant, stable, and odd in time: what averaged moduli lack."
