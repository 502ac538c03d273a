"""`results/equivariant_learning.csv`: what degrees of features buy, and dipoles and polarizabilities of water.

"ethanol": mean absolute error of force components (meV/Å) on the test frames, of NequIP with l ≤ 0, 1, 2, all else the same,
trained for a fixed number of steps on the first n of a random order of the training frames, one for each seed. "H2O": root
mean square of the norm of what is wrong in the dipole (e·Å), in the mean of the polarizability and in the rest of it (Å³), of
tensor field networks and of λ-SOAP kernels with the settings of chapter 06, for 100 test molecules; "(H2O)2 from H2O": the
dipole and the whole polarizability of 50 test pairs, after training on n single molecules. Weights of the last epoch count, so
validation frames are not used. `seconds` are processor seconds. Runs on the course's own environment; finished rows are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/equivariant_learning.py [ethanol | H2O]     # 45 core-minutes
"""

import sys
from itertools import product
from time import process_time

import numpy as np
import pandas as pd
from publish import DATA
from sklearn.base import clone
from tqdm import tqdm

from course_lib.equivariant import NequIP, TensorFieldNetwork
from course_lib.kernels import LambdaSOAP, SymmetryAdaptedGP
from course_lib.learning import NetworkPotential, NetworkRegressor, Trainer, scores
from course_lib.structures import load
from course_lib.structures.writing import whole

TABLE = DATA / "results/equivariant_learning.csv"
SEEDS, BATCH, STEPS = range(3), 5, {"ethanol": 1600, "H2O": 1600}
SIZES = {"ethanol": [50, 100, 200, 400], "H2O": [10, 20, 40, 80, 160]}
DEGREES = (0, 1, 2)
OUTPUTS = {"vector": lambda frames: np.array([atoms.get_dipole_moment() for atoms in frames]),
           "tensor": lambda frames: np.array([atoms.info["polarizability"] for atoms in frames])}


def trainer(dataset: str, n: int) -> Trainer:
    return Trainer(epochs=STEPS[dataset] * BATCH // n, batch_size=BATCH, learning_rate=2e-2, ema=0.99)


def drawn(frames: list, n: int, seed: int) -> list:
    return [frames[row] for row in np.random.default_rng(seed).permutation(len(frames))[:n]]


def ethanol(l_max: int, n: int, seed: int) -> dict[str, float]:
    network = NequIP([1, 6, 8], cutoff=4.0, l_max=l_max)
    model = NetworkPotential(network, trainer("ethanol", n), energy_weight=10.0, random_state=seed)
    model.fit(drawn(ETHANOL.train, n, seed), progress=False)
    return {"forces": scores(model.predict(ETHANOL.test), ETHANOL.test).loc["force MAE (meV/Å)", "model"]}


def regressors(model: str, n: int, seed: int) -> dict[str, object]:
    if model == "λ-SOAP kernel":
        return {o: SymmetryAdaptedGP(LambdaSOAP(cutoff=4.5, n_max=6, l_max=3, width=0.5), o, noise=1e-4) for o in OUTPUTS}
    network = TensorFieldNetwork([1, 8], 4.5, l_max=2, n_layers=2)
    return {o: NetworkRegressor(clone(network).set_params(output=o), trainer("H2O", n), random_state=seed) for o in OUTPUTS}


def pieces(y: np.ndarray) -> dict[str, np.ndarray]:
    """A vector as it is; a tensor as its mean, and the rest."""
    if y.ndim == 2:
        return {"dipole": y}
    mean = np.trace(y, axis1=1, axis2=2)[:, None] / 3
    return {"mean polarizability": mean, "rest of polarizability": (y - mean[:, :, None] * np.eye(3)).reshape(len(y), 9)}


def rms(wrong: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.sum(wrong.reshape(len(wrong), -1) ** 2, axis=1))))


def water(model: str, n: int, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Errors for single molecules, and for pairs."""
    train, (alone, pairs) = drawn(SINGLE, n, seed), TESTS
    single, transferred = {}, {}
    for output, regressor in regressors(model, n, seed).items():
        settings = {} if model == "λ-SOAP kernel" else {"progress": False}
        regressor.fit(train, OUTPUTS[output](train), **settings)
        said, truth = pieces(regressor.predict(alone)), pieces(OUTPUTS[output](alone))
        single |= {name: rms(said[name] - truth[name]) for name in truth}
        name = "dipole" if output == "vector" else "polarizability"
        transferred[name] = rms(regressor.predict(pairs) - OUTPUTS[output](pairs))
    return single, transferred


def rows_of(dataset: str, model: str, n: int, seed: int) -> list[dict]:
    start = process_time()
    found = {"ethanol": ethanol(int(model[-1]), n, seed)} if dataset == "ethanol" else dict(
        zip(("H2O", "(H2O)2 from H2O"), water(model, n, seed), strict=True))
    seconds = round(process_time() - start)
    return [{"set": name, "model": model, "n": n, "seed": seed, "quantity": quantity, "error": error, "seconds": seconds}
            for name, errors in found.items() for quantity, error in errors.items()]


MODELS = {"H2O": ["λ-SOAP kernel", "tensor field network"], "ethanol": [f"NequIP, l ≤ {l}" for l in DEGREES]}

if __name__ == "__main__":
    data = load("water_tensors")
    SINGLE, *TESTS = ([atoms for atoms in part if atoms.info["molecules"] == k][:most] for part, k, most in (
        (data.train, 1, None), (data.test, 1, 100), (data.test, 2, 50)))
    ETHANOL = load("ethanol")
    jobs = [(dataset, *job) for dataset in sys.argv[1:] or MODELS
            for job in product(MODELS[dataset], SIZES[dataset], SEEDS)]
    for dataset, model, n, seed in tqdm(sorted(jobs, key=lambda job: job[3])):
        rows = pd.read_csv(TABLE).to_dict("records") if TABLE.exists() else []
        if not any((row["set"], row["model"], row["n"], row["seed"]) == (dataset, model, n, seed) for row in rows):
            rows += rows_of(dataset, model, n, seed)
            with whole(TABLE) as file:
                pd.DataFrame(rows).round({"error": 5}).to_csv(file, index=False)
    table = pd.read_csv(TABLE)
    print(table.pivot_table("error", ["set", "quantity", "model"], "n", "median", sort=False).round(4))
