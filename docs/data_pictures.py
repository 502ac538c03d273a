"""The pictures of data/README.md: `docs/data/<name>.png` shows what the frames of a set are, and what its labels say.

    python docs/data_pictures.py              # all of them; or name some
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.geometry import get_dihedrals
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from scipy.spatial.transform import Rotation

from course_lib.learning import CompositionBaseline
from course_lib.show import COLOURS, molecule
from course_lib.structures import datasets, load, load_images, radial_distribution

FOLDER = Path(__file__).parent / "data"
SPLITS = {"train": COLOURS["blue"], "validation": COLOURS["orange"], "test": COLOURS["vermillion"]}
TURN = (-70, 0, 20)


def canvas(*widths: float, height: float = 2.6) -> tuple[Figure, np.ndarray]:
    return plt.subplots(1, len(widths), figsize=(8, height), width_ratios=widths)


def everything(name: str) -> list[Atoms]:
    dataset = load(name)
    return dataset.train + dataset.validation + dataset.test


def energies(frames: list[Atoms]) -> np.ndarray:
    return np.array([atoms.get_potential_energy() for atoms in frames])


def arrows(axes: Axes, atoms: Atoms, starts: np.ndarray, vectors: np.ndarray, colour: str) -> None:
    """Draw the molecule and `vectors` on it, as long in Å as they are in their unit."""
    molecule(axes, atoms, turn=TURN, labels=False, scale_bar=False)
    rotation = Rotation.from_euler("xyz", TURN, degrees=True)
    tails, tips = rotation.apply(starts), rotation.apply(starts + vectors)
    axes.quiver(*tails.T[:2], *(tips - tails).T[:2], angles="xy", scale_units="xy", scale=1, color=colour, width=0.02, zorder=5)
    ends = np.concatenate([tails, tips, rotation.apply(atoms.positions)])[:, :2]
    axes.set(xlim=(ends[:, 0].min() - 0.6, ends[:, 0].max() + 0.6), ylim=(ends[:, 1].min() - 0.6, ends[:, 1].max() + 0.6))


def by_split(axes: Axes, name: str, values, bins: np.ndarray, xlabel: str) -> None:
    """A histogram of `values(frames)` for each split, as fractions of the split."""
    dataset = load(name)
    for part, colour in SPLITS.items():
        found = values(getattr(dataset, part))
        axes.hist(found, bins, weights=np.full(len(found), 1 / len(found)), histtype="step", lw=2, color=colour, label=part)
    axes.set(xlabel=xlabel, yticks=[], ylabel="frames")
    axes.legend(fontsize=10, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), columnspacing=1, handlelength=1.5)


def methane() -> Figure:
    figure, axes = canvas(1, 1, 1, 2.4)
    train = load("methane").train
    molecule(axes[:3], [train[0], train[400], train[900]], labels=False)
    lowest = energies(everything("methane")).min()
    by_split(axes[3], "methane", lambda frames: energies(frames) - lowest, np.linspace(0, 1.95, 27), "energy, eV")
    return figure


def methane_b3lyp() -> Figure:
    figure, axes = canvas(1, 2)
    frames, coupled = everything("methane_b3lyp"), energies(everything("methane"))
    arrows(axes[0], frames[900], frames[900].positions, 0.25 * frames[900].get_forces(), COLOURS["vermillion"])
    axes[0].set_title("forces")
    difference = energies(frames) - coupled
    axes[1].scatter(coupled - coupled.min(), 1000 * (difference - difference.mean()), s=4, color=COLOURS["blue"])
    axes[1].set(xlabel="CCSD(T) energy above the lowest, eV", ylabel="B3LYP − CCSD(T),\nmeV, mean removed")
    return figure


def torsions(frames: list[Atoms]) -> np.ndarray:
    """The angle C–C–O–H of ethanol in degrees, −180 to 180."""
    positions = np.array([atoms.positions for atoms in frames])
    carbons, (oxygen,) = np.flatnonzero(frames[0].numbers == 6), np.flatnonzero(frames[0].numbers == 8)
    reach = np.linalg.norm(positions[0] - positions[0, oxygen], axis=1)
    near, far = carbons[np.argsort(reach[carbons])]
    hydrogen = min(np.flatnonzero(frames[0].numbers == 1), key=reach.__getitem__)
    path = positions[:, [far, near, oxygen, hydrogen]]
    return (get_dihedrals(*np.diff(path, axis=1).transpose(1, 0, 2)) + 180) % 360 - 180


def ethanol() -> Figure:
    figure, axes = canvas(1, 1, 2)
    train = load("ethanol").train
    angle = abs(torsions(train))
    molecule(axes[:2], [train[np.argmax(angle)], train[np.argmin(abs(angle - 60))]], ["trans", "gauche"], labels=False)
    by_split(axes[2], "ethanol", torsions, np.linspace(-180, 180, 25), "angle C–C–O–H, degrees")
    axes[2].set_xticks(range(-180, 181, 60))
    return figure


def ethanol_xtb() -> Figure:
    figure, (along, against) = canvas(1.6, 1)
    frames = everything("ethanol_xtb")
    angle, seeds = torsions(frames), np.array([atoms.info["seed"] for atoms in frames])
    for seed, marker in zip((0, 1, 3), "o^s", strict=True):
        along.plot(0.02 * np.arange(300), angle[seeds == seed], marker, ms=3, label=f"seed {seed}")
    along.set(xlabel="time, ps", ylabel="C–C–O–H, degrees", yticks=range(-180, 181, 90))
    along.legend(fontsize=10, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), handletextpad=0)
    labelled = load("ethanol").test
    both = np.array([(atoms.get_forces(), atoms.arrays["forces_xtb"]) for atoms in labelled[::4]])
    against.scatter(both[:, 0], both[:, 1], s=3, color=COLOURS["blue"])
    against.axline((0, 0), slope=1, color=COLOURS["grey"], lw=1)
    against.set(xlabel="PBE force, eV/Å", ylabel="xTB force, eV/Å", xticks=(-5, 0, 5), yticks=(-5, 0, 5))
    return figure


def qm9_small() -> Figure:
    figure, axes = canvas(1, 1, 1, 2)
    dataset = load("qm9_small")
    chosen = [next(atoms for atoms in dataset.train if atoms.info["smiles"] == smiles)
              for smiles in ("FC1=CN=CC=N1", "COCC1(C)CC1", "CNC(=O)C(N)=O")]
    molecule(axes[:3], chosen, labels=False)
    model = CompositionBaseline().fit(dataset.train)
    truth, guess = energies(dataset.test), model.predict(dataset.test).energies
    axes[3].scatter(guess, truth - guess, s=5, color=COLOURS["blue"])
    axes[3].set(xlabel="energy by composition, eV", ylabel="rest, eV")
    return figure


def hydronium() -> Figure:
    figure, axes = canvas(1, 1, 2.4)
    frames = everything("hydronium")
    energy = energies(frames) - energies(frames).min()
    positions = np.array([atoms.positions for atoms in frames])
    oxygen, hydrogens = positions[:, frames[0].numbers == 8][:, 0], positions[:, frames[0].numbers == 1]
    normal = np.cross(hydrogens[:, 1] - hydrogens[:, 0], hydrogens[:, 2] - hydrogens[:, 0])
    height = np.einsum("mi,mi->m", oxygen - hydrogens[:, 0], normal / np.linalg.norm(normal, axis=1, keepdims=True))
    turned = [Atoms("OH3", Rotation.align_vectors([[0, 0, 1]], [normal[row]])[0].apply(positions[row]))
              for row in np.argsort(height)[[len(frames) // 4, -len(frames) // 4]]]
    molecule(axes[:2], turned, labels="rows")
    axes[2].scatter(height, energy, s=4, color=COLOURS["blue"])
    axes[2].set(xlabel="signed height of O above H1, H2, H3, Å", ylabel="energy, eV")
    return figure


def degenerate_methane() -> Figure:
    figure, axes = canvas(1, 1, 2)
    frames = {(atoms.info["pair"], atoms.info["member"]): atoms for atoms in everything("degenerate_methane")}
    both = [energies([frames[pair, member] for pair in range(len(frames) // 2)]) for member in "AB"]
    pair = np.argsort(abs(both[1] - both[0]))[-20]
    molecule(axes[:2], [frames[pair, "A"], frames[pair, "B"]], "AB", turn=(-80, 30, 0), labels="rows")
    axes[2].hist(both[1] - both[0], 30, color=COLOURS["blue"])
    axes[2].set(xlabel="energy of B − energy of A, eV", ylabel="pairs")
    return figure


def water_tensors() -> Figure:
    figure, axes = canvas(1, 1, 2)
    frames = everything("water_tensors")
    single = [atoms for atoms in frames if len(atoms) == 3]
    for axis, atoms in zip(axes, (single[2], next(atoms for atoms in frames if len(atoms) == 6)), strict=False):
        arrows(axis, atoms, atoms.get_center_of_mass()[None], 3 * atoms.get_dipole_moment()[None], COLOURS["vermillion"])
    bonds = [atoms.get_distances(int(np.argmax(atoms.numbers)), np.flatnonzero(atoms.numbers == 1)).mean() for atoms in single]
    axes[2].scatter(bonds, [np.trace(atoms.info["polarizability"]) / 3 for atoms in single], s=5, color=COLOURS["blue"])
    axes[2].set(xlabel="mean O–H distance, Å", ylabel="mean polarizability, Å³")
    return figure


def silicon() -> Figure:
    figure, axes = canvas(1, 2)
    frames = everything("silicon")
    molecule(axes[0], next(atoms for atoms in frames if len(atoms) == 8), turn=(-80, 0, 15), labels=False, scale_bar=False)
    kinds = np.array([f"{atoms.info['kind']}, {atoms.info['temperature']:g} K" for atoms in frames])
    volume = [atoms.get_volume() / len(atoms) for atoms in frames]
    energy = energies(frames) / [len(atoms) for atoms in frames]
    for kind, marker in zip(dict.fromkeys(kinds), "osD^vP", strict=False):
        axes[1].plot(np.array(volume)[kinds == kind], (energy - energy.min())[kinds == kind], marker, ms=4, label=kind)
    axes[1].set(xlabel="volume, Å³ an atom", ylabel="energy, eV an atom")
    axes[1].legend(fontsize=10, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), handletextpad=0, columnspacing=1)
    return figure


def water() -> Figure:
    figure, axes = canvas(1, 2)
    frames = everything("water")
    distances, distribution = radial_distribution(frames, 8, 8, cutoff=frames[0].cell.lengths().min() / 2, bins=50)
    whole = frames[0].copy()
    whole.wrap()
    molecule(axes[0], whole, turn=(-80, 0, 15), labels=False, scale_bar=False)
    axes[1].plot(distances, distribution, color=COLOURS["blue"])
    axes[1].axhline(1, color=COLOURS["grey"], lw=1)
    axes[1].set(xlabel="distance between oxygens, Å", ylabel="pair distribution", xlim=(2, None), ylim=(0, None))
    return figure


def digits() -> Figure:
    images, labels = load_images("digits").train
    sheet = [np.hstack([images[labels == digit][row] for digit in range(10)]) for row in range(3)]
    figure, axes = plt.subplots(figsize=(8, 2.5))
    axes.imshow(np.vstack(sheet), cmap="gray_r")
    axes.set_axis_off()
    return figure


def crystal_environments() -> Figure:
    figure, axes = plt.subplots(2, 5, figsize=(8, 3.5), height_ratios=(1.6, 1))
    train = load("crystal_environments").train
    for (above, below), phase in zip(axes.T, ("fcc", "hcp", "bcc", "diamond", "liquid"), strict=True):
        frames = [atoms for atoms in train if atoms.info["phase"] == phase]
        coldest = min(frames, key=lambda atoms: atoms.info["temperature"])
        shown = Atoms(f"{coldest.info['element']}33", coldest.info["spacing"] * coldest.positions)
        molecule(above, shown, [phase], turn=(-80, 0, 12), labels=False, scale_bar=False)
        distances = np.linalg.norm([atoms.positions[1:] for atoms in frames], axis=2)
        below.hist(distances.ravel(), np.linspace(0.7, 2.4, 60), color=COLOURS["blue"])
        below.set(xticks=(1, 2), yticks=[])
    axes[1, 2].set_xlabel("distance from the centre, in units of the mean of the nearest four")
    axes[1, 0].set_ylabel("neighbours")
    return figure


PICTURES = {picture.__name__: picture for picture in (
    methane, methane_b3lyp, ethanol, ethanol_xtb, qm9_small, hydronium, degenerate_methane, water_tensors, silicon,
    water, digits, crystal_environments)}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or datasets().index:
        path = FOLDER / f"{name}.png"
        PICTURES[name]().savefig(path, metadata={"Software": None})
        Image.open(path).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
