"""What QUIP's own gap_fit makes of `silicon` and `ethanol`: its sparse points and its predictions, in gap_fit_<set>.npz.

    python tests/oracles/gap_fit.py [folder]   # makes an environment of its own with quippy-ase 0.10.3; a minute or two

`settings` are those of `course_lib.kernels.GAP`; the radial basis of QUIP is another one, so errors agree and numbers do not.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).resolve().parent
ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "quippy"
PEER = "quippy-ase==0.10.3"
SETTINGS = {
    "silicon": {"cutoff": 5.0, "smoothing": 1.0, "n_max": 8, "l_max": 6, "width": 0.5, "n_sparse": 150, "zeta": 4, "delta": 1.0,
                "energy_noise": 1e-3, "force_noise": 0.05, "stress_noise": 0.05},
    "ethanol": {"cutoff": 4.0, "smoothing": 1.0, "n_max": 8, "l_max": 4, "width": 0.4, "n_sparse": 100, "zeta": 4, "delta": 1.0,
                "energy_noise": 1e-3, "force_noise": 0.05, "stress_noise": 0.05},
}
COMMAND = ("gap_fit at_file=train.xyz gp_file=gap.xml energy_parameter_name=e force_parameter_name=f virial_parameter_name=v "
           "do_copy_at_file=F sparse_separate_file=T e0_method=average default_sigma={{{energy_noise} {force_noise} "
           "{stress_noise} 0}} gap={{soap n_max={n_max} l_max={l_max} cutoff={cutoff} "
           "cutoff_transition_width={smoothing} atom_sigma={width} zeta={zeta} n_sparse={n_sparse} delta={delta} "
           "covariance_type=dot_product sparse_method=cur_points print_sparse_index=sparse}}")


def frames_of(name, parts):
    """Every eighth training frame of ethanol, all else."""
    from ase.io import read

    frames = [atoms for atoms in read(HERE.parents[1] / f"data/{name}.extxyz", ":") if atoms.info["split"] == parts]
    return frames[:: 8 if name == "ethanol" and parts == "train" else 1]


def write_training(name):
    from ase.io import write

    plain = []
    for atoms in frames_of(name, "train"):
        copy = atoms.copy()
        copy.arrays = {key: copy.arrays[key] for key in ("numbers", "positions")} | {"f": atoms.get_forces()}
        copy.info = {"e": atoms.get_potential_energy()}
        if "stress" in atoms.calc.results:
            copy.info["v"] = -atoms.cell.volume * atoms.get_stress(voigt=False)
        else:
            copy.center(vacuum=10)
        plain.append(copy)
    write("train.xyz", plain)


def in_the_environment(target):
    """Fit and predict, in the current folder; write into `target`."""
    import numpy as np
    from quippy.potential import Potential

    for name, settings in SETTINGS.items():
        write_training(name)
        start = perf_counter()
        subprocess.run(COMMAND.format(**settings), shell=True, check=True, capture_output=True)
        seconds = perf_counter() - start
        # a line an element, in the order of their first atoms; QUIP counts the atoms of that element, from 1
        numbers = np.concatenate([atoms.numbers for atoms in frames_of(name, "train")])
        lines = Path("sparse").read_text().splitlines()
        rows = [np.flatnonzero(numbers == z)[np.array(line.split(), int) - 1]
                for z, line in zip(dict.fromkeys(numbers.tolist()), lines, strict=True)]
        calculator, energies, forces = Potential(param_filename="gap.xml"), [], []
        for atoms in frames_of(name, "test"):
            copy = atoms.copy()
            if not copy.pbc.any():
                copy.center(vacuum=10)
            copy.calc = calculator
            energies.append(copy.get_potential_energy())
            forces.append(copy.get_forces())
        np.savez_compressed(target / f"gap_fit_{name}.npz", sparse=np.concatenate(rows), energies=energies,
                            forces=np.concatenate(forces), seconds=seconds, peer=PEER, settings=json.dumps(settings))
        print(f"{name}: {seconds:.1f} s, {[len(r) for r in rows]} sparse points")
        for path in Path().glob("*"):
            path.unlink()


def run(target):
    """Make the environment if it is not there, and do all in it."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
    path = f"{python.parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, Path(__file__).resolve(), "--inside", Path(target).resolve()], cwd=folder, check=True,
                       env=os.environ | {"OMP_NUM_THREADS": "1", "PATH": path})


if __name__ == "__main__":
    if "--inside" in sys.argv:
        in_the_environment(Path(sys.argv[2]))
    else:
        run(sys.argv[1] if len(sys.argv) > 1 else HERE)
