"""Learning curves: error against the number of training structures, on log-log axes often a straight line.

Its slope tells how well the model's assumptions match the function, its height how much is known before any data
(Cortes et al., NeurIPS 1993; Huang & von Lilienfeld, J. Chem. Phys. 145, 161102 (2016)).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from sklearn.base import BaseEstimator, clone

from course_lib.learning.potential import Potential
from course_lib.learning.scores import scores

Data = Sequence[Atoms] | tuple[np.ndarray, ...]
Model = BaseEstimator | Callable[[Any, Any, int], Mapping[str, float]]


def learning_curve(models: Mapping[str, Model], train: Data, test: Data, sizes: Sequence[int],
                   seeds: Sequence[int]) -> pd.DataFrame:
    """A row for every model, size and seed: columns `model`, `n`, `seed`, then its errors on `test`.

    Data are labelled frames, or a tuple of arrays (X, y, …) with as many rows each. Within one seed the training sets
    are nested, drawn without return, and the same for every model. A model is a `Potential` (its errors: `scores`),
    a scikit-learn regressor on (X, y) (MAE and RMSE in the unit of y); both are cloned, and get the seed if they have
    a parameter `random_state`; or a function (train subset, test, seed) -> errors by name. Raises ValueError where
    a size is below 1 or beyond the training set, or there are no models, sizes or seeds.
    """
    train, test = _aligned(train), _aligned(test)
    rows = len(train[0] if isinstance(train, tuple) else train)
    if not (models and len(sizes) and len(seeds)):
        raise ValueError(f"a learning curve needs models, sizes and seeds; got {list(models)}, {sizes}, {seeds}")
    if wrong := [n for n in sizes if not 1 <= n <= rows]:
        raise ValueError(f"sizes {wrong} cannot be drawn from {rows} training structures; choose from 1 to {rows}")
    table = []
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(rows)
        for n in sizes:
            subset = _take(train, order[:n])
            table += [{"model": name, "n": n, "seed": seed, **_errors(model, subset, test, seed)}
                      for name, model in models.items()]
    return pd.DataFrame(table)


def slope(table: pd.DataFrame) -> pd.DataFrame:
    """Slopes d log(error)/d log(n) of a `learning_curve` by least squares over all rows: a row a model, a column an
    error. Raises ValueError for fewer than two sizes, and for errors that are not positive, which have no logarithm.
    """
    errors = table.columns.drop(["model", "n", "seed"])
    for model, part in table.groupby("model"):
        if part["n"].nunique() < 2:
            raise ValueError(f"a slope needs at least two sizes; {model!r} has n = {part['n'].unique().tolist()}")
    if (table[errors] <= 0).any(axis=None):
        raise ValueError("an error of zero or below has no logarithm; leave that size or column out of the slope")
    return table.groupby("model", sort=False)[["n", *errors]].apply(
        lambda part: pd.Series(np.polyfit(np.log(part["n"]), np.log(part[errors]), 1)[0], index=errors))


def _aligned(data: Data) -> Data:
    if not isinstance(data, tuple):
        return data
    arrays = tuple(np.asarray(array) for array in data)
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(f"arrays of {[len(array) for array in arrays]} rows; all must have as many")
    return arrays


def _take(data: Data, rows: np.ndarray) -> Data:
    if isinstance(data, tuple):
        return tuple(array[rows] for array in data)
    return [data[row] for row in rows]


def _errors(model: Model, train: Data, test: Data, seed: int) -> Mapping[str, float]:
    if not isinstance(model, BaseEstimator):
        return model(train, test, seed)
    model = clone(model)
    if "random_state" in model.get_params():
        model.set_params(random_state=seed)
    if isinstance(model, Potential):
        return scores(model.fit(train, progress=False).predict(test), test)["model"]
    predicted = model.fit(*train).predict(test[0])
    if predicted.shape != test[1].shape:
        raise ValueError(f"the model predicts shape {predicted.shape} for targets of shape {test[1].shape}")
    residual = predicted - test[1]
    return {"MAE": np.abs(residual).mean(), "RMSE": np.sqrt(np.square(residual).mean())}
