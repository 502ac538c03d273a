"""A public host runs what we run: one script, on the systems that README names."""

import re

import pytest
import yaml


@pytest.fixture(scope="module")
def workflow(root) -> dict:
    return yaml.safe_load((root / ".github/workflows/test.yml").read_text())


@pytest.fixture(scope="module")
def job(workflow) -> dict:
    (job,) = workflow["jobs"].values()
    return job


def test_every_push_is_tested_on_linux_and_macos_by_the_one_script(workflow, job):
    assert {"push", "pull_request", "schedule"} <= set(workflow[True])  # YAML reads the key `on` as true
    assert {name.split("-")[0] for name in job["strategy"]["matrix"]["os"]} == {"ubuntu", "macos"}
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make constraints", "bash .ci/run"]


def test_the_script_holds_the_test_command_of_the_readme(root):
    script, readme = (root / ".ci/run").read_text(), (root / "README.md").read_text()
    assert re.search(r"^ +make test ", readme, re.MULTILINE) and re.search(r"^make test$", script, re.MULTILINE)
    assert re.search(r"^make browser$", script, re.MULTILINE)


def test_once_a_week_and_only_then_or_by_hand_versions_are_the_newest(workflow, job):
    (schedule,) = workflow[True]["schedule"]
    _, _, day, month, weekday = schedule["cron"].split()
    assert (day, month) == ("*", "*") and weekday in "0123456"
    (newest,) = [step for step in job["steps"] if step.get("run") == "make constraints"]
    assert newest["if"] == "github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'"


def test_it_may_only_read_and_names_a_version_of_every_action(workflow, job):
    assert workflow["permissions"] == {"contents": "read"}
    assert all(re.search(r"@v\d+$", step["uses"]) for step in job["steps"] if "uses" in step)


def test_pythons_are_those_that_the_project_supports(root, job):
    lowest = re.search(r'requires-python = ">=([\d.]+)"', (root / "pyproject.toml").read_text())[1]
    assert lowest in job["strategy"]["matrix"]["python"]
