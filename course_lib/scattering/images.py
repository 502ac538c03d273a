"""Scattering of images: Morlet wavelets at J scales and L orientations.

Bruna and Mallat, IEEE Trans. Pattern Anal. Mach. Intell. 35, 1872 (2013). Frequencies and widths are those of Kymatio
(Andreux et al., J. Mach. Learn. Res. 21(60), 1 (2020)).
"""

import numpy as np

from course_lib.scattering.cascade import FilterBank, Scattering, gabor, morlet

WIDTH, FREQUENCY = 0.8, 3 / 8
"""Of the finest wavelet: standard deviation of its window, pixels, and frequency, cycles a pixel."""


class ImageScattering(Scattering):
    """Scattering coefficients of periodic real images (n, height, width), float32 or float64.

    J: scales, 2^0 … 2^(J−1) pixels; the average reaches over 2^J pixels, of which both sides must be multiples
    L: orientations in half a turn, as many as the first order has wavelets a scale
    order: 1 or 2
    Rotations are not averaged over: turning an image by π/L exchanges paths. Raises ValueError for J, L < 1, another order,
    arrays of another shape and values that are not finite.
    """

    dimension = 2

    def __init__(self, J: int, L: int = 8, order: int = 2) -> None:
        self.J, self.L, self.order = J, L, order

    def _banks(self, shape: tuple[int, int]) -> tuple[FilterBank, FilterBank]:
        if self.L < 1:
            raise ValueError(f"L = {self.L} orientations; give 1 or more")
        centres, wavelets = [], []
        for j in range(self.J):
            for angle in np.pi * np.arange(self.L) / self.L:
                along = np.array([np.cos(angle), np.sin(angle)])
                across = np.array([-along[1], along[0]])
                sigma = 2 * np.pi * WIDTH * 2**j
                precision = sigma**2 * (np.outer(along, along) + (self.L / 4) ** 2 * np.outer(across, across))
                centres.append(FREQUENCY / 2**j * along)
                wavelets.append(morlet(shape, centres[-1], precision))
        window = (2 * np.pi * WIDTH * 2 ** (self.J - 1)) ** 2 * np.eye(2)
        low_pass = gabor(shape, np.zeros(2), window)
        bank = FilterBank(low_pass / low_pass.flat[0], np.array(wavelets), np.array(centres))
        return bank, bank
