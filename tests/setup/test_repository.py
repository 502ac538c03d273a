"""What the repository holds: links that lead somewhere, no trace of one machine, nothing that unpickles."""

import re
from pathlib import Path

from jupyter_server.services.config.manager import ConfigManager
from PIL import Image

TEXT = {".py", ".md", ".toml", ".yml", ".txt", ".cff", ".json", ".ipynb", ".csv", ""}
MACHINE = re.compile(r"(?<![\w.:/])/(work|root|opt|mnt|scratch|Users|home(?!/me/))/")
UNPICKLES = re.compile(
    r"(import|from) c?pickle\b|\bpickle\.\w|\bjoblib\.load\b|\btorch\.(load|save)\b|allow_pickle\s*=\s*True"
)


def links(text: str) -> list[str]:
    """Targets of Markdown links and pictures inside the repository, without the #fragment."""
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text))
    return [t.split("#")[0] for t in targets if not re.match(r"[a-z]+:|#", t)]


def dangling(page: Path) -> list[str]:
    return [target for target in links(page.read_text()) if not (page.parent / target).exists()]


def test_every_relative_link_leads_somewhere(shipped):
    pages = [path for path in shipped if path.suffix == ".md"]
    assert len(pages) >= 2
    assert {page.name: dangling(page) for page in pages if dangling(page)} == {}


def test_a_dangling_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("[a](page.md#top) [b](https://example.org) `[c](code.md)` ![d](lost.png)")
    assert dangling(page) == ["lost.png"]


def test_no_file_names_a_folder_of_one_machine(shipped):
    found = {
        str(path): line
        for path in shipped
        if path.suffix in TEXT and path != Path(__file__)
        for line in path.read_text().splitlines()
        if MACHINE.search(line)
    }
    assert found == {}


def test_a_machine_folder_is_recognised_and_an_address_is_not():
    assert MACHINE.search("open('/home/ada/data.npz')") and MACHINE.search("cd /root/course")
    assert not MACHINE.search("https://example.org/home/index.html") and not MACHINE.search("data/work/frames.npz")


def test_the_library_never_unpickles(shipped, root):
    sources = [path for path in shipped if path.is_relative_to(root / "course_lib") and path.suffix == ".py"]
    assert [str(path) for path in sources if UNPICKLES.search(path.read_text())] == []
    assert UNPICKLES.search("model = torch.load(path)") and UNPICKLES.search("np.load(f, allow_pickle=True)")


def test_the_installed_jupyterlab_asks_for_no_news_and_cuts_no_line():
    overrides = ConfigManager(config_dir_name="labconfig").get("default_setting_overrides")
    notification = overrides["@jupyterlab/apputils-extension:notification"]
    assert notification == {"fetchNews": "false", "checkForUpdates": False}
    assert overrides["@jupyterlab/notebook-extension:tracker"]["codeCellConfig"]["lineWrap"]


def test_the_cover_is_small_enough_for_the_front_page(root):
    assert (root / "docs/cover.png").stat().st_size <= 200_000
    assert Image.open(root / "docs/cover.png").width >= 1000


def test_the_map_has_all_chapters_in_order_and_links_exactly_those_that_exist(root):
    row = re.compile(r"^\|[^|]*\| \[?(\d\d) [^|\]]+(?:\]\(notebooks/([^)]+)\))? \|", re.MULTILINE)
    chapters = row.findall((root / "README.md").read_text())
    assert [int(number) for number, _ in chapters] == list(range(19))
    linked = {file for _, file in chapters if file}
    assert linked == {path.name for path in (root / "notebooks").glob("[0-9][0-9]_*.ipynb")}


def test_ci_ends_with_the_command_of_the_readme_and_the_browser(root):
    steps = (root / ".ci/run").read_text().split("\n")
    assert "set -euo pipefail" in steps
    assert [line for line in steps if line.startswith("make ")] == ["make test", "make browser"]
