// What scrolls can be reached by keyboard, in every browser.
addEventListener("load", () => Promise.resolve(window.MathJax?.startup?.promise).then(() => {
    for (const box of document.querySelectorAll("article pre, article .cell_output, article div.math, article .table-wrapper"))
        if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}));
