"""`degenerate_methane`: 200 pairs of distorted CH4 with the same list of angles at the carbon, CCSD(T)/cc-pVDZ energies.

All bonds are 1.09 Å and two hydrogens lie on ±z. In member A the other two have polar angles θ and π − θ and azimuths 0 and
φ_A, in member B both have θ, azimuths 0 and φ_B. With cos φ_A = cos φ_B + 2 cot²θ the six angles of A are those of B, so every
sum over pairs of neighbours of the carbon is the same, hence its power spectrum; the two are not congruent, nor mirror images
(the construction of Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020)). Pairs are drawn at random with a fixed seed.
Split by pair: 120 train, 20 validation, 60 test.

    pip install -r data/generate/requirements.txt
    OMP_NUM_THREADS=1 python data/generate/degenerate_methane.py                    # 3 core-minutes; stop and start it at will
    OMP_NUM_THREADS=1 python data/generate/degenerate_methane.py --publish-only     # writes what is finished
"""

import sys
from collections import Counter
from functools import partial
from itertools import combinations

import numpy as np
from ase import Atoms
from publish import SPLIT, publish_archive, work_folder
from quantum_chemistry import coupled_cluster, label, labelled

LEVEL = partial(coupled_cluster, basis="cc-pvdz")
PAIRS, BOND = 200, 1.09
CLOSEST = 0.95  # Å between hydrogens


def hydrogens(*angles):
    """CH4 with hydrogens on ±z and at the two (polar, azimuth) of `angles`."""
    polar, azimuth = np.array([(0, 0), (np.pi, 0), *angles]).T
    directions = np.stack([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], axis=1)
    return Atoms("CH4", np.vstack([np.zeros(3), BOND * directions]))


def pairs(rng):
    while True:
        polar, azimuth = np.deg2rad(rng.uniform((60, 70), (85, 180)))
        cosine = np.cos(azimuth) + 2 / np.tan(polar) ** 2
        if cosine > 1:
            continue
        members = (hydrogens((polar, 0), (np.pi - polar, np.arccos(cosine))), hydrogens((polar, 0), (polar, azimuth)))
        if min(members[0].get_distance(i, j) for i, j in combinations(range(1, 5), 2)) > CLOSEST:
            yield members


if __name__ == "__main__":
    database = work_folder("degenerate_methane") / "ccsdt_ccpvdz.db"
    frames = []
    for pair, members in zip(range(PAIRS), pairs(np.random.default_rng(0)), strict=False):
        for member, atoms in enumerate(members):
            atoms.info = dict(seed=pair, frame=member)
            frames.append(atoms)
    if "--publish-only" not in sys.argv:
        label(frames, database, LEVEL)
    finished = labelled(database)
    members = Counter(atoms.info["seed"] for atoms in finished)
    whole = [atoms for atoms in finished if members[atoms.info["seed"]] == 2]
    for atoms in whole:
        atoms.info = dict(pair=atoms.info["seed"], member="AB"[atoms.info["frame"]])
    publish_archive("degenerate_methane", whole,
                    lambda atoms: SPLIT[0 if atoms.info["pair"] < 120 else 1 if atoms.info["pair"] < 140 else 2],
                    positions=np.float64)
