"""Machine learning of functions with symmetry: the methods behind the notebooks."""
