"""Solid harmonic scattering of any density given on voxels, in pixels and with sums for integrals, as kymatio does it.

    S[j,l] = Σ_r U[j,l](r)^q,  S[j,j',l] = Σ_r (U[j',l] U[j,l])(r)^q,  U[j,l]ρ = (Σ_m |ρ * ψ_jlm|²)^{1/2}

on a periodic grid, with filters sampled at k = 2πn/N, −N/2 ≤ n < N/2 (Andreux et al., JMLR 21, 60 (2020)). Harmonics are real,
so that two fields pass through one complex transform: half the work of complex harmonics.
"""

from collections.abc import Sequence
from itertools import combinations
from math import exp, pi, sqrt

import numpy as np
import torch

from course_lib.scattering.wavelets import amplitude, integrals, solid_harmonic


class VoxelScattering:
    """Scattering of real densities on a grid of `shape` voxels.

    J, L: scales σ_j = 2^j `width`, j = 0 … J, and degrees l = 0 … L
    width: σ_0 in voxels
    powers: q of the sums
    order: convolutions, 1 or 2
    """

    def __init__(self, shape: tuple[int, int, int], J: int, L: int, width: float = 1.0,
                 powers: Sequence[float] = (0.5, 1, 2), order: int = 2, dtype: str = "float32") -> None:
        if len(shape) != 3 or min(shape) < 2 or J < 0 or L < 0 or width <= 0 or order not in (1, 2) or not len(powers):
            raise ValueError(f"shape {shape}, J={J}, L={L}, width={width}, order={order}, powers={powers}: a shape is three "
                             "sides of two voxels or more, J and L are 0 or more, width is positive, order 1 or 2")
        self.shape, self.J, self.L, self.width, self.powers, self.order = tuple(shape), J, L, width, powers, order
        self.dtype = getattr(torch, dtype)
        self._k = [torch.as_tensor(2 * pi * np.fft.fftfreq(n)) for n in self.shape]
        self._gaussians = [self._gaussian(width * 2**j) for j in range(J + 1)]
        opposite = [torch.where(k == -pi, pi, k) for k in self._k]
        self._harmonics = [self._pack(*(self._polynomials(l, k) for k in (self._k, opposite))) for l in range(L + 1)]

    def __call__(self, densities: torch.Tensor) -> torch.Tensor:
        """(B, P, L + 1, Q) of B densities (B, n_x, n_y, n_z): P = J + 1 first orders, then pairs j < j' in ascending order."""
        if densities.shape[1:] != self.shape:
            raise ValueError(f"densities have shape {tuple(densities.shape)}; (B, {', '.join(map(str, self.shape))}) is needed")
        return torch.stack([self._scatter(density.to(self.dtype)) for density in densities])

    @torch.no_grad()
    def _scatter(self, density: torch.Tensor) -> torch.Tensor:
        work = Workspace(self.shape, density)
        spectra, first, second = [torch.fft.fftn(density)] * (self.L + 1), [], []
        for j in range(self.J + 1):
            moduli = self._moduli(spectra, j, work)
            first.append(self._sums(moduli))
            if self.order == 2 and j < self.J:
                inner = [torch.fft.fftn(moduli.pop(0)) for _ in range(self.L + 1)]
                second += [self._sums(self._moduli(inner, k, work)) for k in range(j + 1, self.J + 1)]
        return torch.stack(first + second)

    def _moduli(self, spectra: list[torch.Tensor], j: int, work: "Workspace") -> list[torch.Tensor]:
        """(Σ_m |f_m|²)^{1/2} for every l, of the fields f_m whose Fourier transforms are `spectra[l]` times those of ψ_jlm.

        Without the factor (−i)^l of ψ̂ an even l gives real fields and an odd one imaginary fields: two pass together.
        """
        sigma, gaussian, squares = self.width * 2**j, self._gaussians[j], []
        for l in range(0, self.L + 1, 2):
            torch.mul(spectra[l], self._harmonics[l][0], out=work.product)
            if l < self.L:
                work.product.add_(torch.mul(spectra[l + 1], self._harmonics[l + 1][0], out=work.blurred))
            field = torch.fft.ifftn(work.product.mul_(gaussian))
            squares += [field.real.square(), field.imag.square()][:self.L + 1 - l]
        for l in range(1, self.L + 1):
            if l == 1 or spectra[l] is not spectra[l - 1]:
                torch.mul(spectra[l], gaussian, out=work.blurred)
            _, pairs, edges = self._harmonics[l]
            for place, pair in enumerate(pairs):
                fields = torch.view_as_real(torch.fft.ifftn(torch.mul(work.blurred, pair, out=work.product)))
                torch.mul(fields, fields, out=work.both) if place == 0 else work.both.addcmul_(fields, fields)
            if len(pairs):
                squares[l].add_(work.both[..., 0]).add_(work.both[..., 1])
            if self._edge_weight(l, sigma) > 10 * torch.finfo(self.dtype).eps:
                self._add_edges(squares[l], work.blurred, edges, l)
        return [square.sqrt_().mul_(sigma**l) for l, square in enumerate(squares)]

    def _sums(self, moduli: list[torch.Tensor]) -> torch.Tensor:
        """Σ U^q (L + 1, Q), slab by slab: powers of a slab stay in the processor's cache."""
        slab = max(1, 2**16 // moduli[0][0].numel())
        return torch.stack([sum(integrals(part, self.powers) for part in U.split(slab)) for U in moduli])

    def _gaussian(self, sigma: float) -> torch.Tensor:
        x, y, z = (torch.exp(-0.5 * (sigma * k) ** 2) for k in self._k)
        return (x[:, None, None] * y[:, None] * z).to(self.dtype.to_complex())  # what is real would be made so at every product

    @staticmethod
    def _edge_weight(l: int, sigma: float) -> float:
        """How much of a filter stands at k = π, beside its maximum."""
        at = max(sigma * pi, sqrt(l))
        return (at / sqrt(l)) ** l * exp((l - at**2) / 2)

    @staticmethod
    def _add_edges(squares: torch.Tensor, blurred: torch.Tensor, edges: dict[int, torch.Tensor], l: int) -> None:
        """Filters not symmetric at the edge k = −π of the zone also fill the other part, imaginary or real, of a field: there
        f_m = Σ_d (−1)^{r_d} p_md, with p_md a function of the two coordinates beside d. Adds Σ_m f_m².
        """
        planes = {}
        for d, edge in edges.items():
            field = torch.fft.ifftn(blurred.select(d, blurred.shape[d] // 2) * edge, dim=(1, 2)) / blurred.shape[d]
            planes[d] = field.real if l % 2 else field.imag
        for d, plane in planes.items():
            squares.add_(plane.square().sum(dim=0).unsqueeze(d))
        for d, e in combinations(planes, 2):
            first, second = ("xyz".replace("xyz"[axis], "") for axis in (d, e))
            ours, theirs = planes[d].clone(), planes[e].clone()
            ours.movedim(1 + first.index("xyz"[e]), 0)[1::2] *= -1
            theirs.movedim(1 + second.index("xyz"[d]), 0)[1::2] *= -1
            squares.add_(torch.einsum(f"m{first},m{second}->xyz", ours, theirs), alpha=2)

    def _polynomials(self, l: int, k: list[torch.Tensor]) -> torch.Tensor:
        """(2π)^{3/2} c_l |k|^l Y_lm(k̂): (2l + 1, n_x, n_y, n_z)."""
        out = torch.zeros(2 * l + 1, *self.shape, dtype=self.dtype)
        for m, a, b, c in zip(*np.nonzero(solid_harmonic(l)), strict=True):
            factor = (2 * pi) ** 1.5 * amplitude(l) * solid_harmonic(l)[m, a, b, c]
            out[m] += (factor * k[0][:, None, None] ** a * k[1][:, None] ** b * k[2] ** c).to(self.dtype)
        return out

    def _pack(self, below: torch.Tensor, above: torch.Tensor) -> tuple[
            torch.Tensor, torch.Tensor, dict[int, torch.Tensor]]:
        """Filters with k = −π and with +π at the edge, as their mean, which is what makes real fields real, and their
        difference there: one harmonic alone, the others in pairs, and planes.
        """
        rest = above.sub_(below).div_(-2)  # in place: at their making filters take the most memory
        mean = below.sub_(rest)
        edges = {}
        for d in (d for d, n in enumerate(self.shape) if n % 2 == 0):
            edges[d] = rest.select(1 + d, self.shape[d] // 2).clone()
            rest.select(1 + d, self.shape[d] // 2).zero_()
        return mean[0].to(self.dtype.to_complex()), torch.complex(mean[1::2], mean[2::2]), edges


class Workspace:
    """Arrays used over and over: fresh ones of this size cost as much time as a transform."""

    def __init__(self, shape: tuple[int, int, int], like: torch.Tensor) -> None:
        self.blurred, self.product = (like.new_empty(shape, dtype=like.dtype.to_complex()) for _ in range(2))
        self.both = like.new_empty((*shape, 2))
