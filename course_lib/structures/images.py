"""The shipped images: a plane of pixels instead of atoms, for methods on planes and spheres.

They share the folder, the cards and the verified files of the data sets of structures, and hold no structure.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_lib.structures.datasets import SPLITS, Card, holds_images, verified


class Images(NamedTuple):
    """One split, which unpacks as `images, labels`: (M, height, width) uint8, the first row at the top, and (M,) uint8."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, repr=False)
class ImageDataset:
    """Images and the class of each; `card` says what they are and where they come from."""

    name: str
    card: Card
    train: Images
    validation: Images
    test: Images

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(getattr(self, part).labels)} {part}" for part in SPLITS)
        return f"ImageDataset {self.name}: {self.card.title} ({sizes})"


def load_images(name: str) -> ImageDataset:
    """The images called `name`, their file verified; raises what `load` raises, and ValueError for a set of structures."""
    card, path = verified(name)
    if not holds_images(card):
        raise ValueError(f"data set {name!r} holds structures, not images: load({name!r}).")
    with np.load(path, allow_pickle=False) as file:
        images, labels, split = file["images"], file["labels"], file["split"]
    return ImageDataset(name, card, **{part: Images(images[split == part], labels[split == part]) for part in SPLITS})
