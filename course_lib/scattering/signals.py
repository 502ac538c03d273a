"""Scattering of signals in time: Morlet wavelets, Q an octave over J octaves.

Andén and Mallat, IEEE Trans. Signal Process. 62, 4114 (2014). Frequencies and widths are those of Kymatio (Andreux et al.,
J. Mach. Learn. Res. 21(60), 1 (2020)), whose coefficients are ours but for one factor an order: its banks are not scaled.
"""

import numpy as np

from course_lib.scattering.cascade import FilterBank, Scattering, gabor, morlet

LOW_PASS_WIDTH = 0.1
"""Standard deviation of φ̂_J in frequency, times 2^J samples."""


class SignalScattering(Scattering):
    """Scattering coefficients of periodic real signals (n, T), float32 or float64.

    J: the average reaches over 2^J samples; T must be a multiple of that
    Q: wavelets an octave in the first order; in the second one there is one an octave
    order: 1 or 2
    Signals that are not periodic should be padded by 2^J samples. Raises ValueError for J, Q < 1, another order, arrays of
    another shape and values that are not finite.
    """

    dimension = 1

    def __init__(self, J: int, Q: int = 1, order: int = 2) -> None:
        self.J, self.Q, self.order = J, Q, order

    def _banks(self, shape: tuple[int]) -> tuple[FilterBank, FilterBank]:
        if self.Q < 1:
            raise ValueError(f"Q = {self.Q} wavelets an octave; give 1 or more")
        return self._bank(shape, self.Q), self._bank(shape, 1)

    def _bank(self, shape: tuple[int], Q: int) -> FilterBank:
        narrowest = LOW_PASS_WIDTH / 2**self.J
        centres, widths = ladder(Q, narrowest)
        wavelets = np.array([morlet(shape, np.array([centre]), np.array([[1 / width**2]]))
                             for centre, width in zip(centres, widths, strict=True)])
        wavelets /= np.abs(np.fft.ifft(wavelets)).sum(axis=1, keepdims=True)
        return FilterBank(gabor(shape, np.zeros(1), np.array([[1 / narrowest**2]])), wavelets, np.array(centres)[:, None])


def ladder(Q: int, narrowest: float) -> tuple[list[float], list[float]]:
    """Centres and widths, cycles a sample, of Morlet wavelets, Q an octave.

    Neighbours cross at 1/√2 of their height. Down to the width `narrowest` they are dilations of each other, below that
    Q − 1 more of equal width fill the gap to φ_J.
    """
    ratio = 2 ** (-1 / Q)
    centre = max(1 / (1 + 2 ** (3 / Q)), 0.35)
    width = centre * (1 - ratio) / (1 + ratio) / np.sqrt(np.log(2))
    centres, widths = [centre], [width]
    while widths[-1] * ratio > narrowest:
        centres.append(centres[-1] * ratio)
        widths.append(widths[-1] * ratio)
    last = centres[-1]
    return centres + [last * (1 - q / Q) for q in range(1, Q)], widths + [narrowest] * (Q - 1)
