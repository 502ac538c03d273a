"""Scattering of signals keeps its promises: contraction, invariance, stability; and what it does not tell apart."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from course_lib.scattering import SignalScattering

T = 1024
TIME = np.arange(T)
RNG = np.random.default_rng(0)


def difference(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(a)


def circular(x, filter_hat):
    """x ∗ h summed term by term."""
    h = np.array([(filter_hat * np.exp(2j * np.pi * np.arange(len(x)) * n / len(x))).mean() for n in range(len(x))])
    return np.array([sum(x[m] * h[(n - m) % len(x)] for m in range(len(x))) for n in range(len(x))])


@pytest.mark.parametrize("case", ["signals0", "signals1"])
def test_it_is_kymatio_times_the_gains_of_its_banks(case):
    peer = np.load(Path(__file__).parents[1] / "oracles/kymatio_signals.npz")
    _, J, Q = peer[f"{case}_settings"].tolist()
    x, theirs = peer[f"{case}_x"], peer[f"{case}_coefficients"]
    scattering = SignalScattering(J, Q).fit(x)
    paths = [tuple(k for k in path if k >= 0) for path in peer[f"{case}_paths"].tolist()]
    ours = scattering.coefficients(x)[:, [scattering.paths_.index(path) for path in paths]]
    gains = np.ones(3)
    gains[1], gains[2] = (np.sum(ours[:, p]) / np.sum(theirs[:, p]) for p in (1, -1))
    assert 1 < gains[1] < np.sqrt(2) and 1 < gains[2] / gains[1] < np.sqrt(2)
    orders = np.array([len(path) for path in paths])
    assert np.abs(ours - gains[orders, None] * theirs).max() < 1e-11 * np.abs(ours).max()


def test_coefficients_are_sums_of_the_definition():
    x = RNG.normal(size=(1, 64))
    scattering = SignalScattering(J=3, Q=2).fit(x)
    (first, second), path = scattering.banks_, scattering.paths_[-1]
    inner = np.abs(circular(x[0], first.wavelets[path[0]]))
    outer = np.abs(circular(inner, second.wavelets[path[1]]))
    found = scattering.coefficients(x)[0]
    for place, modulus in ((0, x[0]), (scattering.paths_.index(path[:1]), inner), (-1, outer)):
        assert np.allclose(found[place], circular(modulus, first.low_pass)[::8].real, rtol=1e-11, atol=1e-13)
    assert np.allclose(scattering.moduli(x)[0, -1], outer, atol=1e-13)


def test_float32_stays_float32():
    x = RNG.normal(size=(3, T)).astype(np.float32)
    single = SignalScattering(J=5).fit(x).transform(x)
    double = SignalScattering(J=5).fit(x).transform(x.astype(float))
    assert single.dtype == np.float32 and double.dtype == np.float64
    assert np.abs(single - double).max() < 20 * np.finfo(np.float32).eps * np.abs(double).max()


@pytest.mark.parametrize("J, Q", [(4, 1), (6, 4), (7, 8)])
def test_no_frequency_is_amplified_and_no_wavelet_could_be_larger(J, Q):
    bank, _ = SignalScattering(J, Q).fit(np.zeros((1, T))).banks_
    assert bank.littlewood_paley().max() == pytest.approx(1, abs=1e-12)
    assert np.abs(bank.wavelets[:, 0]).max() < 1e-12             # zero mean


def test_frequencies_are_dilations_of_each_other_and_paths_decrease():
    scattering = SignalScattering(J=6, Q=4).fit(np.zeros((1, T)))
    first, second = (bank.centres[:, 0] for bank in scattering.banks_)
    assert np.allclose(first[4:-3] / first[:-7], 0.5)
    peaks = np.abs(np.fft.fftfreq(T)[scattering.banks_[0].wavelets.argmax(axis=1)])
    assert np.abs(peaks - first)[:-3].max() < 1 / T
    pairs = [path for path in scattering.paths_ if len(path) == 2]
    assert pairs and all(second[after] < first[before] for before, after in pairs)


def test_one_layer_keeps_the_energy_between_its_littlewood_paley_bounds_and_two_layers_contract():
    x = RNG.normal(size=(20, T))
    for scattering in (SignalScattering(J=5).fit(x), SignalScattering(J=6, Q=4).fit(x)):
        bank = scattering.banks_[0]
        spectrum, filters = np.fft.fft(x), np.concatenate([bank.low_pass[None], bank.wavelets])
        kept = sum(np.square(np.abs(np.fft.ifft(spectrum * f))).sum(axis=1) for f in filters)
        band = bank.littlewood_paley()
        energy = np.square(x).sum(axis=1)
        assert np.all(kept <= energy) and np.all(kept >= band.min() * energy)
        change = scattering.transform(x) - scattering.transform(x[::-1])
        assert np.all(np.linalg.norm(change, axis=1) <= np.linalg.norm(x - x[::-1], axis=1))


def test_a_larger_gain_would_not_contract():
    scattering = SignalScattering(J=4, order=1).fit(np.zeros((1, T)))
    bank = scattering.banks_[0]
    k = int(np.argmax(bank.littlewood_paley()[8:T // 2])) + 8
    wave = np.cos(2 * np.pi * k * TIME / T)
    assert 0.98 < scattered_energy(bank, wave) <= 1
    assert scattered_energy(type(bank)(bank.low_pass, 1.05 * bank.wavelets, bank.centres), wave) > 1


def scattered_energy(bank, x):
    """Share of the energy in |x ∗ ψ_λ| and x ∗ φ."""
    spectrum = np.fft.fft(x)
    parts = [np.fft.ifft(spectrum * f) for f in (bank.low_pass, *bank.wavelets)]
    return sum(np.square(np.abs(part)).sum() for part in parts) / np.square(x).sum()


def test_a_translation_by_the_averaging_scale_moves_samples_and_a_small_one_hardly_anything():
    x = np.exp(-(((TIME - 500) / 40) ** 2)) * np.cos(0.9 * TIME)
    changes = []
    for J in (4, 6, 8):
        scattering = SignalScattering(J).fit(x[None])
        here = scattering.coefficients(x[None])[0]
        assert np.allclose(np.roll(here, 1, axis=-1), scattering.coefficients(np.roll(x, 2**J)[None])[0], atol=1e-13)
        changes.append(difference(here, scattering.coefficients(np.roll(x, 4)[None])[0]))
    assert difference(x, np.roll(x, 4)) > 1.4                    # the signals share almost nothing,
    assert changes[0] > 2.5 * changes[1] > 6 * changes[2]        # and the larger 2^J, the less of it is left
    assert changes[2] < 0.02
    local = SignalScattering(J=5).fit(x[None])
    here, far = (local.coefficients(np.roll(x, shift)[None])[0] for shift in (0, 512))
    assert difference(here, far) > 1                             # far beyond 2^J it is not invariant


def stretched(frequency, epsilon):
    u = (np.arange(4096) - 2048) * (1 + epsilon)
    return np.exp(-((u / 40) ** 2) / 2) * np.cos(2 * np.pi * frequency * u)


def test_a_stretch_moves_fourier_moduli_with_the_frequency_and_scattering_not():
    fourier, scattered = [], []
    for frequency in (0.02, 0.06, 0.2):
        pair = np.array([stretched(frequency, 0.0), stretched(frequency, 0.01)])
        fourier.append(difference(*np.abs(np.fft.rfft(pair))))
        scattered.append(difference(*SignalScattering(J=9).fit(pair).transform(pair)))
    assert fourier[2] > 5 * fourier[0] and fourier[2] > 0.25
    assert max(scattered) < 0.03


def test_the_second_order_tells_modulations_apart_which_the_first_averages():
    slow, fast = ((1 + 0.8 * np.cos(2 * np.pi * rate * TIME / T)) * np.cos(2 * np.pi * 0.2 * TIME) for rate in (8, 32))
    scattering = SignalScattering(J=8).fit(slow[None])
    orders = np.array([len(path) for path in scattering.paths_])
    a, b = (scattering.coefficients(x[None])[0].mean(axis=-1) for x in (slow, fast))
    assert difference(a[orders == 1], b[orders == 1]) < 0.03
    assert difference(a[orders == 2], b[orders == 2]) > 0.8


def test_a_click_and_noise_of_the_same_fourier_modulus_differ():
    click = np.zeros(T)
    click[0] = 1
    phases = np.exp(2j * np.pi * RNG.random(T // 2 + 1))
    phases[[0, -1]] = 1
    noise = np.fft.irfft(phases)
    assert np.allclose(np.abs(np.fft.rfft(noise)), np.abs(np.fft.rfft(click)))
    scattering = SignalScattering(J=8).fit(click[None])
    a, b = (scattering.coefficients(x[None])[0].mean(axis=-1) for x in (click, noise))
    assert difference(a, b) > 1


def test_it_cannot_tell_a_sign_or_the_phase_between_distant_bands():
    x = RNG.normal(size=(1, T))
    x -= x.mean()
    scattering = SignalScattering(J=6).fit(x)
    assert np.allclose(scattering.coefficients(x)[:, 1:], scattering.coefficients(-x)[:, 1:], atol=1e-14)
    waves = [np.cos(2 * np.pi * 205 / T * TIME) + np.cos(2 * np.pi * 13 / T * TIME + phase) for phase in (0, 1.5)]
    a, b = (scattering.coefficients(wave[None]).mean(axis=-1) for wave in waves)
    assert difference(*waves) > 0.9 and difference(a, b) < 0.01


def test_clone_refit_and_wrong_input():
    scattering = clone(SignalScattering(J=3, Q=2, order=1)).fit(np.zeros((2, 64)))
    assert {len(path) for path in scattering.paths_} == {0, 1}
    assert scattering.transform(np.zeros((2, 64))).shape == (2, len(scattering.paths_) * 8)
    for wrong, reason in [(np.zeros(64), "add the first one"), (np.zeros((1, 60)), "pad them")]:
        with pytest.raises(ValueError, match=reason):
            SignalScattering(J=3).fit(wrong)
    with pytest.raises(ValueError, match="fit again"):
        scattering.transform(np.zeros((2, 32)))
    with pytest.raises(ValueError, match="row 1"):
        scattering.transform(np.array([[0.0] * 64, [np.nan] * 64]))
    for settings in ({"J": 0}, {"J": 2, "order": 3}, {"J": 2, "Q": 0}):
        with pytest.raises(ValueError, match=r"got J|Q = 0"):
            SignalScattering(**settings).fit(np.zeros((1, 64)))
