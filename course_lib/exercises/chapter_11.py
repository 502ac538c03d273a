"""Checks of chapter 11: a SchNet's weights counted, its convolution, the drift of an energy, a training well chosen."""

from collections.abc import Callable

import numpy as np
from sklearn.base import clone

from course_lib.exercises.core import register, require
from course_lib.learning import NetworkPotential, labels
from course_lib.structures import load


@register("11.1", "A dense layer from a to b has a · b weights and b biases. Go through the equation from left to right.",
          "A₀ has no bias. The read-out goes from 64 features to 32 and from there to 1.")
def weights(answer: int) -> str:
    require(answer != 58561, "58561 gives A₀ a bias too; it has none.")
    require(answer != 57568, "57568 leaves out all biases; every layer but A₀ has one.")
    require(answer != 20993, "20993 counts one interaction; there are three, each with weights of its own.")
    require(answer != 58177, "58177 forgets the embedding: 64 numbers for each of 3 elements.")
    require(answer != 56256, "56256 stops before the read-out.")
    require(answer != 39553, "39553 lacks the filter networks, C₁ from 32 Gaussians and C₂.")
    require(answer == 58369, f"{answer} is not the number; add up embedding, three interactions, read-out.")
    return "192 + 3 · 18688 + 2113 = 58369, whatever the molecule."


@register("11.2", "Multiply the senders' features with the filters, channel by channel, and add up at the receivers.",
          "v[receivers] += … keeps one message of each receiver; np.add.at(v, receivers, …) adds them all.")
def convolution(answer: Callable) -> str:
    rng = np.random.default_rng(112)
    x, W = rng.normal(size=(5, 3)), rng.normal(size=(8, 3))
    senders, receivers = np.array([1, 2, 3, 0, 2, 0, 1, 3]), np.array([0, 0, 0, 1, 1, 2, 2, 2])
    right = np.zeros_like(x)
    np.add.at(right, receivers, x[senders] * W)
    found = np.asarray(answer(x.copy(), W, senders, receivers))
    require(found.shape == x.shape, f"for 5 atoms with 3 features your result has shape {found.shape}, it must be (5, 3); "
                                    "the last atom has no neighbour and receives zeros.")
    lost = np.zeros_like(x)
    lost[receivers] += x[senders] * W
    require(not np.allclose(found, lost), "each atom kept its last message only: v[receivers] += … does not add up rows that "
                                          "occur twice.")
    backwards = np.zeros_like(x)
    np.add.at(backwards, senders, x[receivers] * W)
    require(not np.allclose(found, backwards), "the messages go from receivers to senders.")
    own = np.zeros_like(x)
    np.add.at(own, receivers, x[receivers] * W)
    require(not np.allclose(found, own), "every atom hears itself: take the features of the senders.")
    require(not np.allclose(found, x + right), "this is x plus the messages; the sum of messages alone is asked for.")
    counts = np.maximum(np.bincount(receivers, minlength=5), 1)[:, None]
    require(not np.allclose(found, right / counts), "this is the mean over neighbours; energies need the sum, or two atoms "
                                                    "far apart would count differently together and alone.")
    require(np.allclose(found, right), f"atom 0 should receive {np.round(right[0], 2)}, yours {np.round(found[0], 2)}.")
    return "A sum over edges; at a grid's points it is the convolution of a picture."


@register("11.3", "np.polyfit(times, energies, 1)[0] is the slope of the line of least squares.",
          "Units: eV per atom, and per ps; a ps has 1000 fs.")
def drift(answer: Callable) -> str:
    times = np.arange(0, 2000, 0.5)
    tremor = 2e-3 * np.sin(2 * np.pi * times / 11.7 + 1.0)
    totals = -4215.0 - 9 * 3e-4 * times / 1000 + tremor
    right = abs(np.polyfit(times / 1000, totals / 9, 1)[0])
    found = float(answer(times, totals, 9))
    for value, reason in {
        9 * right: "divide by the number of atoms: a drift is a property of the method, not of the size.",
        right / 1000: "this is per fs; a ps has 1000 fs.",
        9 * right / 1000: "this is per molecule and per fs; a drift is given per atom and per ps.",
        -right: "a drift has no sign: give its absolute value.",
        abs(totals[-1] - totals[0]) / 9 / (times[-1] / 1000): "last minus first sees where the tremor happens to end; lay a "
                                                              "line through all.",
        np.ptp(totals) / 9: "largest minus smallest is the tremor of the integrator, which is there without any drift.",
        np.std(totals) / 9: "the standard deviation is mostly the tremor of the integrator, which is there without any drift.",
    }.items():
        require(not np.isclose(found, value, rtol=1e-6), reason)
    require(np.isclose(found, right, rtol=1e-3), f"it should be {right:.2e} eV/atom/ps, yours is {found:.2e}.")
    return "A tremor averages out, the drift adds up: measure it over many periods."


@register("11.4", "Two hundred steps are few. Smaller batches give more steps for the same number of epochs; what is the best "
                  "learning rate then?",
          "A running mean over the weights (ema) with few steps must be short: 0.9 or 0.95 rather than 0.99.")
def chosen(answer: NetworkPotential) -> str:
    require(isinstance(answer, NetworkPotential), f"give a NetworkPotential(SchNet(…), Trainer(…)), not a "
                                                  f"{type(answer).__name__}.")
    network, trainer = answer.network, answer.trainer
    require(type(network).__name__ == "SchNet", f"the network is a {type(network).__name__}; this is about SchNet.")
    require(trainer is not None and trainer.epochs <= 30, "at most 30 epochs: the exercise is to use them well.")
    require(network.n_features <= 64 and network.n_interactions <= 3, "at most 64 features and 3 interactions; larger ones "
                                                                      "are another game.")
    require(network.cutoff > 2.6, f"within {network.cutoff:g} Å an atom does not see the hydrogens of the next group: torsions "
                                  "are lost.")
    require(answer.force_weight > 0, "without forces, 58 frames are 58 numbers; take their 1566 force components too.")
    require(trainer.learning_rate < 0.1, f"at a learning rate of {trainer.learning_rate:g} the steps overshoot.")
    data = load("ethanol")
    said = clone(answer).set_params(random_state=0).fit(data.train[::14], progress=False).predict(data.test[::8])
    error = np.abs(np.concatenate(said.forces) - np.concatenate(labels(data.test[::8]).forces)).mean()
    require(error < 0.2, f"{1000 * error:.0f} meV/Å on the test frames, not below 200.")
    return "Below 200 meV/Å on test frames, from 58: many short steps, and 27 forces a frame."
