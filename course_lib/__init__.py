"""Machine learning of functions with symmetry: the methods behind the notebooks."""

import os

# Threads that wait must not spin: on a shared machine that costs twenty times what it gives. Read when torch is imported.
# In small letters: under a Turkish locale libgomp does not know "PASSIVE".
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
