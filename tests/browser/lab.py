"""JupyterLab as a reader has it, in a real Chromium, watched: errors, requests that leave the machine, pixels.

Works on a copy of the notebooks, with a JupyterLab configuration of its own, so that nothing of the reader's is touched.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).parents[2]
NOTEBOOKS, SCREENSHOTS = ROOT / "notebooks", ROOT / "screenshots"
WIDTH, HEIGHT = 1150, 1500          # of the visible part of a notebook, pixels
RUN_SECONDS = 300
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-gpu", "--enable-unsafe-swiftshader"]
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # keep cells that are out of sight in the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer"


def chromium() -> str:
    """Path of Chromium. Raises FileNotFoundError with the cure when there is none."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not path:
        raise FileNotFoundError(f"no Chromium: none of {NAMES} is on the PATH. Install one (apt install chromium, or any "
                                "Chrome), or give its path: CHROMIUM=/path/to/chrome make browser")
    return path


@contextmanager
def jupyterlab(notebooks: Path, home: Path) -> Iterator[str]:
    """Serve `notebooks`, a folder alone in its own, by JupyterLab configured in the empty `home`; gives its address."""
    for beside in ("data", "tests"):  # tables and fixtures that chapters read beside their own folder
        (notebooks.parent / beside).symlink_to(NOTEBOOKS.parent / beside)
    for name, settings in SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_SETTINGS_DIR": "settings",
               "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython"}
    environment = os.environ | {name: str(home / folder) for name, folder in folders.items()}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
               "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
               f"--ServerApp.root_dir={notebooks}"]
    address, log = f"http://127.0.0.1:{port}", home / "server.log"
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as server:
        try:
            deadline = monotonic() + 60
            while True:
                try:
                    urlopen(f"{address}/api").close()
                    break
                except URLError as error:
                    if server.poll() is not None or monotonic() > deadline:
                        raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}") from error
                    sleep(0.2)
            yield address
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


class Notebook:
    """One notebook open in JupyterLab."""

    def __init__(self, page: Page, address: str, name: str):
        self.page, self.name, self.outside, self.crashes = page, name, [], []
        page.on("request", lambda request: self.outside.append(request.url)
                if not request.url.startswith((address, address.replace("http", "ws"), "data:", "blob:")) else None)
        page.on("pageerror", lambda error: self.crashes.append(str(error)))
        page.goto(f"{address}/lab/tree/{name}?reset")
        page.wait_for_selector(f"{PANEL} .jp-Cell", timeout=60_000)
        page.wait_for_selector("#jp-main-statusbar :text('(ipykernel) | Idle')", timeout=60_000)  # a kernel, connected
        page.keyboard.press("Control+b")  # close the file browser: a page as wide as it gets

    def run_all(self) -> None:
        """Run All Cells, and wait until no cell is queued. Raises TimeoutError."""
        self.page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        self.page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
        self.page.wait_for_function(
            """() => {
                const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent);
                return document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'
                    && prompts.some(text => /\\d/.test(text)) && !prompts.some(text => text.includes('*'));
            }""", timeout=RUN_SECONDS * 1000)
        self.settle()

    def settle(self, seconds: float = 1.5) -> None:
        """Give widgets time to draw."""
        self.page.wait_for_timeout(seconds * 1000)

    def complaints(self) -> list[str]:
        """Everything that went wrong, in words."""
        said = self.page.locator('[data-mime-type="application/vnd.jupyter.error"], '
                                 '[data-mime-type="application/vnd.jupyter.stderr"], .jp-OutputArea-output '
                                 '.jupyter-widgets-error-widget').all_inner_texts()
        return ([f"an output says: {text[:300]}" for text in said] + [f"the page crashed: {text}" for text in self.crashes]
                + [f"a request left the machine: {url}" for url in self.outside]
                + [f"a picture has no alt text: {html[:80]}" for html in self.without_alt()])

    def without_alt(self) -> list[str]:
        return self.page.eval_on_selector_all(
            f"{PANEL} .jp-OutputArea img, {PANEL} .jp-RenderedMarkdown img",
            "images => images.filter(i => !i.getAttribute('alt')?.trim()).map(i => i.outerHTML.slice(0, 80))")

    def hover(self, slider: Locator) -> Locator:
        """Put the mouse on the slider's output, without which nglview hides its player; gives that output."""
        place = slider.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea-output')][1]")
        place.scroll_into_view_if_needed()
        place.hover()
        self.settle(0.5)
        return place

    def sliders(self) -> list[Locator]:
        found = self.page.locator(f"{PANEL} .jp-OutputArea .widget-slider:has(.noUi-handle)").all()
        return [slider for slider in found if self.hover(slider) and slider.is_visible()]

    def moves_its_picture(self, slider: Locator) -> bool:
        """Whether three presses of the right (or, at the end, the left) arrow key change the picture beside the slider."""
        place = self.hover(slider)

        def seen() -> list:
            return [*place.locator("img").evaluate_all("images => images.map(i => i.src)"),
                    *(canvas.screenshot() for canvas in place.locator("canvas").filter(visible=True).all())]

        before, handle = seen(), slider.locator(".noUi-handle").first
        for key in ("ArrowRight", "ArrowLeft"):
            handle.focus()
            for _ in range(3):
                self.page.keyboard.press(key)
            for _ in range(20):
                self.page.wait_for_timeout(250)
                if seen() != before:
                    return True
        return False

    def viewers(self) -> list[Locator]:
        return self.page.locator(f"{PANEL} .jp-OutputArea canvas").filter(visible=True).all()

    def pages(self, folder: Path) -> list[Path]:
        """Screenshots of the whole notebook, 1500 pixels at a time."""
        folder.mkdir(exist_ok=True)
        panel, stem, saved = self.page.locator(PANEL).first, Path(self.name).stem, []
        for number in range(int(np.ceil(panel.evaluate("panel => panel.scrollHeight") / HEIGHT))):
            panel.evaluate(f"panel => panel.scrollTo(0, {number * HEIGHT})")
            self.settle(0.6)
            saved.append(folder / f"{stem}-page-{number:02}.png")
            panel.screenshot(path=saved[-1])
        return saved

    def cells(self, folder: Path) -> list[Path]:
        """A screenshot of the outputs of each cell that has some."""
        folder.mkdir(exist_ok=True)
        saved = []
        for number, cell in enumerate(self.page.locator(f"{PANEL} .jp-Cell").all()):
            output = cell.locator(".jp-Cell-outputArea")
            if output.count() and output.is_visible() and output.bounding_box()["height"] > 5:
                saved.append(folder / f"{Path(self.name).stem}-cell-{number:02}.png")
                output.scroll_into_view_if_needed()
                self.settle(0.3)
                output.screenshot(path=saved[-1])
        return saved


def painted(place: Locator) -> float:
    """Fraction of the pixels that differ from the commonest colour."""
    place.scroll_into_view_if_needed()
    pixels = np.asarray(Image.open(BytesIO(place.screenshot())).convert("RGB")).reshape(-1, 3).astype(int)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    return float((np.abs(pixels - colours[counts.argmax()]).sum(-1) > 30).mean())


@contextmanager
def opened(running: Browser, address: str, name: str) -> Iterator[Notebook]:
    page = running.new_page(viewport={"width": WIDTH, "height": HEIGHT + 110})
    try:
        yield Notebook(page, address, name)
    finally:
        page.close()
