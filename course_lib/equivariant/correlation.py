"""Correlation on the sphere and on SO(3): how much does a signal look like a filter, turned in every possible way?

    [ψ ⋆ f](R) = Σ_c ∫ ψ_c(R⁻¹ r̂) f_c(r̂) dr̂       of signals on S²
    [ψ ⋆ F](R) = Σ_c ∫ ψ_c(R⁻¹ Q) F_c(Q) dQ        of signals on SO(3), ∫ dQ = 1

Turn the signal by S, and the answer is the old one at S⁻¹R: equivariance, for any filter. Both answers are functions on SO(3),
for a filter that is turned about its own axis is another filter. After a Fourier transform they are products, degree by degree,

    (ψ ⋆ f)^l = Σ_c f̂_c^l (ψ̂_c^l)ᵀ / (2l + 1)   and   (ψ ⋆ F)^l = Σ_c F̂_c^l (ψ̂_c^l)ᵀ,

of a column with a row and of matrices (Cohen, Geiger, Köhler & Welling, ICLR 2018, arXiv 1801.10130, eqs. 4 to 7; 2l + 1 is
there in another place, by another normalisation). No integral is left, and nothing is approximate. A filter that is symmetric
about its axis, ψ̂_n = 0 but for n = 0, answers with a function on the sphere again: that is the layer of Esteves,
Allen-Blanchette, Makadia & Daniilidis, ECCV 2018, arXiv 1711.06721.
"""

from functools import cache
from math import sqrt

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from course_lib.equivariant.rotation_fourier import matrix_places
from course_lib.symmetry import spherical_harmonics, wigner_D


class SphereCorrelation(torch.nn.Module):
    """From coefficients (M, c_in, (l + 1)²) of signals on the sphere, l ≥ l_max, to (M, c_out, Σ (2l + 1)²) of those on SO(3).

    A filter is local, as in the paper: a sum of bumps at the `near_identity` places within `reach` (radians) of the pole, with
    `weight` (c_in, c_out, places). A bump is a Gaussian, exp(−l(l + 1)/l_max(l_max + 1)) of each degree l: cut off without
    that, it would ring all over the sphere, and a nonlinearity would make more of the degrees that no grid can hold.
    """

    def __init__(self, c_in: int, c_out: int, l_max: int, reach: float = 0.7) -> None:
        super().__init__()
        self.l_max, self.reach = l_max, reach
        self.weight = torch.nn.Parameter(torch.randn(c_in, c_out, len(near_identity(reach))))

    @property
    def filters(self) -> torch.Tensor:
        """ψ̂ (c_in, c_out, (l_max + 1)²)."""
        bumps = _bumps(self.reach, 0, self.l_max, self.weight.dtype, self.weight.device)
        return self.weight @ bumps / sqrt(len(self.weight))

    def forward(self, f: torch.Tensor) -> torch.Tensor:
        psi, blocks = self.filters, []
        for l in range(self.l_max + 1):
            degree = slice(l * l, (l + 1) ** 2)
            block = torch.einsum("Mcm,cdn->Mdmn", f[..., degree], psi[..., degree])
            blocks.append(block.flatten(2) / (2 * l + 1))
        return torch.cat(blocks, dim=2)


class RotationCorrelation(torch.nn.Module):
    """From coefficients (M, c_in, Σ (2l + 1)²) of signals on SO(3) to (M, c_out, Σ (2l + 1)²), both up to l_max.

    A filter is a sum of bumps at the same places, each with `twists` turns about its axis: `weight` (c_in, c_out,
    places · twists).
    """

    def __init__(self, c_in: int, c_out: int, l_max: int, reach: float = 0.7, twists: int = 6) -> None:
        super().__init__()
        self.l_max, self.reach, self.twists = l_max, reach, twists
        self.weight = torch.nn.Parameter(torch.randn(c_in, c_out, len(near_identity(reach, twists))))

    @property
    def filters(self) -> torch.Tensor:
        """ψ̂ (c_in, c_out, Σ (2l + 1)²)."""
        bumps = _bumps(self.reach, self.twists, self.l_max, self.weight.dtype, self.weight.device)
        return self.weight @ bumps / sqrt(len(self.weight))

    def forward(self, F: torch.Tensor) -> torch.Tensor:
        M, filters, blocks = len(F), self.filters, []
        for l, place in enumerate(matrix_places(self.l_max)):
            size, psi = 2 * l + 1, filters[..., place].unflatten(2, (2 * l + 1, 2 * l + 1))            # (c, d, m, n)
            rows = F[..., place].reshape(M, -1, size, size).transpose(1, 2).reshape(M * size, -1)      # (M and k, c and n)
            block = rows @ psi.permute(0, 3, 1, 2).reshape(rows.shape[1], -1)                          # (M and k, d and m)
            blocks.append(block.view(M, size, -1, size).transpose(1, 2).flatten(2))
        return torch.cat(blocks, dim=2)


def near_identity(reach: float, twists: int = 1, rings: int = 2) -> np.ndarray:
    """Rotations (places · twists, 3, 3) that tilt the pole: not at all, to 6 places at half the reach, to 12 at the reach."""
    tilts = [(0.0, 0.0)] + [(reach * ring / rings, 2 * np.pi * k / (6 * ring)) for ring in range(1, rings + 1)
                            for k in range(6 * ring)]
    turns = 2 * np.pi * np.arange(twists) / twists
    return Rotation.from_euler("ZYZ", [(alpha, beta, turn - alpha) for beta, alpha in tilts for turn in turns]).as_matrix()


@cache
def _bumps(reach: float, twists: int, l_max: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Coefficients of the bump at each place, of mean square 1/places: on SO(3), or for no twists on the sphere."""
    rotations, degrees = near_identity(reach, max(twists, 1)), np.arange(l_max + 1)
    if twists:
        bumps = np.hstack([wigner_D(l, rotations).reshape(len(rotations), -1) for l in degrees])
        degrees = np.repeat(degrees, (2 * degrees + 1) ** 2)
        measure = 2 * degrees + 1
    else:
        bumps = spherical_harmonics(l_max, rotations[:, :, 2])
        degrees, measure = np.repeat(degrees, 2 * degrees + 1), 1 / (4 * np.pi)
    bumps = bumps * np.exp(-degrees * (degrees + 1) / max(l_max * (l_max + 1), 1))
    bumps /= np.sqrt((bumps**2 * measure).sum(axis=1, keepdims=True) * len(rotations))
    return torch.tensor(bumps, dtype=dtype, device=device)


class RotationNorm(torch.nn.Module):
    """Batch normalisation of signals on SO(3) (M, c, Σ (2l + 1)²) by their coefficients: each channel of mean 0, variance 1.

    Mean and variance are those over the batch and all rotations, by Haar measure. Of one signal the mean is F̂⁰ and the mean
    square, by Parseval's theorem, Σ (2l + 1) |F̂^l|², and both are the same for the turned signal. Then a factor and a constant
    are learned. Outside of training running means over batches take their place (Ioffe & Szegedy, ICML 2015, arXiv 1502.03167).
    """

    def __init__(self, channels: int, l_max: int, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.factor, self.constant = torch.nn.Parameter(torch.ones(channels)), torch.nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        degrees = [torch.full(((2 * l + 1) ** 2,), 2.0 * l + 1) for l in range(l_max + 1)]
        self.register_buffer("weights", torch.cat(degrees), persistent=False)

    def forward(self, F: torch.Tensor) -> torch.Tensor:
        mean, variance = self.mean, self.variance
        if self.training:
            mean = F[..., 0].mean(dim=0)
            variance = (F.square() @ self.weights).mean(dim=0) - mean.square()
            with torch.no_grad():
                self.mean.lerp_(mean, self.momentum)
                self.variance.lerp_(variance, self.momentum)
        factor = self.factor / (variance + self.epsilon).sqrt()
        scaled = F * factor[:, None]
        return torch.cat([scaled[..., :1] + (self.constant - mean * factor)[:, None], scaled[..., 1:]], dim=2)
