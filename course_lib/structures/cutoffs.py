"""Cutoff functions: how a neighbour fades away, from 1 at `onset` and nearer to 0 at `cutoff` and beyond.

Each is a function f(t) of the progress t = (r − onset) / (cutoff − onset), held within [0, 1], and takes distances in Å as a
NumPy array or a torch tensor of any shape. The energy of a model is as smooth as its cutoff function.
"""

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from course_lib.structures.graphs import check_cutoff

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array", np.ndarray, "torch.Tensor")


def library_of(array: Array) -> ModuleType:
    """`torch` for a tensor, else `numpy`: the functions used here have one name and meaning in both."""
    return sys.modules["torch"] if hasattr(array, "detach") else np


@dataclass(frozen=True)
class CutoffFunction(ABC):
    """Raises ValueError unless cutoff is positive and finite and 0 ≤ onset < cutoff (Å)."""

    cutoff: float
    onset: float = field(default=0.0, kw_only=True)

    def __post_init__(self):
        check_cutoff(self.cutoff)
        if not 0 <= self.onset < self.cutoff:
            raise ValueError(f"the onset must lie between 0 and the cutoff of {self.cutoff} Å, got {self.onset}.")

    def __call__(self, distances: Array) -> Array:
        """f(r), the shape of `distances`."""
        return self.shape(self._progress(distances))

    def derivative(self, distances: Array) -> Array:
        """df/dr in 1/Å, the shape of `distances`."""
        progress = self._progress(distances)
        return self.slope(progress) * (progress < 1) / (self.cutoff - self.onset)

    def _progress(self, distances: Array) -> Array:
        return library_of(distances).clip((distances - self.onset) / (self.cutoff - self.onset), 0, 1)

    @abstractmethod
    def shape(self, t: Array) -> Array:
        """f(t) for t in [0, 1]."""

    @abstractmethod
    def slope(self, t: Array) -> Array:
        """df/dt for t in [0, 1]."""


class CosineCutoff(CutoffFunction):
    """½ (1 + cos πt): Behler and Parrinello, Phys. Rev. Lett. 98, 146401 (2007), who have onset 0.

    With onset = cutoff − w it is the shifted cosine of transition width w of GAP and featomic. Once continuously
    differentiable: the force of a model made of it has a kink at the cutoff.
    """

    def shape(self, t):
        return 0.5 * (1 + library_of(t).cos(np.pi * t))

    def slope(self, t):
        return -0.5 * np.pi * library_of(t).sin(np.pi * t)


@dataclass(frozen=True)
class PolynomialCutoff(CutoffFunction):
    """1 − (p+1)(p+2)/2 tᵖ + p(p+2) tᵖ⁺¹ − p(p+1)/2 tᵖ⁺²: Gasteiger, Groß, Günnemann, ICLR 2020 (DimeNet), eq. 8.

    Twice continuously differentiable; a larger p fades later.
    """

    p: int = 6

    def __post_init__(self):
        super().__post_init__()
        if self.p < 2:
            raise ValueError(f"p must be at least 2, or f has a cusp at r = 0; got {self.p}.")

    def shape(self, t):
        p = self.p
        return 1 - t**p * ((p + 1) * (p + 2) / 2 - p * (p + 2) * t + p * (p + 1) / 2 * t**2)

    def slope(self, t):
        return -self.p * (self.p + 1) * (self.p + 2) / 2 * t ** (self.p - 1) * (1 - t) ** 2


class QuinticSwitch(CutoffFunction):
    """t³ (−6t² + 15t − 10) + 1: the switch of DeePMD-kit, whose `rcut_smth` is the onset here and `rcut` the cutoff.

    Twice continuously differentiable at both ends. The DeepPot-SE paper (Zhang et al., NeurIPS 2018) has
    `CosineCutoff(cutoff, onset=…)` in this place; s(r) is the switch divided by r in both.
    """

    def shape(self, t):
        return t**3 * (-6 * t**2 + 15 * t - 10) + 1

    def slope(self, t):
        return -30 * (t * (1 - t)) ** 2
