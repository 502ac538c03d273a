"""The computation behind solid harmonic scattering: a grid for each scale, closed forms, and small Fourier matrices.

The atoms' Gaussians are σ wide and the wavelet's σ_j, so ρ * ψ_jlm is a sum of solid harmonic Gaussians of width
s_j = (σ² + σ_j²)^{1/2}, known exactly at any point. What is wide is smooth: points may be 2^j times farther apart at scale j,
in a box that reaches six widths beyond the outermost atom, where ∫U^{1/2} has ended too. Of U[j,l] the second convolution, with
ψ_j'lm, needs only the frequencies of the grid of scale j', fewer than it has: three small matrices take it there.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import ceil, hypot, pi, prod

import torch
from scipy.fft import next_fast_len

from course_lib.scattering.wavelets import amplitude, axis_powers, integrals, modulus, solid_gaussians

REACH, STEP = 6.0, 0.625
"""A box ends REACH widths beyond the outermost atom; the points of scale j are STEP 2^j `spacing` apart."""


@dataclass(frozen=True)
class Grid:
    """Points `spacing` (Å) apart along x, y and z, symmetric about the origin."""

    axes: tuple[torch.Tensor, ...]
    spacing: float

    @classmethod
    def around(cls, sides, reach: float, spacing: float, like: torch.Tensor) -> "Grid":
        counts = [next_fast_len(ceil((side + 2 * reach) / spacing - 1e-9), real=True) for side in sides]
        steps = (torch.arange(n, dtype=like.dtype, device=like.device) - (n - 1) / 2 for n in counts)
        return cls(tuple(step * spacing for step in steps), spacing)

    @property
    def shape(self) -> tuple[int, int, int]:
        """As fields are stored: along z, x, y."""
        x, y, z = map(len, self.axes)
        return z, x, y

    @cached_property
    def frequencies(self) -> tuple[torch.Tensor, ...]:
        """Along x, y and z, 1/Å, in the order of an FFT; along y, stored last, the half that is not negative."""
        return tuple(2 * pi * (torch.fft.rfftfreq if axis is self.axes[1] else torch.fft.fftfreq)(
            len(axis), self.spacing, dtype=axis.dtype, device=axis.device) for axis in self.axes)


class Pyramid:
    """Scattering of molecules whose extent is `sides` (Å, 3). Other arguments as for `SolidHarmonicScattering`."""

    def __init__(self, sides, J: int, L: int, powers, width: float, spacing: float, order: int, like: torch.Tensor) -> None:
        self.J, self.L, self.powers, self.width, self.order = J, L, powers, width, order
        self.density_grid = Grid.around(sides, REACH * width, spacing / 2, like)
        self.grids = []
        for j in range(J + 1):
            sigma = width * 2**j
            reach = REACH * hypot(width, sigma, sigma / 2 if j and order == 2 else 0)
            self.grids.append(Grid.around(sides, reach, STEP * spacing * 2**j, like))

    def __call__(self, positions: torch.Tensor, charges: torch.Tensor) -> torch.Tensor:
        """(B, C, 1 + paths · (L + 1), Q) of positions (B, A, 3) and charges (B, C, A); differentiable."""
        positions = positions - (positions.amax(dim=1, keepdim=True) + positions.amin(dim=1, keepdim=True)) / 2
        density, = self._fields(self.density_grid, positions, charges, self.width, 0)
        density = density[:, :, :, :, 0] * (amplitude(0) / self.width**3)
        parts = [self._integrals(density.clamp_min(torch.finfo(density.dtype).tiny), self.density_grid)]  # ∂√ρ at ρ = 0
        moduli = []
        for j, grid in enumerate(self.grids):
            sigma = self.width * 2**j
            s = hypot(self.width, sigma)
            scale = [amplitude(l) * (sigma / s) ** l / s**3 for l in range(self.L + 1)]
            moduli.append([modulus(field * factor, dim=4) for field, factor in
                           zip(self._fields(grid, positions, charges, s, self.L), scale, strict=True)])
            parts += [self._integrals(U, grid) for U in moduli[j]]
        filters = {k: self._filters(self.grids[k], self.width * 2**k) for k in range(1, self.J + 1)} if self.order == 2 else {}
        for j, k in combinations(range(self.J + 1 if filters else 0), 2):
            matrices, grid = self._matrices(self.grids[j], self.grids[k]), self.grids[k]
            parts += [self._integrals(self._scatter(moduli[j][l], matrices, filters[k][l], l, grid), grid)
                      for l in range(self.L + 1)]
        return torch.stack(parts, dim=2)

    def memory(self, atoms: int, slopes: bool) -> int:
        """Bytes that one channel of one molecule takes at most; with slopes, what the way back needs is kept."""
        n, points, m = prod(self.density_grid.shape), [prod(grid.shape) for grid in self.grids], 2 * self.L + 1
        kept = (self.L + 1) * sum(points)
        if slopes:
            each = 3 * (self.L + 1) * (self.L + 2)
            kept = 4 * n + sum(size * each * (1 + k * (self.order - 1)) for k, size in enumerate(points))
        planes = max(x * y for _, x, y in (grid.shape for grid in self.grids)) * m * (self.L + 1) * atoms
        return self.density_grid.axes[0].element_size() * (kept + max(3 * n, 3 * m * max(points)) + planes)

    def _integrals(self, values: torch.Tensor, grid: Grid) -> torch.Tensor:
        return integrals(values, self.powers) * grid.spacing**3

    @staticmethod
    def _fields(grid: Grid, positions: torch.Tensor, charges: torch.Tensor, s: float, l_max: int):
        """Σ_a z_a |u|^l e^{−|u|²/2} Y_lm(û), u = (r − r_a)/s, for one l after the other: (B, C, n_z, n_x, 2l + 1, n_y)."""
        x, y, z = (axis_powers(l_max, (axis - positions[:, :, d, None]) / s) for d, axis in enumerate(grid.axes))
        z = z[:, None] * charges[..., None, None]
        return (solid_gaussians(l, x, y, z) for l in range(l_max + 1))

    def _filters(self, grid: Grid, sigma: float) -> list[torch.Tensor]:
        """ψ̂_jlm / (−i)^l at the frequencies of a grid: (2l + 1, n_z, n_x, n_y/2 + 1) for each l."""
        x, y, z = (axis_powers(self.L, k * sigma)[None, None] for k in grid.frequencies)
        return [solid_gaussians(l, x, y, z[:, None])[0, 0].movedim(2, 0).contiguous() * ((2 * pi) ** 1.5 * amplitude(l))
                for l in range(self.L + 1)]

    @staticmethod
    def _matrices(source: Grid, target: Grid) -> list[torch.Tensor]:
        """(frequencies of the target, points of the source) along x, y, z: the Fourier integral, over the target's voxel."""
        return [torch.exp(-1j * k[:, None] * (points - origin[0])) * (source.spacing / target.spacing)
                for k, points, origin in zip(target.frequencies, source.axes, target.axes, strict=True)]

    @staticmethod
    def _scatter(U: torch.Tensor, matrices: list[torch.Tensor], filters: torch.Tensor, l: int, grid: Grid) -> torch.Tensor:
        """(Σ_m |U * ψ_lm|²)^{1/2} on `grid`, of U (B, C, n_z, n_x, n_y) on its own."""
        to_x, to_y, to_z = matrices
        halved = U @ torch.view_as_real(to_y.mT.contiguous()).flatten(1)
        spectrum = to_x @ torch.view_as_complex(halved.unflatten(-1, (-1, 2)))
        spectrum = (to_z * (1, -1j)[l % 2] @ spectrum.flatten(-2)).unflatten(-1, spectrum.shape[-2:])
        fields = torch.fft.irfftn(spectrum[:, :, None] * filters, s=grid.shape, dim=(-3, -2, -1))
        return modulus(fields, dim=2)
