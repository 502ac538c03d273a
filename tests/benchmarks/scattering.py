"""Scattering of voxels beside kymatio, in processes of their own that take turns, and of molecules: seconds and memory.

    OMP_NUM_THREADS=1 python tests/benchmarks/scattering.py      # five minutes; kymatio's environment is made if missing
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracles"))
import kymatio_scattering as peer

CASES = [((64, 64, 64), 1.0, 15), ((64, 64, 64), 2.0, 15), ((192, 128, 96), 1.0, 4), ((192, 128, 96), 2.0, 4)]


def serve():
    """As `kymatio_scattering.serve`, with our transform."""
    import torch

    from course_lib.scattering import VoxelScattering

    torch.set_num_threads(1)
    for line in sys.stdin:
        start = process_time()
        if line.strip():
            given = json.loads(line)
            scattering = VoxelScattering(given["shape"], J=2, L=3, width=given["sigma"], powers=peer.POWERS)
            x = torch.rand(1, *given["shape"], generator=torch.Generator().manual_seed(0))
        else:
            scattering(x)
        print(process_time() - start, peer.peak(), flush=True)


class Server:
    def __init__(self, *command) -> None:
        self.process = subprocess.Popen([*map(str, command), "--serve"], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})

    def __call__(self, line: str = "") -> tuple[float, float]:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        seconds, memory = map(float, self.process.stdout.readline().split())
        return seconds, memory

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def voxels() -> None:
    for shape, sigma, rounds in CASES:
        servers = {"course_lib": Server(sys.executable, __file__), "kymatio": Server(peer.python(), peer.__file__)}
        task = json.dumps({"shape": shape, "sigma": sigma})
        built = {name: server(task)[0] for name, server in servers.items()}
        runs = {name: [] for name in servers}
        for _ in range(rounds):
            for name, server in servers.items():
                runs[name].append(server())
        best = {name: min(seconds for seconds, _ in run) for name, run in runs.items()}
        print(f"{' × '.join(map(str, shape))} voxels, J = 2, L = 3, width {sigma}, one thread, best of {rounds}: "
              f"{best['kymatio'] / best['course_lib']:.1f} × faster")
        for name, run in runs.items():
            print(f"    {name:12s} {best[name]:7.3f} s, filters {built[name]:6.2f} s, peak {max(m for _, m in run):6.0f} MB")
            servers[name].close()


def molecules(count: int = 40) -> None:
    from course_lib.scattering import SolidHarmonicScattering
    from course_lib.structures import load

    frames = load("qm9_small").train[:: 2500 // count]
    for dtype in ("float32", "float64"):
        scattering = SolidHarmonicScattering(dtype=dtype).fit()
        times = []
        for _ in range(3):
            start = process_time()
            features = scattering.transform(frames)
            times.append((process_time() - start) / len(frames))
        start = process_time()
        scattering.pull(frames[:10], 1 / features.mean(axis=0))
        print(f"a molecule of qm9_small, {features.shape[1]} features, {dtype}: {min(times):.3f} s; slopes of their sum "
              f"{(process_time() - start) / 10:.3f} s; peak {peer.peak():.0f} MB")


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve()
    else:
        molecules()
        voxels()
