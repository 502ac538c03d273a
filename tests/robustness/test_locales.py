"""Terminals that know no Å and no α, languages with another i: commands answer, and files are read as what they are."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = """
import runpy, sys
for words in (["data"], ["data", "ethanol"], ["methods"], ["audit", "--help"], ["audit", "schnet_ethanol_0", "--frames", "1"],
              ["data", "n\\xf6thing"]):
    sys.argv = ["course_lib", *words]
    try:
        runpy.run_module("course_lib", run_name="__main__")
    except SystemExit as end:
        print("ended:", *map(ascii, words), end.code)
"""
ENDED = ["'data' 0", "'data' 'ethanol' 0", "'methods' 0", "'audit' '--help' 0", "'audit' 'schnet_ethanol_0' '--frames' '1' 0",
         "'data' 'n\\xf6thing' 2"]
PLAIN = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def surroundings(case: str, folder: Path) -> dict[str, str]:
    if case == "C":
        return PLAIN | {"LC_ALL": "C"}
    if case == "ascii":
        return {"PYTHONIOENCODING": "ascii"}
    if not shutil.which("localedef") or subprocess.run(
            ["localedef", "-i", case, "-f", "ISO-8859-9", folder / case], capture_output=True).returncode > 1:
        pytest.skip(f"no locale {case} can be made here")
    return PLAIN | {"LOCPATH": str(folder), "LC_ALL": case}


@pytest.mark.parametrize("case", ["C", "ascii", "tr_TR"])
def test_every_command_answers_where_a_terminal_lacks_letters(case, tmp_path):
    environment = os.environ | surroundings(case, tmp_path)
    ran = subprocess.run([sys.executable, "-c", COMMANDS], env={k: v for k, v in environment.items() if k != "OMP_WAIT_POLICY"},
                         capture_output=True, cwd=ROOT)
    said, complaints = ran.stdout.decode("latin1"), ran.stderr.decode("latin1")
    assert [line.removeprefix("ended: ") for line in said.splitlines() if line.startswith("ended:")] == ENDED, complaints
    assert "eV/" in said and "kept" in said and "no data set is called" in complaints
    assert "codec" not in complaints and "libgomp" not in complaints  # which in Turkish does not know PASSIVE, with an I


def by_locale(source: str) -> list[int]:
    """Lines where a text file is opened without saying how it is encoded."""
    def named(call):
        return {keyword.arg for keyword in call.keywords} & {"encoding", None}

    def binary(call):
        return any(isinstance(word, ast.Constant) and isinstance(word.value, str) and {"b", "|"} & set(word.value)
                   for given in [*call.args, *(keyword.value for keyword in call.keywords)] for word in ast.walk(given))

    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [(getattr(call.func, "attr", getattr(call.func, "id", "")), call) for call in calls]
    return [call.lineno for name, call in names if not named(call) and (
        name in ("read_text", "write_text") or (name == "open" and not binary(call) and not of_something_else(call)))]


def of_something_else(call: ast.Call) -> bool:
    """`Image.open`, `tarfile.open`, the `open` of an archive: not of a text file."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in ("Image", "tarfile", "package")


def test_no_text_is_read_or_written_as_the_locale_has_it():
    sources = [path for folder in ("course_lib", "docs") for path in (ROOT / folder).rglob("*.py")]
    assert {str(path): lines for path in sources if (lines := by_locale(path.read_text(encoding="utf-8")))} == {}
    careless, careful = "p.read_text()\nopen(p)\np.open('a')\n", "open(p, 'rb')\nopen(p, encoding='utf-8')\nImage.open(p)"
    assert by_locale(careless + careful) == [1, 2, 3]
