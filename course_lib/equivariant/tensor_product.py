"""The tensor product of features with filters, summed over neighbours: what a tensor field network convolves with.

Features of a label (l, p) are 2l + 1 numbers that turn with the Wigner matrix D^l and get the sign p under inversion: 0e is a
scalar, 1o a vector, 1e a pseudovector. A filter is a radial function times a harmonic, and a message its product with what
the neighbour j of atom i carries, of every path (l₁p₁, l₂p₂) → (l, p) with |l₁ − l₂| ≤ l ≤ l₁ + l₂ and p = p₁p₂:

    m_i^{lp, path}_kc = Σ_j w^path_c(r_ij) Σ_ab C^{l₁l₂l}_abk x_jac Y^{l₂}_b(r̂_ij)

(Thomas et al., arXiv 1802.08219). Channels c do not mix here. Components are those of e3nn (Geiger & Smidt, arXiv 2207.09453):
the polar axis is y, so that l = 1 is (x, y, z); harmonics have |Y_l|² = 2l + 1, couplings Σ_ab C²_abk = 1. One set of features
is one tensor (N, D, C): the components of all its labels side by side, D = Σ (2l + 1), each with C channels.
"""

from functools import cache
from math import sqrt
from typing import NamedTuple

import numpy as np
import torch

from course_lib.symmetry import clebsch_gordan, to_e3nn


class Label(NamedTuple):
    """How 2l + 1 numbers answer a rotation (by D^l) and the inversion (by the sign p)."""

    l: int
    p: int

    def __str__(self) -> str:
        return f"{self.l}{'e' if self.p > 0 else 'o'}"

    @property
    def dim(self) -> int:
        return 2 * self.l + 1


Labels = tuple[Label, ...]


def harmonic_labels(l_max: int, parity: bool = True) -> Labels:
    """0e, 1o, 2e … of the harmonics; without `parity` all are called even, and what is made of them answers rotations only."""
    return tuple(Label(l, (-1) ** l if parity else 1) for l in range(l_max + 1))


def feature_labels(l_max: int, parity: bool = True) -> Labels:
    """Labels of both parities up to l_max, 0e 0o 1e 1o …; without `parity` one of each degree."""
    return tuple(Label(l, p) for l in range(l_max + 1) for p in ((1, -1) if parity else (1,)))


_theirs = cache(to_e3nn)


@cache
def coupling(l1: int, l2: int, l: int) -> np.ndarray:
    """C (2l₁ + 1, 2l₂ + 1, 2l + 1): `clebsch_gordan` in e3nn's components, which is √(2l + 1) times e3nn's `wigner_3j`."""
    turns = map(_theirs, (l1, l2, l))
    return np.einsum("abc,ia,jb,kc->ijk", clebsch_gordan(l1, l2, l), *turns, optimize=True)


def harmonics(vectors: torch.Tensor, l_max: int) -> torch.Tensor:
    """Y_l of the directions of vectors (E, 3), l ≤ l_max: (E, (l_max + 1)²), each coupled from Y_1 and the one below it."""
    first = sqrt(3) * vectors / vectors.norm(dim=1, keepdim=True)
    degrees = [torch.ones_like(first[:, :1]), first][:l_max + 1]
    for l in range(2, l_max + 1):
        C = torch.as_tensor(coupling(1, l - 1, l)).to(first) / _stretched(l)
        degrees.append((first[:, :, None] * degrees[-1][:, None]).flatten(1) @ C.flatten(0, 1))
    return torch.cat(degrees, dim=1)


@cache
def _stretched(l: int) -> float:
    """The component along y of Y_1 ⊗ Y_{l−1} → l at r̂ = y, over √(2l + 1)."""
    return coupling(1, l - 1, l)[1, l - 1, l] * sqrt(3 * (2 * l - 1) / (2 * l + 1))


class Convolution:
    """m of the module's docstring: every path from `inputs` and `filters` to one of `outputs`, which are kept in their order.

    paths: for each output that can be reached, its pairs (input, filter); `n_paths` of them in all
    """

    def __init__(self, inputs: Labels, filters: Labels, outputs: Labels) -> None:
        self.inputs, self.filters = inputs, filters
        reached = {out: tuple((a, b) for a in inputs for b in filters if abs(a.l - b.l) <= out.l <= a.l + b.l
                              and a.p * b.p == out.p) for out in outputs}
        self.paths = {out: pairs for out, pairs in reached.items() if pairs}
        self.outputs, self.n_paths = tuple(self.paths), sum(map(len, self.paths.values()))

    def __call__(self, x: torch.Tensor, Y: torch.Tensor, weights: torch.Tensor, senders: torch.Tensor,
                 receivers: torch.Tensor) -> list[torch.Tensor]:
        """For each of `outputs` a block (N, 2l + 1, paths · C), of features x (N, D, C), harmonics Y (E, Σ (2l₂ + 1)) and
        weights (E, n_paths · C) of the edges, in the order of `paths`.
        """
        E, D, C = len(Y), *x.shape[1:]
        table = _coupling_table(self.inputs, self.filters, tuple(self.paths.items()), Y.dtype, Y.device)
        products = torch.bmm((Y @ table).view(E, table.shape[1] // D, D), x.index_select(0, senders))
        sizes = [(out.dim, len(pairs)) for out, pairs in self.paths.items()]
        blocks = []
        for (dim, n), part, w in zip(sizes, products.split([dim * n for dim, n in sizes], dim=1),
                                     weights.split([n * C for _, n in sizes], dim=1), strict=True):
            messages = part.reshape(E, dim, n * C) * w[:, None]
            blocks.append(messages.new_zeros(len(x), dim, n * C).index_add(0, receivers, messages))
        return blocks


@cache
def _coupling_table(inputs: Labels, filters: Labels, paths: tuple, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """The C of all paths (Σ (2l₂ + 1), rows · D): row (out, k, path) of x's components a holds Σ_b C_abk Y_b."""
    a, b = places(inputs), places(filters)
    D, F = a[inputs[-1]].stop, b[filters[-1]].stop
    rows = []
    for out, pairs in paths:
        block = np.zeros((F, out.dim, len(pairs), D))
        for path, (feature, harmonic) in enumerate(pairs):
            block[b[harmonic], :, path, a[feature]] = coupling(feature.l, harmonic.l, out.l).transpose(1, 2, 0)
        rows.append(block.reshape(F, -1, D))
    return torch.as_tensor(np.concatenate(rows, axis=1).reshape(F, -1), dtype=dtype, device=device)


def places(labels: Labels) -> dict[Label, slice]:
    """Where among D components each label has its own."""
    ends = np.cumsum([label.dim for label in labels]).tolist()
    return {label: slice(end - label.dim, end) for label, end in zip(labels, ends, strict=True)}
