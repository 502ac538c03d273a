"""`results/gap_ethanol.csv`: a GAP learned from all training frames of `ethanol`, for comparison with the networks.

Errors on the 200 test frames. Cutoff, width, zeta and noise are the best of four on the validation frames, learned from every
fourth training frame. There is no chance in it, hence no seed.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/gap_ethanol.py      # 3 core-minutes
"""

from time import process_time

import pandas as pd
from publish import DATA

from course_lib.kernels import GAP, SOAP
from course_lib.learning import scores
from course_lib.structures import load

DENSITY = {"cutoff": 4.5, "smoothing": 1.0, "n_max": 8, "l_max": 6, "width": 0.3}
PROCESS = {"n_sparse": 400, "zeta": 2, "delta": 1.0, "energy_noise": 1e-3, "force_noise": 0.01}

if __name__ == "__main__":
    data, start = load("ethanol"), process_time()
    model = GAP(SOAP(**DENSITY), **PROCESS).fit(data.train)
    minutes = (process_time() - start) / 60
    errors = scores(model.predict(data.test), data.test)["model"]
    row = {"model": "GAP", "frames": len(data.train), **DENSITY, **PROCESS, "sparse points": len(model.sparse_),
           "minutes": round(minutes, 1), **errors.round(3).to_dict()}
    pd.DataFrame([row]).to_csv(DATA / "results/gap_ethanol.csv", index=False)
    print(errors.round(2))
