"""Energies and forces of schnetpack's own SchNet, random weights, on molecules and periodic cells: schnetpack.npz.

    python tests/oracles/schnetpack.py [folder]   # makes an environment of its own with schnetpack 2.2.0; a few minutes

The file holds the peer's weights under its own names, the frames, and what it says of them in double precision. Weights were
drawn in single precision (it cannot be built in double); the centres of its Gaussians are set anew in double.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "schnetpack"
PEER = "schnetpack==2.2.0"
NEEDED = """torch==2.13.0 numpy ase==3.29.0 matscipy h5py pyyaml pytorch-lightning torchmetrics tqdm fasteners dirsync
    torch-ema hydra-core hydra-colorlog rich protobuf tensorboardX vesin progressbar petname"""
CUTOFF, FEATURES, INTERACTIONS, GAUSSIANS = 5.0, 32, 3, 20


def frames():
    """Molecules of many sizes, crystals down to one atom a cell (many images of each neighbour), a slab and a wire."""
    import numpy as np
    from ase import Atoms
    from ase.build import bulk, molecule

    found = [molecule(name) for name in ("CH3CH2OH", "H2O", "C6H6", "SiH4", "CH4")]
    found += [Atoms("O2", [[0, 0, 0], [0, 0, 4.99]]), bulk("Si"), bulk("NaCl", "rocksalt", a=5.64), bulk("Cu"),
              bulk("Si", cubic=True).repeat(2), Atoms("Si2", [[0, 0, 0], [1.2, 1.2, 1.2]], cell=[3, 3, 3], pbc=[1, 1, 0]),
              Atoms("CO", [[0, 0, 0], [0.4, 1.1, 0]], cell=[2.5, 9, 9], pbc=[1, 0, 0])]
    rng = np.random.default_rng(0)
    for atoms in found:
        atoms.positions += rng.normal(scale=0.05, size=(len(atoms), 3))
    return found


def network(features=FEATURES, interactions=INTERACTIONS):
    from schnetpack.atomistic import Atomwise, Forces, PairwiseDistances
    from schnetpack.model import NeuralNetworkPotential
    from schnetpack.nn import CosineCutoff, GaussianRBF
    from schnetpack.representation import SchNet

    return NeuralNetworkPotential(
        representation=SchNet(n_atom_basis=features, n_interactions=interactions, cutoff_fn=CosineCutoff(CUTOFF),
                              radial_basis=GaussianRBF(n_rbf=GAUSSIANS, cutoff=CUTOFF)),
        input_modules=[PairwiseDistances()],
        output_modules=[Atomwise(n_in=features, output_key="energy"), Forces(energy_key="energy", force_key="forces")])


def batch(atoms_list, single=False):
    """The peer's input, its edges by its own neighbour search."""
    import schnetpack.properties as p
    import torch
    from schnetpack.data.loader import _atoms_collate_fn
    from schnetpack.transform import ASENeighborList, CastTo32

    inputs = []
    for index, atoms in enumerate(atoms_list):
        frame = {p.idx: torch.tensor([index]), p.n_atoms: torch.tensor([len(atoms)]), p.Z: torch.tensor(atoms.numbers),
                 p.R: torch.tensor(atoms.positions), p.cell: torch.tensor(atoms.cell[:])[None], p.pbc: torch.tensor(atoms.pbc)}
        for change in [ASENeighborList(cutoff=CUTOFF), *[CastTo32()] * single]:
            frame = change(frame)
        inputs.append(frame)
    return _atoms_collate_fn(inputs)


def in_the_environment(target):
    import numpy as np
    import torch

    torch.manual_seed(0)
    model, found = network(), frames()
    model = model.double().eval()
    basis = model.representation.radial_basis
    basis.offsets = torch.linspace(0, CUTOFF, GAUSSIANS, dtype=torch.float64)
    basis.widths = torch.full((GAUSSIANS,), CUTOFF / (GAUSSIANS - 1), dtype=torch.float64)
    said = [model(batch([atoms])) for atoms in found]
    together = model(batch(found))["energy"].detach().numpy()
    np.testing.assert_allclose(together, [one["energy"].item() for one in said], rtol=1e-12)
    numbers = sorted({int(z) for atoms in found for z in atoms.numbers})
    weights = {name: tensor.float().numpy() for name, tensor in model.state_dict().items() if "basis" not in name}
    weights["representation.embedding.weight"] = weights["representation.embedding.weight"][numbers]
    np.savez_compressed(
        target / "schnetpack.npz", peer=PEER, torch=torch.__version__, species=numbers, cutoff=CUTOFF, features=FEATURES,
        interactions=INTERACTIONS, gaussians=GAUSSIANS, energies=together, sizes=[len(atoms) for atoms in found],
        forces=np.concatenate([one["forces"].detach().numpy() for one in said]),
        numbers=np.concatenate([atoms.numbers for atoms in found]),
        positions=np.concatenate([atoms.positions for atoms in found]),
        cells=[atoms.cell[:] for atoms in found], pbc=[atoms.pbc for atoms in found], **weights)
    print(f"{len(found)} frames, energies from {together.min():.3f} to {together.max():.3f}")


def environment():
    """Its python; made where it is not there."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        install = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, "--no-deps", "--ignore-requires-python", PEER], check=True)
        subprocess.run([*install, *NEEDED.split()], check=True)
    return python


if __name__ == "__main__":
    target = Path(sys.argv[-1]).resolve() if len(sys.argv) > 1 else HERE
    if "--inside" in sys.argv:
        sys.path.remove(str(HERE))  # where this file has the peer's name
        in_the_environment(target)
    else:
        quiet = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run([environment(), Path(__file__), "--inside", target], check=True, env=quiet)
