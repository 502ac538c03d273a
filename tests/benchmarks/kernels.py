"""Global descriptors beside DScribe's, kernel ridge regression and Gaussian processes beside scikit-learn's."""

import numpy as np
from clock import compare
from dscribe.descriptors import CoulombMatrix as DScribeCoulombMatrix
from sklearn.gaussian_process import GaussianProcessRegressor, kernels
from sklearn.kernel_ridge import KernelRidge

from course_lib.kernels import RBF, BagOfBonds, CoulombMatrix, GaussianProcess
from course_lib.structures import load

if __name__ == "__main__":
    molecules = load("qm9_small").test
    rows = max(map(len, molecules))
    ours = {kind: CoulombMatrix(kind).fit(molecules) for kind in ("sorted", "eigenvalues")}
    theirs = {kind: DScribeCoulombMatrix(rows, kind) for kind in ("sorted_l2", "eigenspectrum")}
    bags = BagOfBonds().fit(molecules)
    compare("1000 molecules of at most 23 atoms", {
        "DScribe, sorted": lambda: theirs["sorted_l2"].create(molecules),
        "DScribe, eigenvalues": lambda: theirs["eigenspectrum"].create(molecules),
        "CoulombMatrix, sorted": lambda: ours["sorted"].transform(molecules),
        "CoulombMatrix, eigenvalues": lambda: ours["eigenvalues"].transform(molecules),
        "BagOfBonds": lambda: bags.transform(molecules)}, reference="DScribe, sorted", rounds=5)

    rng = np.random.default_rng(0)
    X, queries = rng.normal(size=(2000, 200)), rng.normal(size=(1000, 200))
    y = np.sin(X[:, 0])
    ridge, process = KernelRidge(kernel="rbf", gamma=0.5 / 100, alpha=0.01), GaussianProcess(RBF(1, 10), 0.1)
    peer = GaussianProcessRegressor(kernels.RBF(10), alpha=0.01, optimizer=None)
    assert np.allclose(ridge.fit(X, y).predict(queries), process.fit(X, y).predict(queries), atol=1e-9)
    compare("2000 points in 200 dimensions, fit", {
        "KernelRidge": lambda: ridge.fit(X, y), "GaussianProcessRegressor": lambda: peer.fit(X, y),
        "GaussianProcess": lambda: process.fit(X, y)}, reference="KernelRidge", rounds=9)
    compare("means at 1000 others", {
        "KernelRidge": lambda: ridge.predict(queries), "GaussianProcessRegressor": lambda: peer.predict(queries),
        "GaussianProcess": lambda: process.predict(queries)}, reference="KernelRidge", rounds=9)
    compare("means and standard deviations there", {
        "GaussianProcessRegressor": lambda: peer.predict(queries, return_std=True),
        "GaussianProcess": lambda: process.predict(queries, return_std=True)}, reference="GaussianProcessRegressor", rounds=9)
    few, target = X[:400, :5], y[:400]
    noisy = kernels.ConstantKernel() * kernels.RBF(2) + kernels.WhiteKernel(0.01)
    fitted = GaussianProcessRegressor(noisy, alpha=0, optimizer=None).fit(few, target)
    compare("evidence of 400 points and its three slopes", {
        "GaussianProcessRegressor": lambda: fitted.log_marginal_likelihood(fitted.kernel_.theta, eval_gradient=True),
        "GaussianProcess": lambda: GaussianProcess(RBF(1, 2), 0.1).log_marginal_likelihood(few, target)},
        reference="GaussianProcessRegressor", rounds=9)
