"""A small survey: methane with forces, and methods that take no time."""

from dataclasses import replace

import pytest

from course_lib.structures import load


@pytest.fixture(scope="session")
def methane():
    data = load("methane_b3lyp")
    return replace(data, train=data.train[:40], validation=data.validation[:5], test=data.test[:6])
