"""Small ones of every kind, with three outputs."""

from course_lib.point_clouds import DeepSets, JanossyPooling, PointConvolution, PointNet, SetTransformer

SMALL = {"phi": (16, 16), "rho": (16,)}
POINTNET = {"local": (8, 8), "deep": (16, 16), "head": (16,)}
NETWORKS = {
    "Deep Sets, sum": DeepSets(3, **SMALL),
    "Deep Sets, mean": DeepSets(3, pooling="mean", **SMALL),
    "Deep Sets, max": DeepSets(3, pooling="max", **SMALL),
    "Deep Sets, mixing": DeepSets(3, mixing=True, **SMALL),
    "Deep Sets, radii": DeepSets(3, seen="inner products", **SMALL),
    "PointNet": PointNet(3, **POINTNET),
    "PointNet, not aligned": PointNet(3, align_points=False, align_features=False, **POINTNET),
    "Janossy, k = 1": JanossyPooling(3, k=1, **SMALL),
    "Janossy, k = 2": JanossyPooling(3, k=2, **SMALL),
    "Janossy, angles": JanossyPooling(3, k=2, seen="inner products", **SMALL),
    "Janossy, k = 3": JanossyPooling(3, k=3, **SMALL),
    "Janossy, sampled": JanossyPooling(3, k=2, samples=3, **SMALL),
    "Janossy, recurrent": JanossyPooling(3, k=None, samples=3, **SMALL),
    "Set Transformer, SAB": SetTransformer(3, width=16, inducing=None, seeds=2),
    "Set Transformer, ISAB": SetTransformer(3, width=16, inducing=4),
    "PointConv": PointConvolution(3, 2.0, "mlp", channels=(8, 8), n=6),
    "KPConv": PointConvolution(3, 2.0, "kernel_points", channels=(8, 8)),
    "radial convolution": PointConvolution(3, 2.0, "radial", channels=(8, 8)),
}
EXACT = [name for name in NETWORKS if name not in ("Janossy, sampled", "Janossy, recurrent")]
