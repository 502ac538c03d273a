"""Convolution on any surface: each vertex listens to its neighbours, after every arrow was carried over to its own frame.

A feature is of order m: turn the frame by γ, and it turns by −mγ. Order 0 is a number, order 1 an arrow, order 2 a rod with two
like ends. ρ(γ) turns features of all orders, those of order m by mγ.

    f′_p = K_self f_p + 1/|N_p| Σ_{q ∈ N_p} K(θ_pq) ρ(g_{q→p}) f_q,        K(θ + γ) = ρ(γ) K(θ) ρ(−γ),   ρ K_self = K_self ρ

with θ_pq and g_{q→p} of `surfaces` (de Haan, Weiler, Cohen & Welling, ICLR 2021, arXiv 2003.05425). Every solution K is
ρ(θ) W ρ(−θ) with a matrix W: turn into the frame in which the edge points at 0°, mix freely, turn back. So from one order to
another there is 1 weight where both are 0, 2 where one is, and 4 where neither is. K_self joins like orders alone: by 1 weight
for m = 0, and by 2 else, a multiple of 1 and one of the turn by 90°, for that is all that commutes with turns. The mean over
neighbours, where the paper has the sum, is ours: it keeps sizes where vertices have many of them.
"""

from collections.abc import Sequence
from functools import cached_property
from math import sqrt

import numpy as np
import torch
from torch.nn.functional import pad, silu

from course_lib.equivariant.signals import SignalNetwork
from course_lib.equivariant.surfaces import edges, log_map, tangent_frames, transporters, vertex_normals


def turn(fields: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """ρ(angles) fields: (…, N, C, 1 + 2 m_max), order 0, then pairs of order 1, 2, …, by angles (N,)."""
    pairs = fields[..., 1:].unflatten(-1, (-1, 2))
    orders = torch.arange(1, pairs.shape[-2] + 1, device=angles.device)
    c, s = (f(angles[:, None] * orders)[:, None] for f in (torch.cos, torch.sin))
    x, y = pairs.unbind(-1)
    return torch.cat([fields[..., :1], torch.stack([c * x - s * y, s * x + c * y], dim=-1).flatten(-2)], dim=-1)


class MeshConvolution(torch.nn.Module):
    """Fields (…, V, C_in, 1 + 2 m_in) to (…, V, C_out, 1 + 2 m_out), m_in and m_out being the highest orders."""

    def __init__(self, C_in: int, C_out: int, m_in: int, m_out: int) -> None:
        super().__init__()
        d_in, d_out = 1 + 2 * m_in, 1 + 2 * m_out
        self.C_out, self.d_out, self.both = C_out, d_out, min(m_in, m_out)
        self.W = torch.nn.Parameter(torch.randn(C_in * d_in, C_out * d_out) / sqrt(C_in * d_in))
        self.a = torch.nn.Parameter(torch.randn(1 + self.both, C_in, C_out) / sqrt(C_in))
        self.b = torch.nn.Parameter(torch.randn(self.both, C_in, C_out) / sqrt(C_in))

    def forward(self, fields: torch.Tensor, senders: torch.Tensor, receivers: torch.Tensor, theta: torch.Tensor,
                g: torch.Tensor) -> torch.Tensor:
        ahead = turn(fields.index_select(-3, senders), g - theta).flatten(-2)
        messages = turn((ahead @ self.W).unflatten(-1, (self.C_out, self.d_out)), theta)
        own = self._self(fields)
        counts = receivers.bincount(minlength=fields.shape[-3]).clamp(min=1).to(fields.dtype)
        return own + torch.zeros_like(own).index_add(-3, receivers, messages) / counts[:, None, None]

    def _self(self, fields: torch.Tensor) -> torch.Tensor:
        """K_self fields."""
        parts = [torch.einsum("...cd,ck->...kd", fields[..., :1], self.a[0])]
        for m in range(1, self.both + 1):
            pair = fields[..., 2 * m - 1:2 * m + 1]
            turned = torch.stack([-pair[..., 1], pair[..., 0]], dim=-1)
            both, weights = torch.cat([pair, turned], dim=-2), torch.cat([self.a[m], self.b[m - 1]])
            parts.append(torch.einsum("...cd,ck->...kd", both, weights))
        own = torch.cat(parts, dim=-1)
        return pad(own, (0, self.d_out - own.shape[-1]))


class NormNonlinearity(torch.nn.Module):
    """SiLU for order 0; features of other orders keep their direction, and their length is scaled by σ(w |f| + b).

    Equivariant under every turn. (The paper samples features at N angles and applies ReLU there: exact for N turns only.)
    """

    def __init__(self, C: int, m: int) -> None:
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(C, 1 + m))
        self.slope = torch.nn.Parameter(torch.ones(C, m))

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        pairs = fields[..., 1:].unflatten(-1, (-1, 2))
        lengths = (pairs.square().sum(dim=-1) + 1e-12).sqrt()
        scaled = pairs * torch.sigmoid(self.slope * lengths + self.bias[:, 1:])[..., None]
        return torch.cat([silu(fields[..., :1] + self.bias[:, :1]), scaled.flatten(-2)], dim=-1)


class MeshNetwork(SignalNetwork):
    """Classes of scalar signals on one surface, given at its vertices: scores (M, outputs).

    outputs: number of classes
    vertices (V, 3), faces (F, 3): the mesh, closed or not, counterclockwise seen from outside
    channels: of each layer
    order: the highest order of features between the layers; the last has order 0
    gauge: (V,) angles by which each frame is turned, radians. Nothing it gives depends on them

    `trunk` gives the last scalars at every vertex, their mean and a linear map the scores.
    """

    def __init__(self, outputs: int, vertices: np.ndarray, faces: np.ndarray, channels: Sequence[int] = (8, 8), order: int = 2,
                 gauge: np.ndarray | float = 0.0) -> None:
        super().__init__()
        self.outputs, self.vertices, self.faces, self.channels = outputs, vertices, faces, channels
        self.order, self.gauge = order, gauge
        if not len(channels) or order < 0:
            raise ValueError(f"channels are {channels} and order is {order}; give one layer or more, and 0 or more")
        orders = [0] + [order] * (len(channels) - 1) + [0]
        sizes = list(zip([1, *channels[:-1]], channels, orders[:-1], orders[1:], strict=True))
        self.convolutions = torch.nn.ModuleList(MeshConvolution(*size) for size in sizes)
        self.nonlinearities = torch.nn.ModuleList(NormNonlinearity(C, m) for _, C, _, m in sizes)
        self.head = torch.nn.Linear(channels[-1], outputs)
        for name, values in zip(("senders", "receivers", "theta", "g"), self._geometry, strict=True):
            values = torch.from_numpy(values)
            self.register_buffer(name, values.to(torch.get_default_dtype()) if name in ("theta", "g") else values, False)

    @cached_property
    def frames(self) -> np.ndarray:
        """(V, 2, 3) the frames, from which nothing follows."""
        return tangent_frames(vertex_normals(np.asarray(self.vertices), np.asarray(self.faces)), self.gauge)

    @property
    def _geometry(self) -> tuple[np.ndarray, ...]:
        q, p = edges(np.asarray(self.faces))
        return q, p, log_map(np.asarray(self.vertices), self.frames, q, p), transporters(self.frames, q, p)

    @property
    def size(self) -> int:
        return len(self.vertices)

    def trunk(self, signals: torch.Tensor) -> torch.Tensor:
        """(M, V, C) scalars of signals (M, V)."""
        fields = signals[..., None, None]
        for convolution, nonlinearity in zip(self.convolutions, self.nonlinearities, strict=True):
            fields = nonlinearity(convolution(fields, self.senders, self.receivers, self.theta, self.g))
        return fields[..., 0]

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(signals).mean(dim=1))
