"""Fourier transform on the rotations SO(3): from values on a grid of rotations to coefficients of Wigner functions, and back.

    F(R) = Σ_l (2l + 1) Σ_mn F̂^l_mn D^l_mn(R),   F̂^l_mn = ∫ F(R) D^l_mn(R) dR,   ∫ dR = 1,   l ≤ l_max

with the real, orthogonal D^l of `symmetry.wigner_D`, m and n from −l to l (Peter & Weyl, Math. Ann. 97, 737 (1927)). In Euler
angles R = R_z(α) R_y(β) R_z(γ), with t_m = cos mα for m ≥ 0 and sin |m|α for m < 0, a real Wigner function has two terms,

    D^l_mn = ±(d⁺)^l_mn(β) t_m(α) t_n(γ) ± (d⁻)^l_mn(β) t_−m(α) t_−n(γ)

So the integral is a Fourier transform along α, one along γ, and one small matrix for each pair m, n along β (Kostelec &
Rockmore, J. Fourier Anal. Appl. 14, 145 (2008); Cohen, Geiger, Köhler & Welling, ICLR 2018, arXiv 1801.10130, section 4). All
are matrix products of many signals at once; for axes as short as ours that is faster than a *fast* Fourier transform. The grid
is `symmetry.rotation_quadrature`.
*Exact*, to rounding, is F̂ of every F without degrees above degree − l_max, and F again from its F̂ if it has none above l_max.
Degrees higher still are *aliased*: the grid takes them for lower ones.
"""

from functools import cache

import numpy as np
import torch
from scipy.special import binom

from course_lib.equivariant.spherical_fourier import checked_degree


def wigner_d(l_max: int, beta: np.ndarray) -> np.ndarray:
    """d^l_mn(β) = ⟨lm| exp(−iβ J_y) |ln⟩, (l_max + 1, 2 l_max + 1, 2 l_max + 1, len(beta)): zero where |m| or |n| > l.

    m and n run from −l_max to l_max. Each starts at l = max(|m|, |n|) from a closed form and climbs by a recursion of three
    terms (Kostelec & Rockmore 2008, section 2), in which nothing large cancels.
    """
    beta = np.asarray(beta, float)
    m, n = np.arange(-l_max, l_max + 1)[:, None, None], np.arange(-l_max, l_max + 1)[:, None]
    lowest, sign = np.maximum(abs(m), abs(n)), np.where((m > n) & ((m - n) % 2 == 1), -1.0, 1.0)
    start = sign * np.sqrt(binom(2 * lowest, abs(m - n))) * np.cos(beta / 2) ** abs(m + n) * np.sin(beta / 2) ** abs(m - n)
    d = np.zeros((l_max + 1, *start.shape))
    before = np.zeros_like(start)
    for l in range(l_max + 1):
        if l > 0:
            k, step = max(l - 1, 1), np.sqrt(np.maximum((l**2 - m**2) * (l**2 - n**2), 1))
            fall = np.sqrt(np.maximum(((l - 1) ** 2 - m**2) * ((l - 1) ** 2 - n**2), 0)) / (k * (2 * l - 1))
            climbed = l * (2 * l - 1) / step * ((np.cos(beta) - m * n / (k * l)) * d[l - 1] - fall * before)
            d[l] = np.where(lowest < l, climbed, 0)
            before = d[l - 1]
        d[l] += np.where(lowest == l, start, 0)
    return d


class RotationFourier:
    """The transform of real functions up to `l_max`, on a grid that integrates Wigner functions up to `degree` exactly.

    degree: at least 2 l_max, which is exact for all F up to l_max, and by default not much more; the grid has degree + 1 angles
        α, degree // 2 + 1 of β and degree + 1 of γ. Raises ValueError for a negative l_max and a lower degree

    Values are (…, n), at the n rotations of `symmetry.rotation_quadrature(degree)`; coefficients (…, Σ_l (2l + 1)²), one matrix
    F̂^l after the other, row by row, at `matrix_places(l_max)`.
    """

    def __init__(self, l_max: int, degree: int | None = None) -> None:
        self.l_max, self.degree = l_max, checked_degree(l_max, degree)
        self.shape = (self.degree + 1, self.degree // 2 + 1, self.degree + 1)

    def analysis(self, values: torch.Tensor) -> torch.Tensor:
        """F̂ (…, Σ (2l + 1)²) of values (…, n). Raises ValueError for another number of values."""
        if values.shape[-1] != np.prod(self.shape):
            raise ValueError(f"values have shape {tuple(values.shape)}; the last axis must hold those at the "
                             f"{np.prod(self.shape)} rotations of the grid")
        t, weighted, _, rows = _tables(self.l_max, self.degree, values.dtype, values.device)
        orders, (_, n_beta, n_gamma) = len(t), self.shape
        F = values.reshape(-1, values.shape[-1]).mT                                            # the signals last
        F = t @ F.reshape(len(F) // (n_beta * n_gamma), -1)                                    # (m, β γ signals)
        F = t @ F.view(orders * n_beta, n_gamma, -1)                                           # (m β, n, signals)
        F = F.view(orders, n_beta, orders, -1).transpose(1, 2)                                 # (m, n, β, signals)
        F = torch.cat([F, F.flip(0, 1)], dim=2).flatten(0, 1)                                  # t_m t_n and t_−m t_−n
        F = torch.bmm(weighted, F).flatten(0, 1).index_select(0, rows)                         # (l m n, signals)
        return F.mT.reshape(*values.shape[:-1], -1)

    def synthesis(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Values (…, n) of F̂ (…, Σ (2l + 1)²). Raises ValueError for another number of coefficients."""
        if coefficients.shape[-1] != matrix_places(self.l_max)[-1].stop:
            raise ValueError(f"coefficients have shape {tuple(coefficients.shape)}; the last axis must hold Σ (2l + 1)² = "
                             f"{matrix_places(self.l_max)[-1].stop} for l_max = {self.l_max}")
        t, _, wigner, rows = _tables(self.l_max, self.degree, coefficients.dtype, coefficients.device)
        orders, n_beta, F = len(t), self.shape[1], coefficients.reshape(-1, coefficients.shape[-1]).mT
        F = F.new_zeros(orders**2 * (self.l_max + 1), F.shape[1]).index_copy(0, rows, F)       # (m n l, signals)
        F = F.view(orders, orders, self.l_max + 1, -1)
        F = torch.bmm(wigner, torch.cat([F, F.flip(0, 1)], dim=2).flatten(0, 1))               # (m n, β, signals)
        F = F.view(orders, orders, n_beta, -1).transpose(1, 2).flatten(0, 1)                   # (m β, n, signals)
        F = t.mT @ (t.mT @ F).view(orders, -1)                                                 # (α, β γ signals)
        return F.view(int(np.prod(self.shape)), -1).mT.reshape(*coefficients.shape[:-1], -1)


def matrix_places(l_max: int) -> list[slice]:
    """Where among Σ (2l + 1)² coefficients those of each F̂^l are."""
    ends = np.cumsum((2 * np.arange(l_max + 1) + 1) ** 2).tolist()
    return [slice(end - (2 * l + 1) ** 2, end) for l, end in enumerate(ends)]


@cache
def _tables(l_max: int, degree: int, dtype: torch.dtype, device: torch.device) -> tuple[torch.Tensor, ...]:
    """t (m, α); ±d⁺ and ±d⁻ with weights (m n, l, 2 β); the same for synthesis (m n, β, 2 l); and which row m n l is F̂^l_mn.

    A real harmonic is √2 (−1)^m times the real (m > 0) or the imaginary part (m < 0) of a complex one. Of the four products of
    t_±m and t_±n that this makes of D = exp(−imα) d exp(−inγ) and its conjugate, two have even and two odd numbers of sines:
    d⁺ and d⁻ are (−1)^(m+n) d_mn ± (−1)^m d_m,−n with |m| and |n|, divided by √2 for each index that is zero.
    """
    cosine, weights = np.polynomial.legendre.leggauss(degree // 2 + 1)
    orders, angles = np.arange(-l_max, l_max + 1), 2 * np.pi * np.arange(degree + 1) / (degree + 1)
    t = np.where(orders[:, None] < 0, np.sin(abs(orders)[:, None] * angles), np.cos(orders[:, None] * angles))
    m, n = orders[:, None], orders
    d = wigner_d(l_max, np.arccos(cosine)).transpose(1, 2, 0, 3)                                     # (m, n, l, β)
    scale = (-1.0) ** m / np.sqrt((1 + (m == 0)) * (1 + (n == 0)))
    same, other = ((scale * sign)[..., None, None] * d[l_max + abs(m), l_max + k]
                   for sign, k in ((1.0 - 2 * (n % 2), abs(n)), (1.0, -abs(n))))
    plus = np.where(n < 0, -1, 1)[:, None, None] * (same + other)
    minus = np.where(m < 0, 1, -1)[..., None, None] * (same - other)
    weighted = np.concatenate([plus, minus], axis=3) * np.tile(weights / (2 * (degree + 1) ** 2), 2)
    wigner = np.concatenate([plus, minus[::-1, ::-1]], axis=2) * np.tile(2 * np.arange(l_max + 1) + 1, 2)[:, None]
    sizes = 2 * np.arange(l_max + 1) + 1
    l, size = np.repeat(np.arange(l_max + 1), sizes**2), np.repeat(sizes, sizes**2)
    m, n = np.divmod(np.concatenate([np.arange(k**2) for k in sizes]), size) - l + l_max
    return (*(torch.tensor(table, dtype=dtype, device=device) for table in (
        t, weighted.reshape(-1, *weighted.shape[2:]), np.swapaxes(wigner.reshape(-1, *wigner.shape[2:]), 1, 2))),
        torch.tensor((m * len(orders) + n) * (l_max + 1) + l, device=device))
