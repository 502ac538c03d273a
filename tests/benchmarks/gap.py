"""Fitting a GAP beside QUIP's gap_fit, same frames, settings and sparse points; gap_fit's environment is made if missing."""

import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from course_lib.kernels import GAP, SOAP
from course_lib.learning import labels
from course_lib.structures import load

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracles"))
import gap_fit


def rmse(forces, data) -> float:
    """meV/Å, over all test frames but the melt, which neither has learned."""
    learned = np.concatenate([np.full(len(atoms), atoms.info.get("kind") != "melt") for atoms in data.test])
    return 1000 * np.sqrt(np.mean((np.concatenate(forces) - np.concatenate(labels(data.test).forces))[learned] ** 2))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        gap_fit.run(folder)
        peers = {name: dict(np.load(Path(folder) / f"gap_fit_{name}.npz")) for name in gap_fit.SETTINGS}
    for name, peer in peers.items():
        settings, data = json.loads(str(peer["settings"])), load(name)
        shape = {key: settings.pop(key) for key in ("cutoff", "smoothing", "n_max", "l_max", "width")}
        del settings["n_sparse"]
        start = perf_counter()
        model = GAP(SOAP(**shape), selection=peer["sparse"], **settings)
        model.fit(data.train[:: 8 if name == "ethanol" else 1], progress=False)
        seconds = perf_counter() - start
        print(f"\n{name}: fit {seconds:.1f} s, gap_fit {peer['seconds']:.1f} s, {peer['seconds'] / seconds:.1f} ×; force error "
              f"{rmse(model.predict(data.test).forces, data):.0f} meV/Å, gap_fit {rmse([peer['forces']], data):.0f}")
