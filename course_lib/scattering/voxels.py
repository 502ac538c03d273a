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
        opposite = [torch.where(k == -pi, pi, k) for k in self._k]
        self._harmonics = [self._pack(*(self._polynomials(l, k) for k in (self._k, opposite))) for l in range(L + 1)]

    def __call__(self, densities: torch.Tensor) -> torch.Tensor:
        """(B, P, L + 1, Q) of B densities (B, n_x, n_y, n_z): P = J + 1 first orders, then pairs j < j' in ascending order."""
        if densities.shape[1:] != self.shape:
            raise ValueError(f"densities have shape {tuple(densities.shape)}; (B, {', '.join(map(str, self.shape))}) is needed")
        return torch.stack([self._scatter(density.to(self.dtype)) for density in densities])

    @torch.no_grad()
    def _scatter(self, density: torch.Tensor) -> torch.Tensor:
        """Two degrees at a time: the less memory is alive, the less of it the system takes back and clears anew."""
        work, widths = Workspace(self.shape, density), [self.width * 2**j for j in range(self.J + 1)]
        table = {path: [] for n in range(1, self.order + 1) for path in combinations(range(self.J + 1), n)}
        spectrum = self._spectrum(density)
        for j, sigma in enumerate(widths):
            self._blur([spectrum], widths[j - 1] if j else 0, sigma, work)
            for degrees in (range(l, min(l + 2, self.L + 1)) for l in range(0, self.L + 1, 2)):
                moduli = self._moduli([spectrum] * len(degrees), degrees, sigma, work)
                table[j,] += self._sums(moduli)
                if self.order == 2 and j < self.J:
                    inner, reached = [self._spectrum(moduli.pop(0)) for _ in degrees], 0
                    for k in range(j + 1, self.J + 1):
                        self._blur(inner, reached, widths[k], work)
                        table[j, k] += self._sums(self._moduli(inner, degrees, widths[k], work))
                        reached = widths[k]
        return torch.stack([torch.stack(sums) for sums in table.values()])

    def _spectrum(self, field: torch.Tensor) -> torch.Tensor:
        """Fourier transform over the number of voxels. Of a complex copy: torch completes a real one's in twice the time."""
        return torch.fft.fftn(field.to(self.dtype.to_complex()), norm="forward")

    def _blur(self, spectra: list[torch.Tensor], reached: float, sigma: float, work: "Workspace") -> None:
        """Takes spectra that bear a Gaussian of width `reached` to a width of `sigma`, in place."""
        x, y, z = (torch.exp((reached**2 - sigma**2) / 2 * k**2).to(self.dtype.to_complex()) for k in self._k)
        torch.mul(x[:, None, None] * y[:, None], z, out=work.product)
        for spectrum in spectra:
            spectrum.mul_(work.product)

    def _moduli(self, blurred: list[torch.Tensor], degrees: range, sigma: float, work: "Workspace") -> list[torch.Tensor]:
        """(Σ_m |f_m|²)^{1/2} of an even degree and the next, for fields f_m with Fourier transforms `blurred` times |k|^l Y_lm.

        Without the factor (−i)^l of ψ̂ an even l gives real fields and an odd one imaginary fields: two pass together.
        """
        work.product.zero_()
        for l, spectrum in zip(degrees, blurred, strict=True):
            work.product.addcmul_(spectrum, self._harmonics[l][0])
        field = torch.fft.ifftn(work.product, norm="forward")
        squares = [part.square() for part in (field.real, field.imag)[:len(degrees)]]
        for l, spectrum, square in zip(degrees, blurred, squares, strict=True):
            _, pairs, edges = self._harmonics[l]
            if l and self._edge_weight(l, sigma) > 10 * torch.finfo(self.dtype).eps:
                self._add_edges(square, spectrum, edges, l)
            for place, pair in enumerate(pairs):
                field = torch.view_as_real(torch.fft.ifftn(torch.mul(spectrum, pair, out=work.product), norm="forward"))
                torch.mul(field, field, out=work.both) if place == 0 else work.both.addcmul_(field, field)
            if len(pairs):
                scale = sigma ** (2 * l)
                square.view(-1).addmv_(work.both.view(-1, 2), work.ones, alpha=scale, beta=scale)
        return [square.sqrt_() for square in squares]

    def _sums(self, moduli: list[torch.Tensor]) -> list[torch.Tensor]:
        """Σ U^q (Q) of every U, slab by slab: powers of a slab stay in the processor's cache."""
        slab = max(1, 2**16 // moduli[0][0].numel())
        return [sum(integrals(part, self.powers) for part in U.split(slab)) for U in moduli]

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
            field = torch.fft.ifftn(blurred.select(d, blurred.shape[d] // 2) * edge, dim=(1, 2), norm="forward")
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
        self.product = like.new_empty(shape, dtype=like.dtype.to_complex())
        self.both, self.ones = like.new_empty((*shape, 2)), like.new_ones(2)
