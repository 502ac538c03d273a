"""Scattering on voxels: against sums without any FFT, against kymatio, and what a grid's own symmetries do to it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from course_lib.scattering import VoxelScattering
from course_lib.scattering.wavelets import amplitude, solid_harmonic
from course_lib.symmetry import random_rotations, spherical_harmonics

POWERS = (0.5, 1, 2, 3)


def directly(density, J, L, width, powers):
    """Scattering as it is defined: complex harmonics by SciPy, Fourier sums written out, no symmetry used."""
    shape = density.shape
    waves = [np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n) for n in shape]
    k = np.stack(np.meshgrid(*[2 * np.pi * np.fft.fftfreq(n) for n in shape], indexing="ij"))
    r = np.linalg.norm(k, axis=0)
    polar, azimuth = np.arccos(k[2] / np.maximum(r, 1e-300)), np.arctan2(k[1], k[0])

    def transform(values, *matrices):
        return np.einsum("ax,by,cz,xyz->abc", *matrices, values, optimize=True)

    def U(values, j, l):
        s, squares = width * 2**j, 0
        for m in range(-l, l + 1):
            filtered = (2 * np.pi) ** 1.5 * amplitude(l) * (-1j * s * r) ** l * np.exp(-((s * r) ** 2) / 2)
            field = transform(transform(values, *waves) * filtered * sph_harm_y(l, m, polar, azimuth),
                              *(wave.conj() / len(wave) for wave in waves))
            squares = squares + np.abs(field) ** 2
        return np.sqrt(squares)

    table = []
    for l in range(L + 1):
        first = [U(density, j, l) for j in range(J + 1)]
        second = [U(first[j], k, l) for j in range(J + 1) for k in range(j + 1, J + 1)]
        table.append([[(u**q).sum() for q in powers] for u in first + second])
    return np.array(table).transpose(1, 0, 2)


def relative(found, expected):
    return np.abs(np.asarray(found) / np.asarray(expected) - 1).max()


@pytest.mark.parametrize("shape", [(8, 6, 10), (7, 9, 5), (6, 7, 8)], ids=["even", "odd", "mixed"])
@pytest.mark.parametrize("width", [0.8, 1.7])
def test_it_is_the_direct_sum_at_the_edge_of_the_zone_too(shape, width):
    density = np.random.default_rng(0).random(shape)
    expected = directly(density, 2, 3, width, POWERS)
    found = VoxelScattering(shape, 2, 3, width, POWERS, dtype="float64")(torch.tensor(density[None]))
    assert found.shape == (1, 6, 4, 4)
    assert relative(found[0], expected) < 1e-12
    single = VoxelScattering(shape, 2, 3, width, POWERS)(torch.tensor(density[None]))[0].numpy()
    there = expected > 1e-2  # what a wavelet as wide as the grid leaves, σ_2 = 6.8 in 8 voxels, is at the edge of precision
    assert relative(single[there], expected[there]) < 2e-5


def test_the_edge_of_the_zone_matters(monkeypatch):
    """Real filters alone are kymatio's complex ones except at k = −π, and there they are not."""
    density = torch.rand(1, 8, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    full = VoxelScattering((8, 8, 8), 1, 2, 0.8, POWERS, dtype="float64")(density)
    monkeypatch.setattr(VoxelScattering, "_edge_weight", lambda *_: 0.0)
    assert relative(VoxelScattering((8, 8, 8), 1, 2, 0.8, POWERS, dtype="float64")(density), full) > 1e-3


@pytest.mark.parametrize("case", ["fine", "smooth"])
def test_it_is_that_of_kymatio(case):
    peer = np.load(Path(__file__).parents[1] / "oracles/kymatio_scattering.npz")
    density, width, powers = torch.tensor(peer[f"{case} density"][None]), float(peer[f"{case} sigma"]), tuple(peer["powers"])
    for precision, tolerances in {"float32": [None, 1e-5, 1e-5, 1e-5], "float64": [1e-6, 1e-10, 1e-10, 1e-10]}.items():
        found = VoxelScattering(density.shape[1:], 2, 3, width, powers, dtype=precision)(density)[0].numpy()
        for q, tolerance in enumerate(tolerances):
            if tolerance:  # theirs in single precision has noise where U is nearly zero, which q = ½ lifts to a per cent
                assert relative(found[..., q], peer[f"{case} {precision}"][..., q]) < tolerance, (precision, powers[q])


def test_whole_voxels_quarter_turns_and_reflections_leave_it_as_it_is():
    density = torch.rand(9, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    moved = [density, density.roll((2, 3, -1), (0, 1, 2)), density.rot90(1, (0, 1)), density.rot90(1, (1, 2)), density.flip(0),
             density.flip((0, 1, 2))]
    table = VoxelScattering((9, 9, 9), 1, 3, 1.0, POWERS, dtype="float64")(torch.stack(moved))
    assert relative(table[1:], table[:1].expand(5, -1, -1, -1)) < 1e-13


def test_without_the_sum_over_m_a_quarter_turn_would_show(monkeypatch):
    density = torch.rand(9, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    single = VoxelScattering((9, 9, 9), 0, 1, 1.0, (1,), order=1, dtype="float64")
    single._harmonics[1] = (single._harmonics[1][0], single._harmonics[1][1][:0], single._harmonics[1][2])  # one m of three
    table = single(torch.stack([density, density.rot90(1, (0, 1)), density.rot90(1, (1, 2))]))[:, 0, 1, 0]
    assert np.ptp(table.numpy()) / table.mean() > 1e-2


def test_neither_company_nor_precision_of_the_input_changes_it():
    densities = torch.rand(3, 8, 8, 6, generator=torch.Generator().manual_seed(2))
    scattering = VoxelScattering((8, 8, 6), 1, 2, 1.0, POWERS)
    assert torch.equal(scattering(densities)[1:2], scattering(densities[1:2].double()))


def test_solid_harmonics_are_polynomials_and_a_wavelet_has_unit_weight():
    points = random_rotations(20, np.random.default_rng(0))[:, 1] * 1.3
    x, y, z = points.T
    for l in range(6):
        values = sum(c * x**a * y**b * z**e for (m, a, b, e), c in np.ndenumerate(solid_harmonic(l)) if m == 0)
        np.testing.assert_allclose(values, 1.3**l * spherical_harmonics(l, points)[:, l * l], atol=1e-12)
        r = np.linspace(0, 12, 4001)  # ∫ (Σ_m ψ²)^{1/2} = 4π ∫ r² c r^l e^{−r²/2} √((2l + 1)/4π)
        weight = 4 * np.pi * np.trapezoid(r ** (l + 2) * np.exp(-(r**2) / 2), r) * np.sqrt((2 * l + 1) / (4 * np.pi))
        assert amplitude(l) * weight == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("settings, reason", [
    ({"shape": (8, 8)}, "three sides"), ({"J": -1}, "0 or more"), ({"width": 0}, "positive"), ({"order": 3}, "order 1 or 2"),
    ({"powers": ()}, "powers")])
def test_parameters_without_meaning_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        VoxelScattering(**{"shape": (8, 8, 8), "J": 1, "L": 1} | settings)


def test_a_density_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(B, 8, 8, 8\) is needed"):
        VoxelScattering((8, 8, 8), 1, 1)(torch.zeros(8, 8, 8))
