"""`results/spherical_digits.csv`: accuracies on `digits`, laid on the sphere, upright and turned by Haar rotations of SO(3).

Each method is trained on digits around the north pole ("upright") and on the same, each turned once by a rotation of its own
("turned"); three seeds of the weights and of the rotations. The epoch with the lowest validation loss counts. The columns
`upright` and `turned` are the accuracies on the 1000 test digits either way, `nines` and `sixes` how many of the 100 turned
sixes were called nine and of the 100 turned nines six. The planar CNN sees the sphere as a map, a row a circle of latitude, and
knows that a map closes at its sides. The bispectrum is that up to l = 10 which no mirror changes, before a logistic regression
or a support vector machine. Of every spherical CNN that saw upright digits only a checkpoint is kept. Runs on the course's own
environment; finished rows are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/spherical_digits.py [method …]     # half an hour of one core
"""

import sys
from importlib.metadata import version
from itertools import combinations_with_replacement, product
from time import process_time

import numpy as np
import pandas as pd
import torch
from publish import DATA
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from tqdm import tqdm

from course_lib.equivariant import ClebschGordanNetwork, SphericalCNN, SphericalFourier
from course_lib.equivariant.signals import SignalNetwork
from course_lib.learning import NetworkClassifier, Trainer, checkpoint
from course_lib.structures import load_images, project_images
from course_lib.structures.writing import whole
from course_lib.symmetry import clebsch_gordan, random_rotations

TABLE = DATA / "results/spherical_digits.csv"
SEEDS = range(3)
data = load_images("digits")


class PlanarCNN(SignalNetwork):
    """Three layers of 3 × 3 filters and maxima of 2 × 2 on the map of a sphere, its grid a quadrature of degree `sampling`."""

    def __init__(self, outputs: int, sampling: int = 32, channels: tuple[int, ...] = (16, 32, 32)) -> None:
        super().__init__()
        self.outputs, self.sampling, self.channels = outputs, sampling, channels
        self.directions = SphericalFourier(0, sampling).directions
        layers = []
        for a, b in zip([1, *channels], channels, strict=False):
            layers += [torch.nn.CircularPad2d((1, 1, 0, 0)), torch.nn.Conv2d(a, b, 3, padding=(1, 0)), torch.nn.BatchNorm2d(b),
                       torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        self.layers = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.LazyLinear(outputs))
        self.layers(torch.zeros(2, 1, sampling // 2 + 1, sampling + 1))

    @property
    def size(self) -> int:
        return len(self.directions)

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        return self.layers(signals.view(-1, 1, self.sampling // 2 + 1, self.sampling + 1))


def bispectrum(signals: np.ndarray, l_max: int = 10) -> np.ndarray:
    """Σ C a_l1 b_l2 c_l3 of coefficients, l1 ≤ l2 ≤ l3 with an even sum; for l1 = 0 it is a mean times the power spectrum."""
    f = SphericalFourier(l_max, 40).analysis(torch.as_tensor(np.asarray(signals, float))).numpy()
    degrees = [f[:, l * l:(l + 1) ** 2] for l in range(l_max + 1)]
    found = [np.einsum("Ma,Mb,Mc,abc->M", degrees[a], degrees[b], degrees[c], clebsch_gordan(a, b, c), optimize=True)
             for a, b, c in combinations_with_replacement(range(l_max + 1), 3) if c <= a + b and (a + b + c) % 2 == 0]
    found = np.stack(found, axis=1)
    return np.sign(found) * np.sqrt(abs(found))


METHODS = {
    "bispectrum, linear": LogisticRegression(C=10.0, max_iter=1000),
    "bispectrum, kernel": SVC(C=10.0),
    "planar CNN": (PlanarCNN(10), Trainer(15, 32, 5e-3, weight_decay=1e-2)),
    "spherical CNN": (SphericalCNN(10), Trainer(12, 32, 1e-2, weight_decay=1e-2)),
    "Clebsch–Gordan": (ClebschGordanNetwork(10, 8, (8, 8)), Trainer(9, 32, 1e-2, weight_decay=1e-2)),
}


def laid(images: np.ndarray, directions: np.ndarray, seed: int | None = None) -> list[np.ndarray]:
    """Signals between 0 and 1, upright or each turned by its own rotation."""
    if seed is not None:
        directions = directions @ random_rotations(len(images), np.random.default_rng(seed))
    return list((project_images(images, directions) / 255).astype(np.float32))


def learned(name: str, seed: int, trained: str):
    """A fitted classifier, and its directions."""
    plain = name.startswith("bispectrum")
    if plain:
        model = make_pipeline(FunctionTransformer(bispectrum), StandardScaler(), clone(METHODS[name]))
        directions = SphericalFourier(10, 40).directions
    else:
        network, trainer = METHODS[name]
        model, directions = NetworkClassifier(network, trainer, random_state=seed), network.directions
    turns = (10 * seed + 1, 10 * seed + 2) if trained == "turned" else (None, None)
    train, validation = ((laid(part.images, directions, turn), part.labels) for part, turn in zip(
        (data.train, data.validation), turns, strict=True))
    return model.fit(*train) if plain else model.fit(*train, validation, progress=False), directions


def keep(model: NetworkClassifier, seed: int, row: dict) -> None:
    checkpoint.save(model, DATA / f"checkpoints/spherical_digits_{seed}.safetensors", {
        "network": "SphericalCNN", "data set": "digits", "frames": len(data.train.labels), "seed": seed,
        "epochs": len(model.epochs_), "minutes": round(row["seconds"] / 60, 1), "accuracy (%)": round(100 * row["upright"], 1),
        "data SHA-256": data.card.sha256,
        "versions": {package: version(package) for package in ("torch", "numpy", "course_lib")}})


def table() -> pd.DataFrame:
    return pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=["method", "seed", "trained"])


if __name__ == "__main__":
    images, truth = data.test
    for seed, name, trained in tqdm([*product(SEEDS, sys.argv[1:] or METHODS, ["upright", "turned"])]):
        if (table()[["method", "seed", "trained"]] == [name, seed, trained]).all(axis=1).any():
            continue
        start = process_time()
        model, directions = learned(name, seed, trained)
        row = {"method": name, "seed": seed, "trained": trained, "seconds": round(process_time() - start)}
        said = {how: model.predict(laid(images, directions, turn)) for how, turn in (("upright", None), ("turned", 1000))}
        row |= {how: np.mean(answer == truth).round(4) for how, answer in said.items()}
        row |= {"nines": np.sum(said["turned"][truth == 6] == 9), "sixes": np.sum(said["turned"][truth == 9] == 6)}
        if (name, trained) == ("spherical CNN", "upright"):
            keep(model, seed, row)
        with whole(TABLE) as file:
            pd.concat([table(), pd.DataFrame([row])]).to_csv(file, index=False)
    print(table().pivot_table(["upright", "turned"], ["method", "trained"], aggfunc="mean", sort=False).round(3))
