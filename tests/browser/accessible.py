"""What axe-core finds on a page that a reader who sees little, or nothing, would miss."""

from importlib.util import find_spec
from pathlib import Path

from playwright.sync_api import Page

RULES = ["image-alt", "color-contrast", "html-has-lang", "document-title", "link-name", "list", "listitem",
         "table-fake-caption", "td-headers-attr", "th-has-data-cells", "scrollable-region-focusable", "aria-hidden-focus"]


def violations(page: Page, within: str) -> list[str]:
    """One line for each violated rule, with its first places, in the part of the page that the selector `within` names."""
    script = Path(next(iter(find_spec("axe_playwright_python").submodule_search_locations))) / "axe.min.js"
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(script.read_text(encoding="utf-8"))
    found = page.evaluate("""([within, rules]) => axe.run(within, {runOnly: rules}).then(report => report.violations.map(
        rule => [rule.id, rule.nodes.length, rule.nodes.slice(0, 3).map(node => `${node.html.slice(0, 120)} ${
            (node.any[0]?.message || '').slice(0, 160)}`)]))""", [within, RULES])
    return [f"{rule}, {count} places: {' | '.join(places)}" for rule, count, places in found]
