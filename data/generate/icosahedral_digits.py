"""`results/icosahedral_digits.csv`: accuracies on `digits`, laid on the sphere, of icosahedral networks.

Each network is trained on digits around the north pole ("upright") and on digits each turned once by a Haar rotation of its own
("turned"); three seeds of the weights and of the rotations. The epoch with the lowest validation loss counts. The columns are
accuracies on the 1000 test digits: `upright`, `icosahedral` (each turned by one of the 60 rotations of the grid) and `turned`
(each by a rotation of SO(3)). At each refinement r two networks: R2R with regular fields, and S2S with scalar ones, which has
twice as many channels and is still cheaper. The first one is kept as a checkpoint. Runs on the course's own environment;
finished rows are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/icosahedral_digits.py      # 20 core-minutes, most of them for r = 3
"""

from importlib.metadata import version
from itertools import product
from time import process_time

import numpy as np
import pandas as pd
from publish import DATA
from tqdm import tqdm

from course_lib.equivariant import IcosahedralCNN, IcosahedralGrid
from course_lib.learning import NetworkClassifier, Trainer, checkpoint
from course_lib.structures import load_images, project_images
from course_lib.structures.writing import whole
from course_lib.symmetry import random_rotations

TABLE = DATA / "results/icosahedral_digits.csv"
SEEDS = range(3)
NETWORKS = {  # from the coarsest grid on
    f"{fields}, r = {r}": IcosahedralCNN(10, r, channels[:r], fields)
    for r in (2, 3) for fields, channels in {"R2R": ((8,), (16,), (16,)), "S2S": ((16,), (32,), (32,))}.items()}
TRAINERS = {"2": Trainer(6, 64, 2e-2), "3": Trainer(10, 32, 1e-2)}
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
    model = NetworkClassifier(network, TRAINERS[name[-1]], random_state=seed)
    return model.fit(signals[0], data.train.labels, (signals[1], data.validation.labels), progress=False)


def keep(model: NetworkClassifier, name: str, seed: int, accuracy: dict[str, float], seconds: float) -> None:
    checkpoint.save(model, DATA / f"checkpoints/{name}_{seed}.safetensors", {
        "network": "IcosahedralCNN", "data set": "digits", "frames": len(data.train.labels), "seed": seed,
        "epochs": len(model.epochs_), "minutes": round(seconds / 60, 1), "accuracy (%)": round(100 * accuracy["upright"], 1),
        "data SHA-256": data.card.sha256,
        "versions": {package: version(package) for package in ("torch", "numpy", "course_lib")}})


if __name__ == "__main__":
    rows = pd.read_csv(TABLE).to_dict("records") if TABLE.exists() else []
    done = {(row["network"], row["seed"], row["trained"]) for row in rows}
    truth, count = data.test.labels, len(data.test.labels)
    chosen = np.random.default_rng(0).integers(60, size=count)
    turns = {"upright": None, "icosahedral": IcosahedralGrid(0).rotations[chosen], "turned": haar(count, 0)}
    for name, trained, seed in tqdm(sorted(product(NETWORKS, ["upright", "turned"], SEEDS), key=lambda run: (
            run[0][-1], run[2]))):
        if (name, seed, trained) in done:
            continue
        start = process_time()
        model = learned(name, seed, trained)
        seconds = process_time() - start
        accuracy = {how: model.score(laid(data.test.images, NETWORKS[name], turn), truth) for how, turn in turns.items()}
        rows.append({"network": name, "seed": seed, "trained": trained, **accuracy, "seconds": round(seconds)})
        if (name, seed, trained) == (next(iter(NETWORKS)), 0, "upright"):
            keep(model, "icosahedral_digits", seed, accuracy, seconds)
        with whole(TABLE) as file:
            pd.DataFrame(rows).round(4).to_csv(file, index=False)
    print(pd.DataFrame(rows).pivot_table([*turns], ["network", "trained"], aggfunc="mean", sort=False).round(3))
