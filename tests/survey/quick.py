"""Methods for tests, in a module of their own, so that workers can import them."""

import os
import signal
from pathlib import Path

import numpy as np

from course_lib.learning import CompositionBaseline, Potential, Prediction, labels
from course_lib.survey import Method


class Steady(CompositionBaseline):
    """Writes down every fit in the file COUNTED names, then learns the composition."""

    def _fit(self, frames, validation, progress):
        with open(os.environ["COUNTED"], "a") as file:
            file.write(f"{len(frames)} {int(1e6 * labels(frames).energies[0])}\n")
        super()._fit(frames, validation, progress)


class Mortal(Steady):
    """Kills its process the first time it is fitted to 3 frames."""

    def _fit(self, frames, validation, progress):
        marker = Path(os.environ["COUNTED"] + ".died")
        if len(frames) == 3 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        super()._fit(frames, validation, progress)


class Poison(CompositionBaseline):
    """Kills its process whenever it is fitted."""

    def _fit(self, frames, validation, progress):
        os.kill(os.getpid(), signal.SIGKILL)


class Broken(CompositionBaseline):
    """Cannot be fitted."""

    def _fit(self, frames, validation, progress):
        raise ArithmeticError("no luck today")


class NamesAtoms(Potential):
    """Reads x coordinates in the order of the rows: claims all, keeps nothing."""

    def _fit(self, frames, validation, progress):
        self.coefficients_ = np.arange(1.0, 6.0)

    def _predict(self, frames):
        return Prediction(np.array([atoms.positions[:, 0] @ self.coefficients_ for atoms in frames]))


class Explodes(CompositionBaseline):
    """Pushes every atom away from the middle, ever harder."""

    def _predict(self, frames):
        said = super()._predict(frames)
        return Prediction(said.energies, [1e3 * (atoms.positions - atoms.positions.mean(axis=0)) for atoms in frames])


def method(potential: type, name: str = "", **claims) -> Method:
    return Method(name=name or potential.__name__, make=Maker(potential), body_order="1", cost="constant", **claims)


class Maker:
    def __init__(self, potential):
        self.potential = potential

    def __call__(self, data, n):
        return self.potential()
