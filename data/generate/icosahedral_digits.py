"""`results/icosahedral_digits.csv`: accuracies on `digits`, laid on the sphere, of icosahedral networks.

Each network is trained on digits around the north pole ("upright") and on digits each turned once by a Haar rotation of its own
("turned"); three seeds of the weights and of the rotations. The epoch with the lowest validation loss counts. The columns are
accuracies on the 1000 test digits: `upright`, `icosahedral` (each turned by one of the 60 rotations of the grid) and `turned`
(each by a rotation of SO(3)). Two networks of about the same cost a step: R2R with regular fields, S2S with scalar ones, which
has more channels instead. The first R2R of seed 0 is kept as a checkpoint. Runs on the course's own environment; finished rows
are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/icosahedral_digits.py
"""

from importlib.metadata import version
from itertools import product
from time import process_time

import numpy as np
import pandas as pd
from publish import DATA
from tqdm import tqdm

from course_lib.equivariant import IcosahedralCNN
from course_lib.learning import NetworkClassifier, Trainer, checkpoint
from course_lib.structures import load_images, project_images
from course_lib.symmetry import random_rotations

TABLE = DATA / "results/icosahedral_digits.csv"
SEEDS = range(3)
NETWORKS = {
    "R2R": IcosahedralCNN(10, 3, ((6,), (6,), (12,)), "R2R"),
    "S2S": IcosahedralCNN(10, 3, ((16,), (16,), (32,)), "S2S"),
}
EPOCHS = 6
data = load_images("digits")


def laid(images: np.ndarray, network: IcosahedralCNN, rotations: np.ndarray | None = None) -> list[np.ndarray]:
    """Signals between 0 and 1, each turned by its own of the rotations (M, 3, 3)."""
    seen = network.directions if rotations is None else network.directions @ rotations
    return list((project_images(images, seen) / 255).astype(np.float32))


def haar(n: int, seed: int) -> np.ndarray:
    return random_rotations(n, np.random.default_rng(seed))


def learned(name: str, seed: int, trained: str) -> NetworkClassifier:
    network, parts = NETWORKS[name], (data.train, data.validation)
    signals = [laid(part.images, network, haar(len(part.images), 10 * seed + k) if trained == "turned" else None)
               for k, part in enumerate(parts, 1)]
    model = NetworkClassifier(network, Trainer(EPOCHS, 32, 1e-2), random_state=seed)
    return model.fit(signals[0], data.train.labels, (signals[1], data.validation.labels), progress=False)


def keep(model: NetworkClassifier, name: str, seed: int, accuracy: dict[str, float], seconds: float) -> None:
    checkpoint.save(model, DATA / f"checkpoints/{name}_{seed}.safetensors", {
        "network": "IcosahedralCNN", "data set": "digits", "frames": len(data.train.labels), "seed": seed,
        "epochs": EPOCHS, "minutes": round(seconds / 60, 1), "accuracy (%)": round(100 * accuracy["upright"], 1),
        "data SHA-256": data.card.sha256,
        "versions": {package: version(package) for package in ("torch", "numpy", "course_lib")}})


if __name__ == "__main__":
    rows = pd.read_csv(TABLE).to_dict("records") if TABLE.exists() else []
    done = {(row["network"], row["seed"], row["trained"]) for row in rows}
    truth, count = data.test.labels, len(data.test.labels)
    grid = NETWORKS["R2R"].grid
    turns = {"upright": None, "turned": haar(count, 0),
             "icosahedral": grid.rotations[np.random.default_rng(0).integers(60, size=count)]}
    for seed, trained, name in tqdm([*product(SEEDS, ["upright", "turned"], NETWORKS)]):
        if (name, seed, trained) in done:
            continue
        start = process_time()
        model = learned(name, seed, trained)
        seconds = process_time() - start
        accuracy = {how: model.score(laid(data.test.images, NETWORKS[name], turn), truth) for how, turn in turns.items()}
        rows.append({"network": name, "seed": seed, "trained": trained, **accuracy, "seconds": round(seconds)})
        if (name, seed, trained) == ("R2R", 0, "upright"):
            keep(model, "icosahedral_digits", seed, accuracy, seconds)
        partial = TABLE.with_suffix(".partial")
        pd.DataFrame(rows).round(4).to_csv(partial, index=False)
        partial.rename(TABLE)
    print(pd.DataFrame(rows).pivot_table([*turns], ["network", "trained"], aggfunc="mean", sort=False).round(3))
