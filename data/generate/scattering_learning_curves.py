"""`results/scattering_learning_curves.csv`: errors of scattering regressions of order 1, 2, 3 on `qm9_small`, beside kernels.

Mean absolute and root mean square errors of the 1000 test energies in eV, for 100, 300, 1000 and all 2500 training molecules,
nested draws (five seeds; of 2500 there is one draw, and seeds differ in what is random in training). "less composition" learns
what the composition leaves, "whole energy" the energy less its mean. The ridge is that of least leave-one-out error; orders 2
and 3 keep the epoch that is best on the validation molecules, which also choose length and noise of the kernels, as in
`kernel_learning_curves.py`. Features of all 3921 molecules are made once and kept in ~/.cache/course_lib/scattering; finished
blocks of the table are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/scattering_learning_curves.py      # 30 core-minutes
"""

from itertools import product
from pathlib import Path

import kernel_learning_curves as kernels
import numpy as np
import pandas as pd
from kernel_learning_curves import baselines, data, energies, errors, parts
from publish import DATA
from tqdm import tqdm

from course_lib.learning import Trainer, learning_curve
from course_lib.scattering import MultilinearRegression, SolidHarmonicScattering
from course_lib.structures.writing import whole

TABLE, CACHE = DATA / "results/scattering_learning_curves.csv", Path.home() / ".cache/course_lib/scattering"
SIZES, SEEDS, BLOCK = [100, 300, 1000, 2500], range(5), 200
ORDERS = {f"scattering, order {order}": order for order in (1, 2, 3)}
WORK = [*product(["less composition"], ["composition", "scattering, order 1", "bag of bonds (bohr)"]),
        *product(["whole energy"], ["scattering, order 1", "bag of bonds (bohr)"]),
        *product(["less composition"], ["scattering, order 2", "scattering, order 3", "CM sorted (bohr)"])]


def features(part: str) -> np.ndarray:
    """(M, 615) of a part of `qm9_small`; blocks that are there are not made again."""
    frames, blocks = getattr(data, part), []
    CACHE.mkdir(parents=True, exist_ok=True)
    for start in tqdm(range(0, len(frames), BLOCK), part):
        path = CACHE / f"qm9_small_{part}_{start}.npy"
        if not path.exists():
            with whole(path) as file:
                np.save(file, SolidHarmonicScattering().fit().transform(frames[start:start + BLOCK]))
        blocks.append(np.load(path))
    return np.concatenate(blocks).astype(float)


def scattering(name: str, target: str) -> pd.DataFrame:
    fit, validation, test = map(features, ("train", "validation", "test"))
    trainer = Trainer(epochs=100, batch_size=32, learning_rate=3e-4, clip=None)

    def run(train, _, seed):
        rows = train[0]
        known = baselines(rows, target)
        model = MultilinearRegression(ORDERS[name], trainer=trainer, dtype="float32", random_state=seed)
        model.fit(fit[rows], energies[0][rows] - known[0][rows], (validation, energies[1] - known[1]))
        return {"ridge": model.ridge_, **errors(known[2] + model.predict(test), energies[2])}

    return learning_curve({name: run}, (np.arange(len(parts[0])),), (np.arange(1),), SIZES, SEEDS).assign(target=target)


if __name__ == "__main__":
    kernels.SIZES = SIZES
    blocks = [block for _, block in pd.read_csv(TABLE).groupby(["target", "model"], sort=False)] if TABLE.exists() else []
    done = {tuple(block.iloc[0][["target", "model"]]) for block in blocks}
    for target, name in tqdm([work for work in WORK if work not in done]):
        block = scattering(name, target) if name in ORDERS else (
            kernels.composition().assign(target=target) if name == "composition" else kernels.learned(name, target))
        blocks.append(block.reindex(columns=["target", "model", "n", "seed", "ridge", "length", "noise", "MAE", "RMSE"]))
        with whole(TABLE) as file:
            pd.concat(blocks).round({"length": 3, "MAE": 5, "RMSE": 5}).to_csv(file, index=False)
    print(pd.concat(blocks).pivot_table("MAE", ["target", "model"], "n", "median", sort=False).round(3))
