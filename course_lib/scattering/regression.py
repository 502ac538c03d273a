"""Energies from scattering: a linear function of the features, or a short sum of products of linear functions.

    E = b + Σ_i ν_i Π_{p ≤ r} (⟨w_i^(p), Φ⟩ + c_i^(p)),      r = 1: linear, 2: bilinear, 3: trilinear

(Eickenberg, Exarchakis, Hirn, Mallat & Thiry, J. Chem. Phys. 148, 241732 (2018).) Order 1 is ridge regression.
Higher orders start from it, a product whose other factors are constant, and go on by AdamW; Φ stands there for its principal
components, shrunk as the ridge shrinks them: linear functions stay linear, and no direction is steeper than another.
"""

from collections.abc import Sequence

import numpy as np
import torch
from ase import Atoms
from sklearn.base import RegressorMixin, clone
from sklearn.linear_model import RidgeCV
from sklearn.utils.validation import check_is_fitted, validate_data

from course_lib.learning import CompositionBaseline, Network, NetworkEstimator, Potential, Prediction, Trainer, labels
from course_lib.learning.training import Errors
from course_lib.scattering.solid_harmonic import SolidHarmonicScattering

RIDGES = tuple(10.0 ** np.arange(-7, 4))


class Multilinear(Network):
    """A linear function of `inputs` numbers, and `terms` products of `order` linear functions of the first `components`.

    As built, both are zero.
    """

    def __init__(self, inputs: int, order: int = 2, terms: int = 8, components: int = 50) -> None:
        super().__init__()
        self.inputs, self.order, self.terms, self.components = inputs, order, terms, components
        self.linear = torch.nn.Linear(inputs, 1)
        torch.nn.init.zeros_(self.linear.weight)
        torch.nn.init.zeros_(self.linear.bias)
        self.w = torch.nn.Parameter(torch.randn(terms, order, components) / components**0.5)
        self.c = torch.nn.Parameter(torch.ones(terms, order))
        self.nu = torch.nn.Parameter(torch.zeros(terms))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(M,) of (M, inputs)."""
        factors = (features[:, :self.components] @ self.w.flatten(0, 1).T + self.c.flatten()).unflatten(1, (self.terms, -1))
        return self.linear(features)[:, 0] + factors.prod(2) @ self.nu


class MultilinearRegression(RegressorMixin, NetworkEstimator):
    """Regression of order 1, 2 or 3 on the rows of a matrix.

    order: r
    terms, components: for r > 1, how many products beside the linear function, of how many leading principal components
    ridges: candidates for the ridge on standardised features; the one of least mean absolute leave-one-out error is taken
    trainer: how orders 2 and 3 learn
    """

    def __init__(self, order: int = 1, terms: int = 8, components: int = 50, ridges: Sequence[float] = RIDGES,
                 trainer: Trainer | None = None, *, dtype: str = "float64", device: str = "cpu", random_state: int = 0) -> None:
        self.order, self.terms, self.components, self.ridges, self.trainer = order, terms, components, ridges, trainer
        self.dtype, self.device, self.random_state = dtype, device, random_state

    warm_start = False

    def fit(self, X: np.ndarray, y: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None,
            progress: bool = False) -> "MultilinearRegression":
        """Learn from X (M, F), y (M,); `validation`, another such pair, decides when to stop and which epoch to keep."""
        if self.order not in (1, 2, 3) or self.terms < 1:
            raise ValueError(f"order is {self.order} and there are {self.terms} terms; an order is 1, 2 or 3, terms 1 or more")
        X, y = validate_data(self, X, y, dtype=float)
        self.mean_, self.offset_ = X.mean(axis=0), float(y.mean())
        width = X.std(axis=0)
        width[width <= 1e-6 * np.abs(self.mean_)] = np.inf  # a feature that does not vary says nothing
        standard = (X - self.mean_) / width
        self.ridge_ = float(RidgeCV(np.array(self.ridges), scoring="neg_mean_absolute_error").fit(standard, y).alpha_)
        left, s, right = np.linalg.svd(standard, full_matrices=False)
        left, s, right = left[:, s > 0], s[s > 0], right[s > 0]
        shrunk = np.sqrt(s**2 + self.ridge_)
        self.projection_ = np.sqrt(len(X)) * (right / width).T / shrunk
        self.linear_ = s / shrunk * (left.T @ (y - self.offset_)) / np.sqrt(len(X))
        if self.order > 1:
            self.scale_ = float(y.std()) or 1.0
            self._train(self._items(X, y), self._items(*validation) if validation else None, progress)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """(M,)."""
        return self.predict_with_slopes(X)[0]

    def predict_with_slopes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(M,), and its slopes in the features (M, F)."""
        check_is_fitted(self, "linear_")
        components = (validate_data(self, X, dtype=float, reset=False) - self.mean_) @ self.projection_
        if self.order == 1:
            return components @ self.linear_ + self.offset_, np.tile(self.projection_ @ self.linear_, (len(X), 1))
        inputs = self.network_.w.new_tensor(components).requires_grad_()
        values = self.network_(inputs)
        slopes, = torch.autograd.grad(values.sum(), inputs)
        return (values.numpy(force=True) * self.scale_ + self.offset_,
                slopes.numpy(force=True) * self.scale_ @ self.projection_.T)

    def _items(self, X: np.ndarray, y: np.ndarray) -> list[tuple[torch.Tensor, float]]:
        components = torch.as_tensor((X - self.mean_) @ self.projection_, dtype=getattr(torch, self.dtype), device=self.device)
        return list(zip(components, ((y - self.offset_) / self.scale_).tolist(), strict=True))

    @property
    def network(self) -> Network:
        """As it is built, before it starts from the linear solution."""
        inputs = len(self.linear_)
        return Multilinear(inputs, self.order, self.terms, min(self.components, inputs))

    def _fresh(self) -> Network:
        network = self.network.to(self.device)
        with torch.no_grad():
            network.linear.weight[0] = network.w.new_tensor(self.linear_ / self.scale_)
        return network

    def _batch(self, items: Sequence[tuple[torch.Tensor, float]]) -> torch.Tensor:
        return torch.stack([features for features, _ in items])

    def _loss(self, network: Network, items: Sequence[tuple[torch.Tensor, float]]) -> Errors:
        features = self._batch(items)
        errors = network(features) - features.new_tensor([value for _, value in items])
        return {"loss": errors**2, "MAE": self.scale_ * errors.abs()}


class ScatteringRegression(Potential):
    """A potential of molecules: the energy of the composition, and a regression on scattering of the rest.

    features: the scattering, or any transformer with one row a molecule and a `pull`
    regression: what learns, of order 1 unless given
    forces: whether `predict` computes them, which takes thrice the time of an energy
    Energies (eV) alone are learned.
    """

    def __init__(self, features: SolidHarmonicScattering | None = None, regression: MultilinearRegression | None = None,
                 forces: bool = True) -> None:
        self.features, self.regression, self.forces = features, regression, forces

    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: bool) -> None:
        self.baseline_ = CompositionBaseline().fit(frames)
        self.features_ = (SolidHarmonicScattering() if self.features is None else clone(self.features)).fit(frames)
        regression = MultilinearRegression() if self.regression is None else clone(self.regression)
        X, y = self._pairs(frames)
        judges = self._pairs(validation) if validation and regression.order > 1 else None  # a ridge judges itself
        self.regression_ = regression.fit(X, y, judges, progress)
        terms = self.regression_.predict_with_slopes(X)[1] * (X - self.regression_.mean_)
        self.amplification_ = float(np.abs(terms).sum(axis=1).max() / (np.abs(labels(frames).energies).max() or 1))

    @property
    def amplification(self) -> float:
        """How many times larger than an energy the terms ∂E/∂Φ_f (Φ_f − mean) are: the audit's allowance."""
        return self.amplification_

    def _pairs(self, frames: Sequence[Atoms]) -> tuple[np.ndarray, np.ndarray]:
        return self.features_.transform(frames), labels(frames).energies - self.baseline_.predict(frames).energies

    def _predict(self, frames: Sequence[Atoms]) -> Prediction:
        energies, slopes = self.regression_.predict_with_slopes(self.features_.transform(frames))
        energies += self.baseline_.predict(frames).energies
        return Prediction(energies, [-slope for slope in self.features_.pull(frames, slopes)] if self.forces else None)
