"""pyproject.toml, constraints.txt, environment.yml, the Makefile and README describe one environment."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

SYSTEMS = [
    {"sys_platform": platform, "os_name": os, "platform_machine": machine, "python_full_version": f"{python}.9",
     "python_version": python, "implementation_name": "cpython", "platform_python_implementation": "CPython"}
    for platform, os, machine in [
        ("linux", "posix", "x86_64"), ("linux", "posix", "aarch64"),
        ("darwin", "posix", "arm64"), ("win32", "nt", "AMD64"),
    ]
    for python in ["3.11", "3.12", "3.13", "3.14"]
]  # fmt: skip


def parse(lines: str) -> list[Requirement]:
    return [Requirement(line) for line in lines.splitlines() if line and not line.startswith("#")]


def unmet(requirements: list[Requirement], pins: list[Requirement], system: dict[str, str]) -> list[str]:
    """The requirements to which one system has no single pin within their bounds."""
    pinned: dict[str, list[str]] = {}
    for pin in pins:
        if pin.marker is None or pin.marker.evaluate(system):
            pinned.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
    problems = []
    for requirement in requirements:
        versions = pinned.get(canonicalize_name(requirement.name), [])
        if len(versions) != 1 or versions[0] not in requirement.specifier:
            problems.append(f"{requirement} has the pins {versions}")
    return problems


@pytest.fixture(scope="module")
def pyproject(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def requirements(pyproject: dict) -> list[Requirement]:
    """What readers, testers and pip's isolated build of the project need."""
    groups = [line for group in pyproject["dependency-groups"].values() for line in group if isinstance(line, str)]
    needs = pyproject["project"]["dependencies"] + pyproject["build-system"]["requires"] + groups
    return [Requirement(line) for line in needs]


@pytest.fixture(scope="module")
def pins(root: Path) -> list[Requirement]:
    return parse((root / "constraints.txt").read_text())


@pytest.fixture(scope="module")
def torch(pins: list[Requirement]) -> str:
    (pin,) = [pin for pin in pins if pin.name == "torch"]
    return str(pin.specifier).removeprefix("==")


@pytest.fixture(scope="module")
def environment(root: Path) -> dict:
    return yaml.safe_load((root / "environment.yml").read_text())


@pytest.mark.parametrize(
    "system", SYSTEMS, ids=lambda s: f"{s['sys_platform']}-{s['platform_machine']}-{s['python_version']}"
)
def test_every_requirement_has_one_pin_within_its_bounds_on_every_system(requirements, pins, system):
    assert unmet(requirements, pins, system) == []


def test_a_missing_a_doubled_and_an_outdated_pin_are_each_found():
    wanted = [Requirement("numpy>=2.4,<3")]
    assert unmet(wanted, parse("numpy==2.4.6"), SYSTEMS[0]) == []
    for pins in [
        "",
        "numpy==2.4.6\nnumpy==2.5.0",
        "numpy==2.3.9",
        "numpy==3.0",
        "numpy==2.4.6 ; sys_platform == 'win32'",
    ]:
        assert unmet(wanted, parse(pins), SYSTEMS[0])


def test_every_bound_has_a_floor_and_a_ceiling(requirements):
    for requirement in requirements:
        assert {">=", "<"} == {specifier.operator for specifier in requirement.specifier}, requirement


def test_pins_are_exact_and_bring_no_cuda_along(pins):
    for pin in pins:
        assert [specifier.operator for specifier in pin.specifier] == ["=="], pin
        assert not re.match("nvidia|cuda|triton", pin.name), pin


def test_every_file_that_names_a_torch_version_names_the_pinned_one(root, torch):
    for name in ["Makefile", "README.md", "CONTRIBUTING.md", "environment.yml", ".ci/run"]:
        for version in re.findall(r"\btorch==([0-9][0-9.]*)", (root / name).read_text()):
            assert version == torch, f"{name} names torch {version}, constraints.txt {torch}"


def test_environment_yml_installs_the_pinned_project_and_on_linux_only_the_cpu_build_of_torch(environment, torch):
    assert environment["name"] == "course_lib" and environment["channels"] == ["conda-forge"]
    assert environment["dependencies"][1] == "pip"
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    options = [line for line in pip if line.startswith("--")]
    assert options == [
        "--find-links https://download.pytorch.org/whl/cpu/torch/", "--constraint constraints.txt", "--editable .",
    ]  # fmt: skip
    (requirement,) = [Requirement(line) for line in pip if not line.startswith("--")]
    assert requirement.name == "torch" and requirement.specifier == SpecifierSet(f"=={torch}+cpu")
    assert [requirement.marker.evaluate({"sys_platform": p}) for p in ("linux", "darwin", "win32")] == [
        True,
        False,
        False,
    ]
    assert Version(torch) not in requirement.specifier  # the CUDA build on Linux can never stand in


def test_the_python_of_environment_yml_is_one_the_project_supports(environment, pyproject):
    python = environment["dependencies"][0].removeprefix("python=")
    assert Version(python) in SpecifierSet(pyproject["project"]["requires-python"])


def test_the_windows_lines_of_the_readme_install_the_project_under_the_constraints(root):
    windows = re.findall(r"^    (py -3 .*|\.venv\\Scripts.*)$", (root / "README.md").read_text(), flags=re.MULTILINE)
    assert len(windows) == 3
    assert windows[0] == "py -3 -m venv .venv"
    assert "--constraint constraints.txt --editable ." in windows[1]
    assert windows[2].endswith(r"jupyter lab notebooks\00_welcome.ipynb")


def test_the_version_is_the_same_in_the_citation(root, pyproject):
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == pyproject["project"]["version"]
    assert citation["license"] == pyproject["project"]["license"] == "MIT"
