"""Every registered method keeps what it declares, and a method of one's own is ten lines."""

from dataclasses import replace

import numpy as np
import pytest
import quick

from course_lib import survey
from course_lib.learning import NetworkPotential, Potential, Prediction, labels
from course_lib.structures import load
from course_lib.survey.measuring import in_double
from course_lib.symmetry import audit


def fitted(method, data):
    potential = method.make(data, len(data.train))
    if isinstance(potential, NetworkPotential):
        potential.trainer.set_params(epochs=2)
    return in_double(potential.fit(data.train[:12], data.validation[:2], progress=False))


@pytest.mark.parametrize("name", survey.METHODS)
def test_a_method_keeps_exactly_what_it_declares(name, methane):
    method = survey.METHODS[name]
    assert method.suits(methane)
    table = audit(fitted(method, methane), methane.test[:1], symmetry=method.symmetry, samples=2)
    assert set(table.verdict) <= {"kept", "not claimed", "not tested: no frame can tell"}, table.to_string()
    assert (table.verdict[table.declared & table.error.notna()] == "kept").all()


def test_a_method_that_declares_too_much_fails(methane):
    method = replace(survey.METHODS["scattering"], symmetry=survey.METHODS["GAP"].symmetry)
    assert "BROKEN" in set(audit(fitted(method, methane), methane.test[:2], symmetry=method.symmetry, samples=1).verdict)
    assert "BROKEN" in set(audit(fitted(quick.method(quick.NamesAtoms), methane), methane.test[:2]).verdict)


def test_at_least_twelve_methods_suit_ethanol_and_crystals_have_some():
    ethanol, silicon = load("ethanol"), load("silicon")
    assert sum(method.suits(ethanol) for method in survey.METHODS.values()) >= 12
    assert sum(method.suits(silicon) for method in survey.METHODS.values()) >= 6


def test_networks_take_as_many_steps_for_few_frames_as_for_many(methane):
    make = survey.METHODS["SchNet"].make
    steps = [make(methane, n).trainer.epochs * -(-n // make(methane, n).trainer.batch_size) for n in (5, 20, 50, 800)]
    assert max(steps) / min(steps) < 1.1


class Bonds(Potential):
    """A reader's own method: a parabola of the bonds' spread about 1.09 Å."""

    def _fit(self, frames, validation, progress):
        self.coefficients_ = np.polyfit(self._spread(frames), labels(frames).energies, 2)

    def _predict(self, frames):
        return Prediction(np.polyval(self.coefficients_, self._spread(frames)))

    def _spread(self, frames):
        lengths = [atoms.get_distances(0, range(1, len(atoms))) for atoms in frames]
        return np.array([((part - 1.09) ** 2).sum() for part in lengths])


def test_a_method_of_ones_own_runs_beside_the_others_and_is_registered_once(methane, monkeypatch):
    monkeypatch.setattr("course_lib.survey.registry.METHODS", dict(survey.METHODS))
    mine = survey.Method(name="bonds", make=lambda data, n: Bonds(), body_order="2", cost="n")
    table = survey.run([mine, "composition"], methane, [20], [0], progress=False).set_index("method")
    assert table.verdict["bonds"] == "kept"
    assert table["energy MAE (meV)"]["bonds"] < table["energy MAE (meV)"]["composition"]
    survey.register(mine)
    with pytest.raises(ValueError, match="registered already"):
        survey.register(replace(mine, cost="more"))
