"""A learned potential as an ASE calculator: molecular dynamics, relaxation and phonons then work unchanged."""

from typing import TYPE_CHECKING, ClassVar

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from course_lib.structures import VerletList

if TYPE_CHECKING:
    from course_lib.learning.network_potential import NetworkPotential
    from course_lib.learning.potential import Potential
    from course_lib.learning.prediction import Prediction


class PotentialCalculator(Calculator):
    """Energy (eV), forces (eV/Å) and, for a cell with a volume, stress (eV/Å³, Voigt order) of a fitted potential.

    What the potential does not give raises ASE's PropertyNotImplementedError; bad frames raise as `predict` does.
    """

    implemented_properties: ClassVar = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, potential: "Potential") -> None:
        super().__init__()
        self.potential, self.fitted = potential, potential.species_

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """What has changed since the last result; all has, if the potential was fitted again."""
        return list(all_changes) if self.potential.species_ is not self.fitted else super().check_state(atoms, tol)

    def calculate(self, atoms: Atoms | None = None, properties=("energy",), system_changes=tuple(all_changes)) -> None:
        super().calculate(atoms, properties, system_changes)
        prediction, self.fitted = self._prediction(self.atoms), self.potential.species_
        energy = float(prediction.energies[0])
        self.results = {"energy": energy, "free_energy": energy}
        if prediction.forces is not None:
            self.results["forces"] = prediction.forces[0]
        if prediction.stresses is not None and self.atoms.cell.rank == 3:
            self.results["stress"] = full_3x3_to_voigt_6_stress(prediction.stresses[0])

    def _prediction(self, atoms: Atoms) -> "Prediction":
        return self.potential.predict([atoms])


class NetworkCalculator(PotentialCalculator):
    """The same of a `NetworkPotential`, which looks for neighbours anew only when an atom has moved by half the `skin` (Å)."""

    def __init__(self, potential: "NetworkPotential", skin: float = 0.5) -> None:
        super().__init__(potential)
        self.neighbours = VerletList(potential.network.cutoff, skin)

    def _prediction(self, atoms: Atoms) -> "Prediction":
        return self.potential.predict([atoms], lambda frames: [self.neighbours.graph(frames[0])])
