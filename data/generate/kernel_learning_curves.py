"""`results/kernel_learning_curves.csv`: errors of kernel ridge regression on `qm9_small`, by descriptor and by target.

Mean absolute and root mean square errors of the 1000 test energies in eV, for training sets of 100 to 1600 molecules, five
nested draws (seeds). Laplacian kernels of Coulomb matrices and bags of bonds learn the whole energy less its mean, or what
the composition leaves; length (in the unit of the descriptor's entries) and noise (for an amplitude of 1 eV) are those of the
least absolute error on the validation molecules, at every size and seed. Runs on the course's own environment; finished
blocks are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/kernel_learning_curves.py      # 10 core-minutes
"""

from itertools import product

import numpy as np
import pandas as pd
from publish import DATA
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist
from tqdm import tqdm

from course_lib.kernels import BagOfBonds, CoulombMatrix
from course_lib.learning import CompositionBaseline, labels, learning_curve
from course_lib.structures import load
from course_lib.structures.writing import whole

TABLE = DATA / "results/kernel_learning_curves.csv"
FEATURES = {f"{name} ({unit})": features for unit in ("bohr", "Å") for name, features in {
    "CM eigenvalues": CoulombMatrix("eigenvalues", unit), "CM sorted": CoulombMatrix("sorted", unit),
    "bag of bonds": BagOfBonds(unit)}.items()}
TARGETS = ["whole energy", "less composition"]
SIZES, SEEDS = [100, 200, 400, 800, 1600], range(5)
LENGTHS, NOISES = 2.0 ** np.arange(-2, 8), [1e-5, 1e-3, 1e-2, 3e-2, 1e-1]  # lengths in medians of |a − b|

data = load("qm9_small")
parts = [data.train, data.validation, data.test]
energies = [labels(part).energies for part in parts]


def baselines(rows: np.ndarray, target: str) -> list[np.ndarray]:
    """The energies of all three parts that are known before a kernel is asked."""
    if target == "whole energy":
        return [np.full(len(part), energies[0][rows].mean()) for part in parts]
    composition = CompositionBaseline().fit([data.train[row] for row in rows])
    return [composition.predict(part).energies for part in parts]


def errors(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    residual = predicted - true
    return {"MAE": np.abs(residual).mean(), "RMSE": np.sqrt(np.square(residual).mean())}


def learned(name: str, target: str) -> pd.DataFrame:
    features = FEATURES[name].fit(sum(parts, []))
    described = [features.transform(part) for part in parts]
    fit, validation, test = (cdist(part, described[0], "cityblock") for part in described)
    median = np.median(fit)

    def run(train, _, seed):
        rows = train[0]
        known = baselines(rows, target)
        trials = []
        for length, noise in product(LENGTHS * median, NOISES):
            K = np.exp(-fit[np.ix_(rows, rows)] / length) + noise**2 * np.eye(len(rows))
            c = cho_solve(cho_factor(K, overwrite_a=True), energies[0][rows] - known[0][rows])
            error = errors(known[1] + np.exp(-validation[:, rows] / length) @ c, energies[1])
            trials.append((error["MAE"], length, noise, c))
        _, length, noise, c = min(trials, key=lambda trial: trial[0])
        return {"length": length, "noise": noise,
                **errors(known[2] + np.exp(-test[:, rows] / length) @ c, energies[2])}

    return learning_curve({name: run}, (np.arange(len(data.train)),), (np.arange(1),), SIZES, SEEDS).assign(target=target)


def composition() -> pd.DataFrame:
    def run(train, _, seed):
        return errors(baselines(train[0], "less composition")[2], energies[2])

    return learning_curve({"composition": run}, (np.arange(len(data.train)),), (np.arange(1),), SIZES, SEEDS)


if __name__ == "__main__":
    blocks = [block for _, block in pd.read_csv(TABLE).groupby(["target", "model"], sort=False)] if TABLE.exists() else []
    done = {tuple(block.iloc[0][["target", "model"]]) for block in blocks}
    for target, name in tqdm([("less composition", "composition"), *product(TARGETS, FEATURES)]):
        if (target, name) not in done:
            block = composition().assign(target=target) if name == "composition" else learned(name, target)
            blocks.append(block.reindex(columns=["target", "model", "n", "seed", "length", "noise", "MAE", "RMSE"]))
            with whole(TABLE) as file:
                pd.concat(blocks).round({"length": 3, "MAE": 5, "RMSE": 5}).to_csv(file, index=False)
    print(pd.concat(blocks).pivot_table("MAE", ["target", "model"], "n", "median", sort=False).round(3))
