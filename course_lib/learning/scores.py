"""How wrong a prediction is, in units one can judge, beside what the best constant would have said."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms

from course_lib.learning.prediction import Prediction, labels


def scores(prediction: Prediction, frames: Sequence[Atoms]) -> pd.DataFrame:
    """MAE and RMSE against the labels of `frames`; a row each, named with its unit.

    Columns: `model`, and `mean predictor`, which answers everywhere with the mean label of these very frames. Rows:
    energy (meV a structure, meV/atom), then force components (meV/Å) and stress components (meV/Å³) where prediction
    and labels both have them. Raises ValueError as `labels` does, and where prediction and frames differ in number.
    """
    if len(prediction.energies) != len(frames):
        raise ValueError(f"a prediction of {len(prediction.energies)} structures beside {len(frames)} frames")
    truth = labels(frames)
    atoms = np.array([len(a) for a in frames])
    pairs = {("energy", "meV"): (prediction.energies, truth.energies),
             ("energy", "meV/atom"): (prediction.energies / atoms, truth.energies / atoms)}
    if prediction.forces is not None and truth.forces is not None:
        pairs["force", "meV/Å"] = np.concatenate(prediction.forces), np.concatenate(truth.forces)
    if prediction.stresses is not None and truth.stresses is not None:
        known = np.isfinite(truth.stresses)
        pairs["stress", "meV/Å³"] = prediction.stresses[known], truth.stresses[known]
    rows = {}
    for (quantity, unit), (predicted, true) in pairs.items():
        errors = 1000 * np.stack([(predicted - true).ravel(), (np.mean(true) - true).ravel()])
        rows[f"{quantity} MAE ({unit})"] = np.abs(errors).mean(axis=1)
        rows[f"{quantity} RMSE ({unit})"] = np.sqrt(np.square(errors).mean(axis=1))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["model", "mean predictor"])
