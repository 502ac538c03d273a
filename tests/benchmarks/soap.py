"""SOAP and λ-SOAP against DScribe and featomic: n_max 8, l_max 6, cutoff 5 Å; 100 ethanol molecules, 512 silicon atoms."""

import numpy as np
from ase.build import bulk, molecule
from clock import compare
from dscribe.descriptors import SOAP as DScribe
from featomic import SoapPowerSpectrum, SphericalExpansion
from featomic.clebsch_gordan import EquivariantPowerSpectrum
from metatensor import Labels

from course_lib.kernels import SOAP, LambdaSOAP

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    ethanol = [molecule("CH3CH2OH") for _ in range(100)]
    silicon = [bulk("Si", cubic=True) * (4, 4, 4)]
    for atoms in ethanol + silicon:
        atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
    settings = dict(cutoff=dict(radius=5.0, smoothing=dict(type="ShiftedCosine", width=0.5)),
                    density=dict(type="Gaussian", width=0.5),
                    basis=dict(type="TensorProduct", max_angular=6, radial=dict(type="Gto", max_radial=7)))
    featomic = SoapPowerSpectrum(**settings)
    for name, frames, species in (("100 ethanol molecules", ethanol, [1, 6, 8]), ("512 silicon atoms", silicon, [14])):
        soap = SOAP(species=species).fit()
        dscribe = DScribe(r_cut=5, n_max=8, l_max=6, sigma=0.5, rbf="gto", species=species, periodic=frames[0].pbc.any())
        weights = soap.transform(frames)
        compare(f"SOAP of {name}", {
            "DScribe": lambda d=dscribe, f=frames: d.create(f),
            "featomic": lambda f=frames: featomic.compute(f),
            "SOAP.transform": lambda s=soap, f=frames: s.transform(f)}, reference="DScribe")
        compare(f"SOAP of {name} with derivatives", {
            "featomic": lambda f=frames: featomic.compute(f, gradients=["positions"]),
            "SOAP.transform and derivatives": lambda s=soap, f=frames: (s.transform(f), s.derivatives(f)),
            "SOAP.transform and pull_back": lambda s=soap, f=frames, w=weights: (s.transform(f), s.pull_back(f, w)),
            }, reference="featomic", rounds=7)
    equivariant = EquivariantPowerSpectrum(SphericalExpansion(**settings))
    keys = Labels(["o3_lambda", "o3_sigma"], np.array([[0, 1], [1, 1], [2, 1]]))
    features = [LambdaSOAP(degree=degree).fit(ethanol) for degree in range(3)]
    compare("λ-SOAP of 100 ethanol molecules, λ ≤ 2", {
        "featomic": lambda: equivariant.compute(ethanol, selected_keys=keys, neighbors_to_properties=True),
        "LambdaSOAP.transform": lambda: [f.transform(ethanol) for f in features]}, reference="featomic", rounds=5)
