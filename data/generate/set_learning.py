"""`results/set_learning.csv`: accuracies on `crystal_environments` of networks of sets, upright and turned at random.

Each is trained on environments as they stand in the file ("upright") and on the same, each turned once by a rotation of its
own ("turned"); three seeds of the weights and, for the turned, of the rotations. The epoch with the lowest validation loss
counts. Pairs of neighbours (Janossy pooling) are taken of the 16 nearest. The columns `upright` and `turned` are the
accuracies on the 600 test environments either way; methods that see no orientation need one training only. Two random
forests stand for what a day's work with plain features gives. Runs on the course's own environment; finished rows are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/set_learning.py      # 5 core-minutes
"""

from itertools import product
from time import process_time

import numpy as np
import pandas as pd
from publish import DATA
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tqdm import tqdm

from course_lib.learning import NetworkClassifier, Trainer
from course_lib.point_clouds import DeepSets, JanossyPooling, PointNet, SetTransformer
from course_lib.structures import load
from course_lib.structures.writing import whole
from course_lib.symmetry import random_rotations

TABLE = DATA / "results/set_learning.csv"
SEEDS = range(3)
METHODS = {
    "forest, radii": None,
    "forest, radii and angles": None,
    "Deep Sets, radii": (DeepSets(5, seen="inner products"), 5e-3),
    "Janossy, radii and angles": (JanossyPooling(5, k=2, phi=(32, 32), seen="inner products"), 5e-3),
    "Deep Sets": (DeepSets(5), 5e-3),
    "PointNet": (PointNet(5, local=(32, 32), deep=(64, 128), head=(64,), align_features=False), 3e-3),
    "Set Transformer": (SetTransformer(5, width=32, blocks=1, inducing=None), 2e-3),
}
EPOCHS = 20
data = load("crystal_environments")


def radii(frames) -> np.ndarray:
    return np.array([np.linalg.norm(atoms.positions[1:], axis=1) for atoms in frames])


def radii_and_angles(frames) -> np.ndarray:
    """And the cosines of the angles between the twelve nearest, in ascending order."""
    directions = np.array([atoms.positions[1:13] for atoms in frames]) / radii(frames)[:, :12, None]
    cosines = (directions @ directions.transpose(0, 2, 1))[:, *np.triu_indices(12, 1)]
    return np.hstack([radii(frames), np.sort(cosines, axis=1)])


def turned(frames, seed: int) -> list:
    """Copies, each turned about its centre by a rotation of its own."""
    copies = [atoms.copy() for atoms in frames]
    for atoms, rotation in zip(copies, random_rotations(len(frames), np.random.default_rng(seed)), strict=True):
        atoms.positions = atoms.positions @ rotation.T
    return copies


def seen(name: str, frames) -> list:
    """What a method is given of each environment: pairs of all 33 atoms would mostly be pairs of far ones."""
    return [atoms.positions[1:17] for atoms in frames] if name.startswith("Janossy") else frames


def learned(name: str, seed: int, trained: str):
    parts = [data.train, data.validation]
    if trained == "turned":
        parts = [turned(part, 10 * seed + k) for k, part in enumerate(parts, 1)]
    if name.startswith("forest"):
        features = FunctionTransformer(radii_and_angles if name.endswith("angles") else radii)
        forest = make_pipeline(features, RandomForestClassifier(200, random_state=seed))
        return forest.fit(data.train, [atoms.info["phase"] for atoms in data.train])
    network, rate = METHODS[name]
    model = NetworkClassifier(network, Trainer(EPOCHS, 32, rate), random_state=seed)
    train, validation = ((seen(name, part), [atoms.info["phase"] for atoms in part]) for part in parts)
    return model.fit(*train, validation, progress=False)


if __name__ == "__main__":
    test, tilted = data.test, turned(data.test, 0)
    truth = [atoms.info["phase"] for atoms in test]
    rows = pd.read_csv(TABLE).to_dict("records") if TABLE.exists() else []
    done = {(row["method"], row["seed"], row["trained"]) for row in rows}
    for seed, name, trained in tqdm([*product(SEEDS, METHODS, ["upright", "turned"])]):
        if (name, seed, trained) in done or (trained == "turned" and name.split(", ")[-1].startswith("radii")):
            continue
        start = process_time()
        model = learned(name, seed, trained)
        rows.append({"method": name, "seed": seed, "trained": trained, "upright": model.score(seen(name, test), truth),
                     "turned": model.score(seen(name, tilted), truth), "seconds": process_time() - start})
        with whole(TABLE) as file:
            pd.DataFrame(rows).round({"upright": 4, "turned": 4, "seconds": 0}).to_csv(file, index=False)
    print(pd.DataFrame(rows).pivot_table(["upright", "turned"], ["method", "trained"], aggfunc="mean", sort=False).round(3))
