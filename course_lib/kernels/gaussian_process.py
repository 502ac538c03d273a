"""Gaussian processes: a function believed to be smooth, and what data make of that belief.

A priori ε ~ N(0, k). Given labels that are linear in ε, with normal noise, the mean and covariance of anything else linear in
ε, and the evidence for the kernel itself, are closed formulas (Rasmussen & Williams, Gaussian Processes for Machine Learning
(2006), algorithm 2.1 and eq. 5.9). The mean is the answer of kernel ridge regression, its ridge the variance of the noise.
"""

from typing import Self

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from course_lib.kernels.kernel_functions import Kernel
from course_lib.kernels.observations import Observations, covariance

STEP = 1e-30
"""Of the complex step: Im f(x + ih) / h is f' without the cancellation of a difference (Squire & Trapp, SIAM Rev. 40, 110
(1998))."""
WIDEST = np.log(1e4)
"""How far below its start a hyperparameter may go."""


class GaussianProcess(RegressorMixin, BaseEstimator):
    """Learns ε from labels that are linear in it; the prior mean is zero.

    kernel: of ε, see `kernel_functions`
    noise: standard deviation of the labels, in their unit; a number, or one a label (n,)
    optimise: let the evidence choose the kernel's `learned` hyperparameters and an overall factor of the noise
    restarts: how often the search starts anew, from up to ten times smaller or larger values, drawn by `random_state`
    jitter: variances are raised by this fraction against rounding
    Fitted: `kernel_`, `noise_`, `observed_`, `coefficients_` (n,), `factor_` (n, n) the Cholesky factor, `evidence_`.
    """

    def __init__(self, kernel: Kernel, noise: float | np.ndarray = 1e-3, optimise: bool = False, restarts: int = 0,
                 random_state: int = 0, jitter: float = 1e-12) -> None:
        self.kernel, self.noise, self.optimise = kernel, noise, optimise
        self.restarts, self.random_state, self.jitter = restarts, random_state, jitter

    def fit(self, X: np.ndarray | Observations, y: np.ndarray) -> Self:
        """Learn from labels y (n,) at points X (n, d), or observed as X says.

        Raises ValueError for shapes that disagree, numbers that are not finite, hyperparameters that are not positive, and a
        covariance that is not positive definite.
        """
        X, y = _checked(X), np.asarray(y, float)
        rows = len(X) if isinstance(X, np.ndarray) else X.values.shape[0]
        if y.shape != (rows,) or np.shape(self.noise) not in ((), (rows,)):
            raise ValueError(f"labels have shape {y.shape} and noise {np.shape(self.noise)} beside {rows} observations; "
                             f"({rows},) is needed, or one noise for all")
        if not np.isfinite(y).all():
            raise ValueError(f"label {np.argmin(np.isfinite(y))} is not finite; leave it out")
        self.kernel.check()
        if not np.min(self.noise) >= 0 <= self.jitter:
            raise ValueError(f"noise is {np.min(self.noise)} and jitter {self.jitter}; neither may be negative")
        logs = np.zeros(len(self.kernel.learned) + 1)
        if self.optimise:
            logs = self._most_evident(X, y, logs)
        self.kernel_, self.noise_ = self._changed(logs)
        self.factor_, self.coefficients_, self.evidence_ = self._solve(self._matrix(logs, X), y)
        self.observed_ = X
        return self

    def predict(self, X: np.ndarray | Observations, return_std: bool = False, return_cov: bool = False):
        """The mean (m,), and with it on request the standard deviation (m,) or the covariance (m, m) without noise."""
        check_is_fitted(self, "coefficients_")
        X = _checked(X, self.observed_)
        shared = covariance(self.kernel_, X, self.observed_)
        mean = shared @ self.coefficients_
        if not (return_std or return_cov):
            return mean
        known = solve_triangular(self.factor_, shared.T, lower=True, check_finite=False)
        if return_std and isinstance(X, np.ndarray):
            return mean, np.sqrt(np.maximum(self.kernel_.diagonal(X) - np.square(known).sum(axis=0), 0))
        left = covariance(self.kernel_, X, X) - known.T @ known
        return (mean, left) if return_cov else (mean, np.sqrt(np.maximum(left.diagonal(), 0)))

    def log_marginal_likelihood(self, X: np.ndarray | Observations, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The evidence log p(y | X) for the constructor's hyperparameters, and its slopes with respect to the logarithms of
        the kernel's `learned` ones and of the noise.
        """
        return self._evidence(np.zeros(len(self.kernel.learned) + 1), _checked(X), np.asarray(y, float))

    def _changed(self, logs: np.ndarray) -> tuple[Kernel, float | np.ndarray]:
        """Kernel and noise with hyperparameters e^logs times those of the constructor."""
        *factors, noise = np.exp(logs)
        given = self.kernel.get_params()
        changed = {name: given[name] * factor for name, factor in zip(self.kernel.learned, factors, strict=True)}
        return clone(self.kernel).set_params(**changed), self.noise * noise

    def _matrix(self, logs: np.ndarray, X: np.ndarray | Observations) -> np.ndarray:
        """cov(y, y') with noise."""
        kernel, noise = self._changed(logs)
        K = covariance(kernel, X, X)
        K = K.astype(np.result_type(K, noise), copy=False)
        K.flat[::len(K) + 1] = K.diagonal() * (1 + self.jitter) + noise**2
        return K

    def _solve(self, K: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Cholesky factor, K⁻¹y, and the evidence; K is overwritten."""
        factor = cholesky_factor(K, f"raise noise ({np.min(self.noise):g}) or jitter ({self.jitter:g}), or leave out "
                                 "repeated points")
        solution = cho_solve((factor, True), y, check_finite=False)
        return factor, solution, float(-0.5 * y @ solution - np.log(factor.diagonal()).sum() - len(y) / 2 * np.log(2 * np.pi))

    def _evidence(self, logs: np.ndarray, X: np.ndarray | Observations, y: np.ndarray) -> tuple[float, np.ndarray]:
        factor, solution, evidence = self._solve(self._matrix(logs, X), y)
        pull = np.outer(solution, solution) - cho_solve((factor, True), np.eye(len(y)), check_finite=False)  # eq. 5.9
        noise = pull.diagonal() @ np.broadcast_to(self._changed(logs)[1] ** 2, len(y))
        amplitude = y @ solution - len(y) - noise  # of K, all but the noise is proportional to its square
        steps = logs + 1j * STEP * np.eye(len(logs))[1:-1]
        others = [0.5 * np.vdot(pull, self._matrix(step, X).imag) / STEP for step in steps]
        return evidence, np.array([amplitude, *others, noise])

    def _most_evident(self, X: np.ndarray | Observations, y: np.ndarray, start: np.ndarray) -> np.ndarray:
        def against(logs: np.ndarray) -> tuple[float, np.ndarray]:
            try:
                evidence, slopes = self._evidence(logs, X, y)
            except ValueError:  # not positive definite: step back
                return 1e25, np.zeros_like(logs)
            return -evidence, -slopes

        rng = np.random.default_rng(self.random_state)
        starts = [start, *rng.uniform(-np.log(10), np.log(10), (self.restarts, len(start)))]
        bounds = [(-WIDEST, None)] * len(start)  # open above: boxed in, L-BFGS-B would step as far as the gradient is long
        found = [minimize(against, logs, jac=True, method="L-BFGS-B", bounds=bounds) for logs in starts]
        return min(found, key=lambda result: result.fun).x


def cholesky_factor(K: np.ndarray, advice: str) -> np.ndarray:
    """Lower triangular L with L Lᵀ = K (n, n), in K's place. Raises ValueError with `advice` where K allows none."""
    try:
        return cholesky(K.T, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError as error:
        raise ValueError(f"the covariance of the {len(K)} labels is not positive definite ({error}): some tell the same, "
                         f"within rounding; {advice}") from error


def _points(X: np.ndarray | Observations) -> np.ndarray:
    return X.points if isinstance(X, Observations) else X


def _checked(X: np.ndarray | Observations, observed: np.ndarray | Observations | None = None) -> np.ndarray | Observations:
    X = X if isinstance(X, Observations) else np.asarray(X, float)
    points = _points(X)
    if points.ndim != 2:
        raise ValueError(f"points have shape {points.shape}; (n, d) is needed, so write x[:, None] for numbers")
    if observed is not None and points.shape[1] != _points(observed).shape[1]:
        raise ValueError(f"points have {points.shape[1]} coordinates, those of `fit` had {_points(observed).shape[1]}")
    if not np.isfinite(points).all():
        raise ValueError(f"point {np.argmin(np.isfinite(points).all(axis=1))} has an entry that is not finite; leave it out")
    return X
