"""`checkpoints/<name>_<seed>.safetensors`: networks trained to convergence for the chapters, on the course's own environment.

Each is trained on all training frames of its set, stopped by nothing but its number of epochs, and keeps the weights of the
epoch with the lowest validation loss. The header's notes say data set and its SHA-256, seed, versions, wall time and the
errors on the test frames. What is there already is left; a training that was interrupted goes on, bit for bit.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/checkpoints.py [name …]     # SchNet: 6 core-minutes a seed
"""

import sys
from dataclasses import dataclass
from importlib.metadata import version

from publish import DATA, work_folder

from course_lib.equivariant import MACE, NequIP
from course_lib.learning import Network, NetworkPotential, Trainer, scores
from course_lib.point_clouds import DeepPotSE, SchNet
from course_lib.structures import load


@dataclass(frozen=True)
class Recipe:
    dataset: str
    network: Network
    trainer: Trainer
    seeds: int = 3
    energy_weight: float = 10.0  # of the mean squared error per atom, eV², beside 1 for that of the forces, eV²/Å²
    stress_weight: float = 1.0  # of that of the virials per atom, eV²


RECIPES = {
    "schnet_ethanol": Recipe("ethanol", SchNet([1, 6, 8], n_features=64, n_rbf=32),
                             Trainer(epochs=250, batch_size=8, learning_rate=5e-3, ema=0.99)),
    "deep_pot_silicon": Recipe("silicon", DeepPotSE([14], 5.0, 3.0, (12, 24, 48), 8, (80, 80, 80)), Trainer(
        epochs=600, batch_size=4, learning_rate=7e-3, ema=0.99), seeds=1, energy_weight=20.0, stress_weight=10.0),
    "nequip_ethanol": Recipe("ethanol", NequIP([1, 6, 8], cutoff=4.0), Trainer(
        epochs=240, batch_size=5, learning_rate=2e-2, ema=0.99)),
    "mace_ethanol": Recipe("ethanol", MACE([1, 6, 8], n_features=16), Trainer(
        epochs=40, batch_size=8, learning_rate=1e-2, ema=0.99), seeds=1),
    "deep_pot_ethanol": Recipe("ethanol", DeepPotSE([1, 6, 8], 4.5, 0.5, (12, 24, 48), 12, (64, 64, 64)), Trainer(
        epochs=600, batch_size=8, learning_rate=4e-3, ema=0.99)),
    "deep_pot_water": Recipe("water", DeepPotSE([1, 8], 5.0, 1.0, (12, 24, 48), 8, (64, 64, 64)), Trainer(
        epochs=150, batch_size=1, learning_rate=7e-3, ema=0.99), seeds=1),
} | {f"schnet_ethanol_{cutoff}": Recipe(  # twins with a cutoff that atoms do cross, for molecular dynamics
    "ethanol", SchNet([1, 6, 8], cutoff=2.8, n_features=64, n_rbf=32, envelope=envelope),
    Trainer(epochs=40, batch_size=8, learning_rate=5e-3, ema=0.99), seeds=1)
    for cutoff, envelope in {"smooth": "quintic", "hard": None}.items()
}


def make(name: str, recipe: Recipe, seed: int) -> None:
    path, unfinished = DATA / f"checkpoints/{name}_{seed}.safetensors", work_folder("checkpoints") / f"{name}_{seed}"
    if path.exists():
        return
    data = load(recipe.dataset)
    potential = NetworkPotential(recipe.network, recipe.trainer, energy_weight=recipe.energy_weight,
                                 stress_weight=recipe.stress_weight, random_state=seed)
    potential.fit(data.train, data.validation, resume=unfinished)
    errors = scores(potential.predict(data.test), data.test)["model"]
    path.parent.mkdir(exist_ok=True)
    potential.save(path, {
        "network": type(recipe.network).__name__, "data set": recipe.dataset, "frames": len(data.train), "seed": seed,
        "epochs": len(potential.epochs_), "minutes": round(potential.history_.seconds.sum() / 60, 1),
        **errors.round(4).to_dict(), "data SHA-256": data.card.sha256,
        "versions": {package: version(package) for package in ("torch", "numpy", "course_lib")}})
    unfinished.unlink()
    print(path.name, errors.round(2).to_dict(), flush=True)


if __name__ == "__main__":
    for name in sys.argv[1:] or RECIPES:
        for seed in range(RECIPES[name].seeds):
            make(name, RECIPES[name], seed)
