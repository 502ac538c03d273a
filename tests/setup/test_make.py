"""`make lab` and `make test`, with stand-ins for Python and pip that only write down what they are told."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Real answers to `python -c`; an environment is an empty folder with this script as its python; pip fails on request.
STAND_IN = """#!/bin/sh
echo "$@" >> commands
case "$1 $2" in
    "-c "*) exec {python} -c "import sys; sys.version_info = {version}; $2" ;;
    "-m venv") if [ "$3" = --clear ]; then rm -rf .venv; fi; mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    "-m pip") case "$*" in *"$PIP_FAILS"*) exit 1 ;; esac ;;
esac
"""

SETTINGS = "etc/jupyter/labconfig/default_setting_overrides.json"


class Checkout:
    """A copy of the files that `make` reads, with the stand-in as its Python."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        for name in ["Makefile", "pyproject.toml", "constraints.txt", SETTINGS]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)
        self.python()

    def python(self, version: tuple[int, ...] = (3, 11, 0)) -> None:
        script = self.folder / "python"
        script.write_text(STAND_IN.format(python=sys.executable, version=version))
        script.chmod(0o755)

    def make(self, *arguments: str, pip_fails: str = "never", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run make; `commands` then holds what the stand-in was told."""
        (self.folder / "commands").write_text("")
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "TORCH"))}
        return subprocess.run(
            ["make", "PYTHON=./python", *arguments],
            cwd=self.folder, env={**mine, "PIP_FAILS": pip_fails, **variables}, capture_output=True, text=True,
        )  # fmt: skip

    @property
    def commands(self) -> list[str]:
        return (self.folder / "commands").read_text().splitlines()

    def installed(self) -> list[str]:
        return [line for line in self.commands if line.startswith("-m")]


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Checkout:
    folder = tmp_path / "a folder with späces"
    folder.mkdir()
    return Checkout(folder, root)


def test_a_fresh_environment_is_pip_then_cpu_torch_then_the_project_then_the_tests(checkout):
    assert checkout.make(".venv/developer").returncode == 0
    venv, pip, torch, project, tests = checkout.installed()
    assert venv == "-m venv --clear .venv"
    assert "--constraint constraints.txt pip" in pip
    assert "--no-deps --retries 0 --index-url https://download.pytorch.org/whl/cpu torch==" in torch
    assert "--constraint constraints.txt --build-constraint constraints.txt --editable ." in project
    assert "--constraint constraints.txt --group test" in tests


def test_what_only_the_book_and_the_slides_need_is_installed_for_them_and_for_the_browser_tests(checkout):
    checkout.make(".venv/developer")
    assert not any("--group book" in line for line in checkout.commands)
    for target in ("slides", "book", "browser"):
        assert "--constraint constraints.txt --group book" in checkout.make("--dry-run", target).stdout
    assert checkout.make(".venv/book").returncode == 0 and len(checkout.installed()) == 1
    assert checkout.make(".venv/developer", ".venv/book").returncode == 0 and checkout.commands == []


def test_nothing_is_installed_when_nothing_has_changed(checkout):
    checkout.make(".venv/developer")
    assert checkout.make(".venv/developer").returncode == 0 and checkout.commands == []
    tests = checkout.make("--dry-run", "test").stdout.splitlines()
    assert [line.split()[0] for line in tests] == [
        f".venv/bin/{tool}" for tool in ("ruff", "lint-imports", "pytest", "pytest")
    ]
    (lab,) = checkout.make("--dry-run", "lab").stdout.splitlines()
    assert lab.startswith(".venv/bin/jupyter lab ") and lab.endswith(" notebooks/00_welcome.ipynb")


@pytest.mark.parametrize("changed", ["constraints.txt", SETTINGS])
def test_a_changed_pin_or_setting_brings_the_environment_up_to_date_without_building_it_anew(checkout, changed):
    checkout.make(".venv/developer")
    later = (checkout.folder / ".venv/developer").stat().st_mtime + 10
    os.utime(checkout.folder / changed, (later, later))
    assert checkout.make(".venv/developer").returncode == 0
    assert len(checkout.installed()) == 4 and not any("venv --clear" in line for line in checkout.commands)


@pytest.mark.parametrize("step", ["pip", "--no-deps", "--editable", "--group"])
def test_an_installation_interrupted_at_any_step_is_started_afresh(checkout, step):
    failing = {"pip": "constraints.txt pip"}.get(step, step)
    assert checkout.make(".venv/developer", pip_fails=failing).returncode != 0
    assert not list(checkout.folder.glob(".venv/reader")) and not list(checkout.folder.glob(".venv/developer"))
    (checkout.folder / ".venv/half-written").touch()
    assert checkout.make(".venv/developer").returncode == 0
    assert checkout.installed()[0] == "-m venv --clear .venv" and len(checkout.installed()) == 5
    assert not (checkout.folder / ".venv/half-written").exists()


def test_an_interrupted_update_is_started_afresh_too(checkout):
    checkout.make(".venv/developer")
    os.utime(checkout.folder / "constraints.txt", (4e9, 4e9))  # newer than any stamp
    assert checkout.make(".venv/reader", pip_fails="--editable").returncode != 0
    checkout.make(".venv/reader")
    assert "-m venv --clear .venv" in checkout.commands


def test_on_linux_the_cuda_build_is_installed_only_when_asked_for(checkout):
    refused = checkout.make("LINUX=Linux", "lab", pip_fails="--no-deps")
    attempts = [line for line in checkout.commands if "--no-deps" in line]
    assert refused.returncode != 0 and len(attempts) == 2
    assert all(re.search(r" torch==[0-9.]+\+cpu$", line) for line in attempts)
    cure = re.search(r"make (TORCH=torch==[0-9.]+) lab$", refused.stderr, flags=re.MULTILINE)
    assert cure, refused.stderr
    assert checkout.make(".venv/reader", cure[1]).returncode == 0
    assert any(line.endswith(" " + cure[1].removeprefix("TORCH=")) for line in checkout.commands)


def test_elsewhere_plain_torch_is_the_cpu_build(checkout):
    assert checkout.make("LINUX=", ".venv/reader").returncode == 0
    (torch,) = [line for line in checkout.commands if "--no-deps" in line]
    assert re.search(r" torch==[0-9.]+$", torch)


def test_a_mirror_that_pip_is_set_up_with_is_the_second_source_of_torch(checkout):
    assert checkout.make(".venv/reader", pip_fails="--index-url").returncode == 0
    first, second = [line for line in checkout.commands if "--no-deps" in line]
    assert "--index-url" in first and "index" not in second


def test_a_python_that_is_too_old_is_named_with_the_cure(checkout):
    checkout.python(version=(3, 10, 9))
    refused = checkout.make("lab")
    assert refused.returncode != 0
    assert "./python is not Python 3.11 or newer. Say where one is: make PYTHON=python3.11 lab" in refused.stderr
    assert not (checkout.folder / ".venv").exists()


def test_a_missing_venv_module_is_named_with_the_cure(checkout):
    script = checkout.folder / "python"
    script.write_text(script.read_text().replace("import sys;", "import sys; sys.modules['ensurepip'] = None;"))
    refused = checkout.make("lab")
    assert refused.returncode != 0 and "install its venv module" in refused.stderr and "Traceback" not in refused.stderr


def test_help_lists_every_target_that_can_be_asked_for(checkout):
    phony = re.search(r"^\.PHONY: (.*)$", (checkout.folder / "Makefile").read_text(), flags=re.MULTILINE)[1].split()
    listed = [line.split()[1] for line in checkout.make("help").stdout.splitlines()]
    assert sorted(listed) == sorted(phony)


def test_a_server_without_a_display_gets_the_address_instead_of_a_browser(checkout):
    checkout.make(".venv/reader")

    def lab(system: str, **screen: str) -> str:
        nothing = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""}
        return checkout.make("--dry-run", f"LINUX={system}", "lab", **{**nothing, **screen}).stdout

    assert "--no-browser" in lab("Linux")
    assert "--no-browser" not in lab("Linux", DISPLAY=":0") and "--no-browser" not in lab("")
