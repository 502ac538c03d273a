"""The shipped images: a plane of pixels instead of atoms, for methods on planes and spheres.

They share the folder, the cards and the verified files of the data sets of structures, and hold no structure.
`project_images` lays them on the sphere, where they can be turned.
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


def project_images(images: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(M, n): what `directions` (n, 3), (1, n, 3) or (M, n, 3) see of `images` (M, height, width) laid on the sphere.

    Stereographic projection from the south pole maps the direction with polar angle θ to the point ρ (cos φ, sin φ) of the
    plane, ρ = tan(θ/2), without changing an angle. The pixels tile a rectangle around the north pole +z, which looks down on
    it: columns along +x, the first row at the largest y, and half the longer side is ρ = 1, so that a square image fills
    the northern hemisphere up to the equator, with corners to θ = 109.5°. Between the centres of pixels the value is
    bilinear; outside, paper: half a pixel beyond the edge it has faded to 0. So a digit f turned by R, f∘R⁻¹, is exactly
    `project_images(images, directions @ R)`: the same f in the directions R⁻¹r̂.
    Raises ValueError for shapes that do not fit and for a vector without direction (zero, NaN, infinite).
    """
    images, directions = np.asarray(images), np.asarray(directions)
    directions = directions.astype(np.result_type(directions, np.float32), copy=False)
    if images.ndim != 3:
        raise ValueError(f"images have shape {images.shape}; (M, height, width) is needed, images[None] for one")
    if directions.ndim not in (2, 3) or directions.shape[-1] != 3 or directions.shape[:-2] not in [(), (1,), images.shape[:1]]:
        raise ValueError(f"directions have shape {directions.shape} for {len(images)} images; (n, 3) or (M, n, 3) is needed")
    length = np.linalg.norm(directions, axis=-1)
    if (bad := np.flatnonzero(~((length > 0) & np.isfinite(length)))).size:
        raise ValueError(f"direction {bad[0]} is {directions.reshape(-1, 3)[bad[0]]}: it has no direction, leave it out")
    count, height, width = images.shape
    x, y, z = np.moveaxis(directions.reshape(-1, *directions.shape[-2:]), -1, 0)    # (1, n) or (M, n) each
    half = max(height, width) / 2
    scale = half / np.maximum(length + z, length / 10)                              # ρ (cos φ, sin φ) = (x, y) / (r + z)
    # of the image inside a frame of one pixel of paper, to which belongs all that lies farther out, and around the south pole
    column = np.where(z > -0.9 * length, np.clip(width / 2 + 0.5 + x * scale, 0, width + 1), 0)
    row = np.clip(height / 2 + 0.5 - y * scale, 0, height + 1)
    paper = np.pad(images, ((0, 0), (1, 1), (1, 1))).reshape(count, -1)
    left, top = np.minimum(column, width).astype(int), np.minimum(row, height).astype(int)
    right, down = column - left, row - top
    corner = top * (width + 2) + left

    def pixels(step: int) -> np.ndarray:
        return np.take_along_axis(paper, np.broadcast_to(corner + step, (count, corner.shape[1])), axis=1)

    upper = (1 - right) * pixels(0) + right * pixels(1)
    lower = (1 - right) * pixels(width + 2) + right * pixels(width + 3)
    return (1 - down) * upper + down * lower
