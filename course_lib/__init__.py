"""Machine learning of functions with symmetry: the methods behind the notebooks."""

import os

# Threads that wait must not spin: on a shared machine that costs twenty times what it gives. Read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
