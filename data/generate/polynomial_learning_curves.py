"""`results/polynomial_learning_curves.csv`: errors of PIP on `methane`, `methane_b3lyp` and `hydronium`, degrees 3 to 7.

Root mean square error of the test energies in cm⁻¹ for training sets of 25 to 1000 frames, five nested draws (seeds), with
energies alone and, where there are forces, with both. λ is the one of 1.0, 1.6 and 2.2 Å that is best on the validation
frames at 400 training frames (seed 0). Runs on the course's own environment; finished blocks are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/polynomial_learning_curves.py      # 20 core-minutes
"""

from itertools import product

import numpy as np
import pandas as pd
from ase import units
from publish import DATA
from tqdm import tqdm

from course_lib.learning import labels, learning_curve
from course_lib.polynomials import PIP
from course_lib.structures import load
from course_lib.structures.writing import whole

TABLE = DATA / "results/polynomial_learning_curves.csv"
BLOCKS = [*product(["methane", "methane_b3lyp", "hydronium"], ["energies"], range(3, 8)),
          *product(["methane_b3lyp"], ["energies and forces"], range(3, 8))]


def error(potential, frames) -> float:
    residual = potential.predict(frames).energies - labels(frames).energies
    return np.sqrt(np.mean(residual**2)) / units.invcm


def learned(name: str, kind: str, degree: int) -> pd.DataFrame:
    data, weight = load(name), float(kind != "energies")
    order = np.random.default_rng(0).permutation(len(data.train))[:400]
    fits = {length: PIP(degree, length, force_weight=weight).fit([data.train[i] for i in order]) for length in (1.0, 1.6, 2.2)}
    length = min(fits, key=lambda length: error(fits[length], data.validation))

    def errors(train, test, seed):
        return {"RMSE": round(error(PIP(degree, length, force_weight=weight).fit(train), test), 4)}

    curve = learning_curve({f"degree {degree}": errors}, data.train, data.test, [25, 50, 100, 200, 300, 400, 1000], range(5))
    return curve.assign(set=name, labels=kind, length=length)[["set", "labels", "model", "length", "n", "seed", "RMSE"]]


if __name__ == "__main__":
    TABLE.parent.mkdir(exist_ok=True)
    known = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=["set", "labels", "model"])
    blocks = [block for _, block in known.groupby(["set", "labels", "model"], sort=False)]
    done = {tuple(block.iloc[0][["set", "labels", "model"]]) for block in blocks}
    for name, kind, degree in tqdm(BLOCKS):
        if (name, kind, f"degree {degree}") not in done:
            blocks.append(learned(name, kind, degree))
            with whole(TABLE) as file:
                pd.concat(blocks).to_csv(file, index=False)
    print(pd.concat(blocks).pivot_table("RMSE", ["set", "labels", "model"], "n", "median").round(2))
