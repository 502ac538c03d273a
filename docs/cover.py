"""The picture at the top of README.md: the real spherical harmonics of degree 0 to 4.

The surface of row l, column m is r(θ, φ) = |Y_lm(θ, φ)|, its colour the sign of Y_lm. A rotation mixes the surfaces of
one row and never those of two: each row is an irreducible representation of SO(3), of dimension 2l + 1.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image
from scipy.special import sph_harm_y

DEGREES = 5
POSITIVE, NEGATIVE = to_rgb("#E69F00"), to_rgb("#0072B2")  # Okabe and Ito's orange and blue
LIGHT = np.array([0.8, -0.1, 0.7]) / np.linalg.norm([0.8, -0.1, 0.7])


def real_harmonic(l: int, m: int, theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Real orthonormal Y_lm at polar angle theta and azimuth phi, without the Condon–Shortley sign."""
    value = (-1.0) ** m * sph_harm_y(l, abs(m), theta, phi)
    return value.real if m == 0 else np.sqrt(2) * (value.real if m > 0 else value.imag)


def shade(surface: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Light a surface (3, n, k) of colour (n, k, 3) from above left: diffuse light and a soft highlight."""
    normal = np.cross(np.gradient(surface, axis=1), np.gradient(surface, axis=2), axis=0)
    normal /= np.linalg.norm(normal, axis=0) + 1e-12
    facing = np.clip(np.einsum("c,cnk->nk", LIGHT, normal), 0, 1)[..., None]
    return np.clip(colour * (0.5 + 0.55 * facing) + 0.35 * facing**12, 0, 1)


def draw(axes: plt.Axes, l: int, m: int) -> None:
    theta, phi = np.meshgrid(np.linspace(1e-3, np.pi - 1e-3, 141), np.linspace(0, 2 * np.pi, 201), indexing="ij")
    value = real_harmonic(l, m, theta, phi)
    direction = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    surface = np.abs(value) / np.abs(value).max() * direction * (1 if l else 0.8)
    colour = np.where(value[..., None] > 0, POSITIVE, NEGATIVE)
    axes.plot_surface(
        *surface, facecolors=shade(surface, colour), shade=False, rstride=1, cstride=1, linewidth=0, antialiased=False
    )
    axes.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1), box_aspect=(1, 1, 1))
    axes.set_proj_type("ortho")
    axes.view_init(elev=22, azim=35)
    axes.set_axis_off()


def main() -> None:
    figure = plt.figure(figsize=(11, 6.4), dpi=330, facecolor="white")
    width, height, room = 1 / (2 * DEGREES - 1), 1 / DEGREES, 1.65  # a harmonic fills the middle of its axes
    for l in range(DEGREES):
        for m in range(-l, l + 1):
            centre = np.array([0.5 + m * width, 1 - (l + 0.5) * height])
            size = room * np.array([width, height])
            draw(figure.add_axes((*(centre - size / 2), *size), projection="3d", facecolor="none"), l, m)
    path = Path(__file__).with_suffix(".png")
    figure.savefig(path, metadata={"Software": None})
    picture = Image.open(path).convert("RGB").reduce(3)  # three samples a side smooth the edges
    picture.quantize(160, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
