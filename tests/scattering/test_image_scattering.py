"""Scattering of images: the same promises on the plane, and orientations."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from course_lib.scattering import ImageScattering
from course_lib.structures import load_images

RNG = np.random.default_rng(1)


def difference(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(a)


@pytest.fixture(scope="module")
def digits():
    """Twenty digits with a margin of two pixels, 32 × 32."""
    return np.pad(load_images("digits").test.images[:20] / 255, ((0, 0), (2, 2), (2, 2)))


@pytest.fixture(scope="module")
def scattering(digits):
    return ImageScattering(J=3, L=6).fit(digits)


def test_it_is_kymatio_times_a_power_of_the_gain():
    peer = np.load(Path(__file__).parents[1] / "oracles/kymatio_signals.npz")
    *_, J, L = peer["images_settings"].tolist()
    x, theirs = peer["images_x"], peer["images_coefficients"]
    scattering = ImageScattering(J, L).fit(x)
    index = [scattering.paths_.index(tuple(k // L * L + (L // 2 - 1 - k) % L for k in path if k >= 0))
             for path in peer["images_paths"].tolist()]          # it counts angles downwards from π/2 − π/L
    ours = scattering.coefficients(x)[:, index]
    for order in range(3):
        rows = [n for n, path in enumerate(index) if len(scattering.paths_[path]) == order]
        gain = np.sum(ours[:, rows] * theirs[:, rows]) / np.sum(theirs[:, rows] ** 2)
        assert gain == pytest.approx(1.0574**order, rel=1e-3)
        assert np.abs(ours[:, rows] - gain * theirs[:, rows]).max() < 2e-6 * np.abs(ours).max()    # its filters are float32


def test_a_coefficient_is_the_sum_of_its_definition():
    x = RNG.normal(size=(16, 16))
    scattering = ImageScattering(J=2, L=3).fit(x[None])
    bank, path = scattering.banks_[0], scattering.paths_[-1]

    def convolved(image, filter_hat):
        n = np.arange(16)
        wave = np.exp(2j * np.pi * np.outer(n, n) / 16)
        h = wave @ filter_hat @ wave.T / 256
        return sum(image[r, c] * np.roll(h, (r, c), axis=(0, 1)) for r in n for c in n)

    modulus = np.abs(convolved(np.abs(convolved(x, bank.wavelets[path[0]])), bank.wavelets[path[1]]))
    assert np.allclose(scattering.coefficients(x[None])[0, -1], convolved(modulus, bank.low_pass)[::4, ::4].real, atol=1e-13)


@pytest.mark.parametrize("J, L", [(2, 8), (3, 6), (3, 4)])
def test_no_frequency_is_amplified_and_no_wavelet_could_be_larger(J, L):
    bank = ImageScattering(J, L).fit(np.zeros((1, 32, 32))).banks_[0]
    assert np.delete(bank.littlewood_paley().ravel(), 0).max() == pytest.approx(1, abs=1e-12)
    assert bank.low_pass[0, 0] == 1 and np.abs(bank.wavelets[:, 0, 0]).max() < 1e-12


def test_it_contracts_and_paths_go_to_coarser_scales(scattering, digits):
    change = scattering.transform(digits) - scattering.transform(digits[::-1])
    assert np.all(np.linalg.norm(change, axis=1) <= np.linalg.norm((digits - digits[::-1]).reshape(20, -1), axis=1))
    assert len(scattering.paths_) == 1 + 3 * 6 + 3 * 36
    assert all(after // 6 > before // 6 for before, after in (path for path in scattering.paths_ if len(path) == 2))


def test_a_translation_by_the_averaging_scale_moves_samples_and_one_pixel_hardly_anything(scattering, digits):
    here = scattering.coefficients(digits)
    there = scattering.coefficients(np.roll(digits, (8, -8), axis=(1, 2)))
    assert np.allclose(there, np.roll(here, (1, -1), axis=(2, 3)), atol=1e-13)
    by_one = np.roll(digits, 1, axis=2)
    moved = difference(here, scattering.coefficients(by_one))
    assert moved < 0.15 < 0.4 < difference(digits, by_one)


def test_a_stretched_grating_moves_its_fourier_modulus_and_hardly_its_scattering():
    rows, columns = np.mgrid[-48:48, -48:48]

    def patch(epsilon):
        u = rows * (1 + epsilon)
        return np.exp(-(u**2 + columns**2) / 2 / 12**2) * np.cos(2 * np.pi * 0.3 * u)

    pair = np.array([patch(0.0), patch(0.03)])
    assert difference(*np.abs(np.fft.fft2(pair))) > 0.4
    assert difference(*ImageScattering(J=5, L=4).fit(pair).transform(pair)) < 0.06


def test_a_bend_changes_a_digit_in_proportion(scattering, digits):
    rows, columns = np.mgrid[:32, :32].astype(float)
    changes = []
    for size in (0.25, 0.5, 1.0):
        bent = np.array([map_coordinates(x, [rows + size * np.sin(columns / 5), columns], order=1) for x in digits])
        changes.append(difference(scattering.transform(digits), scattering.transform(bent)))
    assert changes[0] < 0.6 * changes[1] < 0.4 * changes[2] < 0.06


def test_a_quarter_turn_exchanges_orientations_so_rotations_are_not_built_in():
    x = RNG.normal(size=(1, 32, 32))
    scattering = ImageScattering(J=2, L=4).fit(x)
    def globally(image):
        return scattering.coefficients(image).mean(axis=(0, 2, 3))

    turned = np.roll(np.rot90(x, axes=(1, 2)), 1, axis=1)         # a quarter turn about the pixel at the corner
    here, there = globally(x), globally(turned)
    order = [scattering.paths_.index(tuple(k // 4 * 4 + (k + 2) % 4 for k in path)) for path in scattering.paths_]
    assert np.allclose(there, here[order], rtol=1e-9)
    grating = np.cos(2 * np.pi * 0.25 * np.arange(32))[None, :, None] * np.ones(32)
    assert difference(globally(grating)[1:], globally(np.rot90(grating, axes=(1, 2)))[1:]) > 1


def test_wrong_input_is_refused():
    for wrong, reason in [(np.zeros((8, 8)), "add the first one"), (np.zeros((1, 28, 30)), "pad them")]:
        with pytest.raises(ValueError, match=reason):
            ImageScattering(J=2).fit(wrong)
    with pytest.raises(ValueError, match="L = 0"):
        ImageScattering(J=2, L=0).fit(np.zeros((1, 8, 8)))
