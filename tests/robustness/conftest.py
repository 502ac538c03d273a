"""Disks that are full or closed, as far as this machine lets a test have them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path

import pytest


@pytest.fixture
def full_disk():
    """A context in which no file of this process can become longer than so many bytes: writes really fail half way."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def full(room: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        with redirect_stderr(StringIO()):  # pytest keeps it in a file too
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return full


@pytest.fixture
def closed(tmp_path) -> Iterator:
    """Makes a folder one where nothing can be written: by its mode or, for root, by mounting it read-only."""
    mounted = []

    def close(folder: Path) -> None:
        folder.chmod(0o555)
        if os.access(folder, os.W_OK):
            for options in (["--bind", str(folder)], ["-o", "remount,ro,bind"]):
                if subprocess.run(["mount", *options, str(folder)], capture_output=True).returncode:
                    pytest.skip("root may write everywhere here, and may not mount")
                mounted[:] = [folder]

    yield close
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)
