// Starts reveal.js when the formulas are typeset and every slide fits: what is too much goes to a slide of its own below,
// what then is still too large gets smaller letters, a long table is cut in two, and anything else that is too large scrolls.
const SHRUNK = 0.84, SMALLEST = 0.72, STEP = 0.04;

window.MathJax = {
    tex: { inlineMath: [["$", "$"], ["\\(", "\\)"]], displayMath: [["$$", "$$"], ["\\[", "\\]"]], processEscapes: true },
    svg: { fontCache: "none" },  // so that formulas of the notes can be shown in the speaker's window
    options: { enableMenu: false, skipHtmlTags: ["script", "style", "pre", "code"] },
};

function overflows(page) {
    const content = page.querySelector(".content");
    return [page, content].some(box => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1);
}

function narrow(formula, width) {  // a formula too wide for its line gets smaller letters of its own
    const wanted = formula.querySelector("svg").getBoundingClientRect().width;
    if (wanted > width) formula.style.fontSize = `${Math.floor(100 * width / wanted)}%`;
}

function fits(page, smallest) {
    for (let scale = 1; scale > smallest - 1e-6; scale -= STEP) {
        page.style.setProperty("--scale", scale.toFixed(2));
        if (!overflows(page)) return true;
    }
    return false;
}

function continuation(page) {
    const section = page.parentElement.cloneNode(true);
    page.parentElement.after(section);
    section.querySelector(".content").replaceChildren();
    return section.querySelector(".page");
}

function halve(block) {  // a table in two, each with its head; nothing else can be cut
    const rows = block.querySelectorAll("tbody tr").length;
    if (rows < 2) return false;
    const rest = block.cloneNode(true);
    block.after(rest);
    [...block.querySelectorAll("tbody tr")].slice(Math.ceil(rows / 2)).forEach(row => row.remove());
    [...rest.querySelectorAll("tbody tr")].slice(0, Math.ceil(rows / 2)).forEach(row => row.remove());
    return true;
}

function fit(page) {
    const content = page.querySelector(".content"), shrunk = page.classList.contains("of-code") ? SMALLEST : SHRUNK;
    if (fits(page, shrunk)) return;
    if (content.children.length > 1) {  // move blocks from the end to a slide below until the rest fits
        const below = continuation(page);
        do below.querySelector(".content").prepend(content.lastElementChild);
        while (content.children.length > 1 && !fits(page, shrunk));
        fit(page);
        fit(below);
    } else if (!fits(page, SMALLEST) && halve(content.firstElementChild)) {
        fit(page);
    } else if (!fits(page, SMALLEST)) {
        content.classList.add("scrolled");
        content.tabIndex = 0;
    }
}

function startDeck() {
    MathJax.startup.promise.then(() => {
        document.querySelectorAll(".notes mjx-assistive-mml").forEach(copy => copy.remove());  // the speaker's window has no style
        for (const page of document.querySelectorAll(".page")) {
            for (const formula of page.querySelectorAll('mjx-container[display="true"]')) narrow(formula, 1176);
            fit(page);
        }
        document.body.classList.remove("measuring");
        window.deck = new Reveal({
            width: 1280, height: 720, margin: 0, center: false, hash: true, slideNumber: "c/t", transition: "none",
            controlsTutorial: false, plugins: [RevealNotes],
        });
        return deck.initialize();
    });
}
