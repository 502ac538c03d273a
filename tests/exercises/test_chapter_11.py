"""Chapter 11: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged
from sklearn.linear_model import Ridge

from course_lib.learning import NetworkPotential, Trainer
from course_lib.point_clouds import SchNet


def cfconv(x, W, senders, receivers):
    received = np.zeros_like(x)
    np.add.at(received, receivers, x[senders] * W)
    return received


def lost(x, W, senders, receivers):
    received = np.zeros_like(x)
    received[receivers] += x[senders] * W
    return received


def drift(times, energies, n_atoms):
    return abs(np.polyfit(times / 1000, energies / n_atoms, 1)[0])


def chosen(epochs=30, rate=5e-3, batch_size=2, network=None, force_weight=1.0, **settings):
    network = network or SchNet([1, 6, 8], **{"cutoff": 4.0, "n_features": 64, "n_rbf": 32} | settings)
    return NetworkPotential(network, Trainer(epochs=epochs, batch_size=batch_size, learning_rate=rate, ema=0.95),
                            force_weight=force_weight)


class Other(SchNet):
    pass


RIGHT = {"11.1": 58369, "11.2": cfconv, "11.3": drift, "11.4": chosen()}

WRONG = [
    ("11.1", 58561, "gives A₀ a bias too"),
    ("11.1", 57568, "leaves out all biases"),
    ("11.1", 20993, "counts one interaction"),
    ("11.1", 58177, "forgets the embedding"),
    ("11.1", 56256, "stops before the read-out"),
    ("11.1", 39553, "lacks the filter networks"),
    ("11.1", 1000, "1000 is not the number"),
    ("11.2", lost, "last message only"),
    ("11.2", lambda x, W, s, r: cfconv(x, W, r, s), "from receivers to senders"),
    ("11.2", lambda x, W, s, r: cfconv(x, W, r, r), "every atom hears itself"),
    ("11.2", lambda x, W, s, r: x + cfconv(x, W, s, r), "the sum of messages alone"),
    ("11.2", lambda x, W, s, r: cfconv(x, W, s, r) / np.maximum(np.bincount(r, minlength=5), 1)[:, None], "need the sum"),
    ("11.2", lambda x, W, s, r: cfconv(x, W, s, r)[:4], "it must be (5, 3)"),
    ("11.2", lambda x, W, s, r: cfconv(x, W**2, s, r), "atom 0 should receive"),
    ("11.3", lambda t, e, n: n * drift(t, e, n), "divide by the number of atoms"),
    ("11.3", lambda t, e, n: drift(t, e, n) / 1000, "a ps has 1000 fs"),
    ("11.3", lambda t, e, n: n * drift(t, e, n) / 1000, "per molecule and per fs"),
    ("11.3", lambda t, e, n: -drift(t, e, n), "a drift has no sign"),
    ("11.3", lambda t, e, n: abs(e[-1] - e[0]) / n / (t[-1] - t[0]) * 1000, "last minus first"),
    ("11.3", lambda t, e, n: np.ptp(e) / n, "largest minus smallest"),
    ("11.3", lambda t, e, n: np.std(e) / n, "standard deviation"),
    ("11.3", lambda t, e, n: 2 * drift(t, e, n), "it should be"),
    ("11.4", Ridge(), "not a Ridge"),
    ("11.4", chosen(network=Other([1, 6, 8])), "the network is a Other"),
    ("11.4", chosen(epochs=300), "at most 30 epochs"),
    ("11.4", chosen(n_features=128), "another game"),
    ("11.4", chosen(cutoff=2.0), "torsions are lost"),
    ("11.4", chosen(force_weight=0.0), "58 frames are 58 numbers"),
    ("11.4", chosen(rate=1.0), "overshoot"),
    ("11.4", chosen(epochs=1), "not below 200"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(list(RIGHT.items()), WRONG)
