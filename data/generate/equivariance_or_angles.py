"""`results/equivariance_or_angles.csv`: what angles buy, and what features that turn buy, on 100 frames of `ethanol`.

Mean absolute errors of energies (meV/atom) and force components (meV/Å) on the test frames, after so few steps that nothing has
converged: 400 in batches of 5, three seeds of the weights and of the choice of training frames, weights of the last epoch. All
networks have a cutoff of 4 Å. Allegro with one layer is a network of distances and, with l > 0, angles: what turns is made and
used up within one atom's surroundings, and could be written with Legendre polynomials of angles. NequIP with l = 0 has
distances alone, and passes messages; PaiNN and NequIP with l > 0 pass on what turns. The learning rate is 0.01, and for PaiNN
0.006, which gave a lower validation error than 0.002; nothing else was tuned. `weights` counts numbers that are trained,
`seconds` are processor seconds. Runs on the course's own environment; finished rows are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/equivariance_or_angles.py     # 6 core-minutes
"""

import sys
from itertools import product
from time import process_time

import numpy as np
import pandas as pd
from publish import DATA
from tqdm import tqdm

from course_lib.equivariant import Allegro, NequIP, PaiNN
from course_lib.learning import NetworkPotential, Trainer, scores
from course_lib.structures import load

TABLE = DATA / "results/equivariance_or_angles.csv"
SEEDS, N, BATCH, STEPS, SPECIES, CUTOFF = range(3), 100, 5, 400, [1, 6, 8], 4.0
RATES = {"PaiNN": 6e-3}
NETWORKS = {
    **{f"NequIP, l = {l}": NequIP(SPECIES, CUTOFF, n_features=16, l_max=l, n_layers=2) for l in (0, 1, 2)},
    **{f"Allegro, 1 layer, l = {l}": Allegro(SPECIES, CUTOFF, 32, 8, l_max=l, n_layers=1) for l in (0, 1, 2)},
    "Allegro, 2 layers, l = 2": Allegro(SPECIES, CUTOFF, 32, 8, l_max=2, n_layers=2),
    "PaiNN": PaiNN(SPECIES, CUTOFF, n_features=64, n_interactions=2),
}


def run(name: str, seed: int, rate: float | None = None, test: str = "test") -> dict[str, float]:
    data, start = load("ethanol"), process_time()
    chosen = [data.train[row] for row in np.random.default_rng(seed).permutation(len(data.train))[:N]]
    trainer = Trainer(epochs=STEPS * BATCH // N, batch_size=BATCH, learning_rate=rate or RATES.get(name, 1e-2), ema=0.95)
    model = NetworkPotential(NETWORKS[name], trainer, energy_weight=10.0, random_state=seed).fit(chosen, progress=False)
    errors = scores(model.predict(getattr(data, test)), getattr(data, test))["model"]
    weights = sum(parameter.numel() for parameter in model.network_.parameters())
    return {"energies": round(float(errors["energy MAE (meV/atom)"]), 3),
            "forces": round(float(errors["force MAE (meV/Å)"]), 2), "weights": weights,
            "seconds": round(process_time() - start)}


if __name__ == "__main__":
    if len(sys.argv) > 1:  # how the rates were chosen: a name, and some of them
        for rate in map(float, sys.argv[2:]):
            print(sys.argv[1], rate, run(sys.argv[1], 0, rate, "validation"))
        sys.exit()
    rows = pd.read_csv(TABLE).to_dict("records") if TABLE.exists() else []
    done = {(row["network"], row["seed"]) for row in rows}
    for seed, name in tqdm(list(product(SEEDS, NETWORKS))):
        if (name, seed) not in done:
            rows.append({"network": name, "seed": seed} | run(name, seed))
            pd.DataFrame(rows).to_csv(TABLE, index=False)
