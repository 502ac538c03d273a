pytest_plugins = ["limits"]  # tests/notebooks/limits.py: what the kernel of each chapter may take
