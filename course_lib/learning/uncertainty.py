"""Does a model know how wrong it is? Errors measured in the standard deviations it claimed for them.

If each error e is drawn from a normal distribution of the claimed width σ, 68.3 % of them are within 1σ and 95.4 % within 2σ.
A committee, models that differ in their data or their start, claims the spread of its answers, which is usually too narrow;
one factor α, learned on data that were not fitted, widens it: α² = ⟨e²/σ²⟩ (Musil et al., JCTC 15, 906 (2019)).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def coverage(errors: ArrayLike, deviations: ArrayLike, widths: Sequence[float] = (1, 2)) -> np.ndarray:
    """Fractions of `errors` that lie within each of `widths` claimed standard deviations; arrays of one shape and unit.

    Raises ValueError for shapes that differ, no errors, and deviations that are not positive and finite.
    """
    ratios = np.abs(_ratios(errors, deviations))
    return np.array([(ratios <= width).mean() for width in widths])


def committee_scale(errors: ArrayLike, deviations: ArrayLike) -> float:
    """α with α² = ⟨e²/σ²⟩: the factor that makes claimed deviations right on average. Below 1 for a model too modest.

    It is the maximum likelihood estimate for normal errors. A committee of K members whose spread is right still gets
    α = √((K − 1)/(K − 3)), since a spread of few is often small by chance. Raises ValueError as `coverage` does.
    """
    return float(np.sqrt(np.square(_ratios(errors, deviations)).mean()))


def _ratios(errors: ArrayLike, deviations: ArrayLike) -> np.ndarray:
    errors, deviations = np.asarray(errors, float), np.asarray(deviations, float)
    if errors.shape != deviations.shape or not errors.size:
        raise ValueError(f"errors of shape {errors.shape} beside deviations of {deviations.shape}; "
                         "one deviation an error is needed, and at least one error")
    good = (deviations > 0) & np.isfinite(deviations)
    if not good.all():
        raise ValueError(f"deviation {np.argmin(good.ravel())} is {deviations.ravel()[np.argmin(good.ravel())]:g}; "
                         "a standard deviation is positive and finite")
    return errors / deviations
