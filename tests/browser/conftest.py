"""One Chromium for the whole run: a process has room for one synchronous Playwright."""

import lab
import pytest


@pytest.fixture(scope="session")
def running():
    with lab.browser() as running:
        yield running
