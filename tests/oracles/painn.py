"""Energies and forces of schnetpack's own PaiNN, random weights, on molecules and periodic cells: painn.npz.

    python tests/oracles/painn.py [folder]   # makes the environment of tests/oracles/schnetpack.py if it is not there

The file holds the peer's weights under its own names, the frames, and what it says of them in double precision.
"""

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

HERE = Path(__file__).resolve().parent
spec = spec_from_file_location("oracle", HERE / "schnetpack.py")
spec.loader.exec_module(schnetpack_oracle := module_from_spec(spec))
CUTOFF, FEATURES, INTERACTIONS, WAVES = schnetpack_oracle.CUTOFF, 16, 3, 8


def network(features=FEATURES, interactions=INTERACTIONS, waves=WAVES):
    from schnetpack.atomistic import Atomwise, Forces, PairwiseDistances
    from schnetpack.model import NeuralNetworkPotential
    from schnetpack.nn import BesselRBF, CosineCutoff
    from schnetpack.representation import PaiNN

    return NeuralNetworkPotential(
        representation=PaiNN(n_atom_basis=features, n_interactions=interactions, cutoff_fn=CosineCutoff(CUTOFF),
                             radial_basis=BesselRBF(n_rbf=waves, cutoff=CUTOFF)),
        input_modules=[PairwiseDistances()],
        output_modules=[Atomwise(n_in=features, output_key="energy"), Forces(energy_key="energy", force_key="forces")])


def in_the_environment(target):
    import numpy as np
    import torch

    torch.manual_seed(0)
    model, found, batch = network(), schnetpack_oracle.frames(), schnetpack_oracle.batch
    model = model.double().eval()
    model.representation.radial_basis.freqs = torch.arange(1, WAVES + 1, dtype=torch.float64) * torch.pi / CUTOFF
    torch.set_default_dtype(torch.float64)  # its vectors begin as zeros of this
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):  # the peer begins with none
                parameter.normal_(std=0.1)
            parameter.copy_(parameter.float())  # short in the file, exactly what is used
    said = [model(batch([atoms])) for atoms in found]
    together = model(batch(found))["energy"].detach().numpy()
    np.testing.assert_allclose(together, [one["energy"].item() for one in said], rtol=1e-12)
    numbers = sorted({int(z) for atoms in found for z in atoms.numbers})
    weights = {name: parameter.detach().float().numpy() for name, parameter in model.named_parameters()}
    weights["representation.embedding.weight"] = weights["representation.embedding.weight"][numbers]
    np.savez_compressed(
        target / "painn.npz", peer=schnetpack_oracle.PEER, torch=torch.__version__, species=numbers, cutoff=CUTOFF,
        features=FEATURES, interactions=INTERACTIONS, waves=WAVES, energies=together,
        forces=np.concatenate([one["forces"].detach().numpy() for one in said]), sizes=[len(atoms) for atoms in found],
        numbers=np.concatenate([atoms.numbers for atoms in found]),
        positions=np.concatenate([atoms.positions for atoms in found]),
        cells=[atoms.cell[:] for atoms in found], pbc=[atoms.pbc for atoms in found], **weights)
    print(f"{len(found)} frames, energies from {together.min():.3f} to {together.max():.3f}")


if __name__ == "__main__":
    target = Path(sys.argv[-1]).resolve() if len(sys.argv) > 1 else HERE
    if "--inside" in sys.argv:
        sys.path.remove(str(HERE))  # where a file has the peer's name
        in_the_environment(target)
    else:
        quiet = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run([schnetpack_oracle.environment(), Path(__file__), "--inside", target], check=True, env=quiet)
