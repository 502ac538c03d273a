"""Every page of prose keeps its word: links lead somewhere, Python runs, and commands of make exist."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data/README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:course_lib|tests|notebooks|data|docs|build)/[\w./-]+|[\w-]+\.(?:yml|toml|txt|md))`")
PLACEHOLDER = re.compile(r"NN_|_NN|/N\d|\bOWNER\b|\bADDRESS\b|<")


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and text of every code block, fenced or indented; an indented one is said to be a shell's."""
    for language, body in re.findall(r"^```(\S*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield language, body
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for body in re.findall(r"(?:^|\n\n)((?: {4}[^ \n-][^\n]*\n?)+)", rest):
        yield "sh", re.sub(r"^ {4}", "", body, flags=re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and the book make them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(text: str, page: Path) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found = []
    for target in LINK.findall(prose):
        path, _, anchor = target.partition("#")
        if re.match(r"https?:|mailto:", target):
            continue
        goal = (page.parent / path).resolve() if path else page
        if not goal.exists() or (anchor and goal.suffix == ".md" and anchor not in anchors(
                text if goal == page else goal.read_text(encoding="utf-8"))):
            found.append(target)
    return found


def missing_paths(text: str) -> list[str]:
    named = [name for name in PATH.findall(text) if not PLACEHOLDER.search(name) and not name.startswith("build/")]
    return [name for name in named if not (ROOT / name).exists()]


def unknown_commands(text: str) -> list[str]:
    """Commands of shell blocks and of `make …` in prose that this repository does not have."""
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [line for language, body in blocks(text) if language in ("sh", "bash", "") for line in body.splitlines()]
    lines += re.findall(r"`(make [^`]+)`", text)
    wrong = []
    for line in lines:
        words = shlex.split(line.replace("\\", "/"), comments=True)
        if words[:1] == ["make"]:
            asked = [word for word in words[1:] if "=" not in word]
            wrong += [line for word in asked if word not in targets]
        if "--group" in words and words[words.index("--group") + 1] not in project["dependency-groups"]:
            wrong.append(line)
        for word in words:
            if re.fullmatch(r"(?:docs|tests|data|course_lib|notebooks)/[\w./]+", word) and not (ROOT / word).exists():
                wrong.append(line)
    return wrong


def python(text: str) -> str:
    return "\n".join(body for language, body in blocks(text) if language == "python")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_paths_and_commands_of_the_page_are_there(page):
    text = page.read_text(encoding="utf-8")
    assert dead_links(text, page) == []
    assert missing_paths(text) == []
    assert unknown_commands(text) == []


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")],
                         ids=lambda path: path.name)
def test_the_python_of_the_page_runs_from_top_to_bottom(page):
    """In a Python of its own: the page must not need what another test has imported."""
    ran = subprocess.run([sys.executable, "-W", "error::SyntaxWarning", "-c", python(page.read_text(encoding="utf-8"))],
                         cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_every_version_of_torch_on_a_page_is_the_pinned_one():
    pinned = re.search(r"^torch==([\d.]+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[1]
    named = {version for page in PAGES for version in re.findall(r"torch==([\d.]*\d)", page.read_text(encoding="utf-8"))}
    assert named == {pinned}


def test_every_statement_of_the_conventions_is_asserted_beside_it():
    text = (ROOT / "docs/conventions.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        tests = [node for node in ast.walk(ast.parse(python(section))) if isinstance(node, ast.Assert)]
        assert tests, section.splitlines()[0]


@pytest.mark.parametrize(("check", "text", "complaint"), [
    (dead_links, "[a](README.md#the-map) [b](nowhere.md)", "nowhere.md"),
    (dead_links, "[a](README.md#no-such-heading)", "README.md#no-such-heading"),
    (missing_paths, "see `course_lib/structures` and `docs/nowhere.py`", "docs/nowhere.py"),
    (unknown_commands, "run `make test`, then `make sense`", "make sense"),
    (unknown_commands, "Do:\n\n    make lab\n    pip install --group nobody\n", "pip install --group nobody"),
    (unknown_commands, "```sh\npython docs/nowhere.py\n```", "python docs/nowhere.py"),
])
def test_each_fault_of_a_page_is_found(check, text, complaint):
    found = check(text, ROOT / "page.md") if check is dead_links else check(text)
    assert found == [complaint]
