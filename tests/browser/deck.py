"""A deck of slides in Chromium without a network: what does not fit, what is not typeset, what could not be read."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

WIDTH, HEIGHT = 1280, 720
# Slide by slide: how far the furthest letter, formula or picture stands outside the screen or is cut off by what holds it.
LOOK = """() => {
    const seen = [];
    for (const [h, column] of [...document.querySelectorAll('.slides > section')].entries())
        for (const [v, section] of [...column.querySelectorAll(':scope > section')].entries()) {
            deck.slide(h, v);
            const content = section.querySelector('.content'), scrolled = content.matches('.scrolled');
            const things = [...section.querySelectorAll('h2, .block, .block *, mjx-container svg')].filter(
                thing => !thing.closest('mjx-assistive-mml, details, style') && !thing.parentElement.closest('svg'));
            const outside = thing => {
                const box = thing.getBoundingClientRect(), room = content.getBoundingClientRect();
                if (!box.width || !box.height) return 0;
                const bottom = thing.closest('.content') ? room.bottom : innerHeight;
                return Math.max(-box.left, -box.top, box.right - innerWidth, box.bottom - Math.min(innerHeight, bottom + 2));
            };
            const letters = [...section.querySelectorAll('.block')].filter(block => block.innerText.trim());
            const text = document.createTreeWalker(content, NodeFilter.SHOW_TEXT, node =>
                node.parentElement.closest('pre, code, svg, details, mjx-container') ? NodeFilter.FILTER_REJECT
                    : NodeFilter.FILTER_ACCEPT);
            let unset = false;
            while (text.nextNode()) unset ||= /\\$[^$]+\\$/.test(text.currentNode.data);
            seen.push({
                place: `${h + 1}.${v + 1} ${section.querySelector('h2').innerText.trim()}`, scrolled,
                overflow: scrolled ? 0 : Math.max(0, ...things.map(outside)),
                smallest: Math.min(99, ...[...section.querySelectorAll('.block pre, .block p, .block td, .block li')].filter(
                    block => block.innerText.trim()).map(block => parseFloat(getComputedStyle(block).fontSize))),
                unset: unset || section.querySelectorAll('.page mjx-merror').length > 0,
                blank: !letters.length && ![...section.querySelectorAll('img')].some(image => image.naturalWidth > 0),
                missing: [...section.querySelectorAll('img')].some(image => !image.naturalWidth || !image.alt.trim()),
            });
        }
    return seen;
}"""


@dataclass(frozen=True)
class Seen:
    """One slide: pixels of overflow, size of the smallest letters in pixels, and what is wrong with it."""

    place: str
    scrolled: bool
    overflow: float
    smallest: float
    unset: bool
    blank: bool
    missing: bool


def look(running: Browser, path: Path, pictures: Path | None = None) -> tuple[list[Seen], list[str]]:
    """Every slide of the deck in a window of 1280 × 720 pixels, and complaints of the page; screenshots into `pictures`."""
    complaints = []
    page = running.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    try:
        page.context.set_offline(True)
        page.on("pageerror", lambda error: complaints.append(f"the page crashed: {error}"))
        page.on("requestfailed", lambda request: complaints.append(f"not found: {request.url[:200]}"))
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:"))
                else complaints.append(f"a request left the machine: {request.url}"))
        page.goto(path.resolve().as_uri())
        page.wait_for_function("() => window.deck?.isReady()", timeout=60_000)
        seen = [Seen(**slide) for slide in page.evaluate(LOOK)]
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            page.evaluate("() => deck.slide(0, 0)")
            for number in range(len(seen)):
                page.screenshot(path=pictures / f"{path.stem}-slide-{number:02}.png")
                page.evaluate("() => deck.next()")
        return seen, complaints
    finally:
        page.close()
