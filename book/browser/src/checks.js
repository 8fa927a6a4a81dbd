// What can be seen only inside a page. Each check returns a list of sentences, one for each
// thing that is wrong; nothing here changes the page.
(() => {
    // An element as one would look for it, and how its text begins.
    const name = (element) => {
        const id = element.id ? `#${element.id}` : "";
        const classes = [...element.classList].map((c) => `.${c}`).join("");
        const text = element.textContent.trim().replace(/\s+/g, " ").slice(0, 40);
        return `<${element.localName}${id}${classes}>${text ? ` “${text}”` : ""}`;
    };

    const isVisible = (element) =>
        element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

    // What only a screen reader meets is cut down to a pixel.
    const isSeen = (element) => {
        if (!isVisible(element) || element.closest(".katex-mathml")) return false;
        const { width, height } = element.getBoundingClientRect();
        return width > 1 && height > 1;
    };

    // Every text that is seen, with the element it stands in.
    const texts = () => {
        const found = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const seen = new Map();
        while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim()) continue;
            if (["SCRIPT", "STYLE", "NOSCRIPT", "OPTION"].includes(element.tagName)) continue;
            if (!seen.has(element)) seen.set(element, isSeen(element));
            if (seen.get(element)) found.push([walker.currentNode, element]);
        }
        return found;
    };

    // No TeX, directive or Markdown may be left in what is read. TeX is all right in code.
    const raw = () => {
        const blocks = new Map();
        const problems = [];
        for (const [node, element] of texts()) {
            const directive = node.data.match(/\{\{#.{0,30}/);
            if (directive) problems.push(`a directive in ${name(element)}: ${directive[0]}`);
            if (element.closest("pre, code, .katex")) continue;
            let block = element;
            while (getComputedStyle(block).display.startsWith("inline") && block.parentElement) {
                block = block.parentElement;
            }
            blocks.set(block, (blocks.get(block) ?? "") + node.data);
        }
        const patterns = [
            [/\\[a-zA-Z]{2,}.{0,30}/, "TeX"],
            [/\\[()[\]].{0,30}/, "TeX"],
            [/\$[^\s$][^$]{0,200}\$/, "TeX"],
            [/\$\$.{0,30}/, "TeX"],
            [/.{0,20}\]\(\S{0,30}/, "a Markdown link"],
            [/(?<!\S)\*\*\S.{0,30}/, "Markdown"],
        ];
        for (const [block, text] of blocks) {
            for (const [pattern, what] of patterns) {
                const match = text.match(pattern);
                if (match) problems.push(`${what} in ${name(block)}: ${match[0]}`);
            }
        }
        for (const element of document.querySelectorAll(".katex-error")) {
            problems.push(`a formula that KaTeX could not set: ${name(element)}`);
        }
        return problems;
    };

    // Pictures say what one would see.
    const pictures = () => {
        const problems = [];
        for (const img of document.querySelectorAll("img")) {
            if (!img.alt.trim()) problems.push(`no alternative text: <img src="${img.src}">`);
            if (!img.complete || img.naturalWidth === 0) problems.push(`not shown: ${img.src}`);
        }
        for (const svg of document.querySelectorAll("figure svg")) {
            if (svg.closest(".katex") || svg.closest("[aria-hidden=true]")) continue;
            const by = (svg.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean);
            const label =
                svg.getAttribute("aria-label") ||
                by.map((id) => document.getElementById(id)?.textContent ?? "").join(" ") ||
                svg.querySelector(":scope > title")?.textContent;
            if (svg.getAttribute("role") !== "img") problems.push(`no role="img": ${name(svg)}`);
            if (!label?.trim()) problems.push(`no alternative text: ${name(svg)}`);
        }
        return problems;
    };

    const ids = () => {
        const counts = new Map();
        for (const { id } of document.querySelectorAll("[id]")) {
            counts.set(id, (counts.get(id) ?? 0) + 1);
        }
        const twice = [...counts].filter(([, count]) => count > 1);
        return twice.map(([id, count]) => `the id "${id}" is given ${count} times`);
    };

    // Any CSS colour as red, green, blue and how opaque it is.
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
        .getContext("2d", { willReadFrequently: true });
    const colours = new Map();
    const colour = (text) => {
        if (!colours.has(text)) {
            context.clearRect(0, 0, 1, 1);
            context.fillStyle = text;
            context.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
            colours.set(text, [r, g, b, a / 255]);
        }
        return colours.get(text);
    };
    const over = ([r, g, b, a], below) =>
        [...[r, g, b].map((x, i) => a * x + (1 - a) * below[i]), 1];
    const luminance = (c) => {
        const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = c.slice(0, 3).map((x) => linear(x / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
        const [x, y] = [luminance(a) + 0.05, luminance(b) + 0.05];
        return Math.max(x, y) / Math.min(x, y);
    };
    const hex = (c) =>
        `#${c.slice(0, 3).map((x) => Math.round(x).toString(16).padStart(2, "0")).join("")}`;

    const opacities = new Map();
    const opacity = (element) => {
        if (!element) return 1;
        if (!opacities.has(element)) {
            const own = getComputedStyle(element).opacity;
            opacities.set(element, own * opacity(element.parentElement));
        }
        return opacities.get(element);
    };
    const faded = ([r, g, b, a], share) => [r, g, b, a * share];

    // The colour behind an element of the page. Paper is white: no background is printed.
    const backgrounds = new Map();
    const paper = matchMedia("print").matches;
    const background = (element) => {
        if (!element || paper) return [255, 255, 255, 1];
        if (!backgrounds.has(element)) {
            const own = colour(getComputedStyle(element).backgroundColor);
            const below = own[3] === 1 ? own : background(element.parentElement);
            backgrounds.set(element, over(own, below));
        }
        return backgrounds.get(element);
    };

    // The colour behind a point of a drawing: what is filled there, and the page below it.
    const behind = (svg, element) => {
        const box = element.getBoundingClientRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        const filled = document.elementsFromPoint(x, y).filter((hit) => {
            if (!svg.contains(hit) || !(hit instanceof SVGGeometryElement)) return false;
            if (getComputedStyle(hit).fill === "none") return false;
            const point = new DOMPoint(x, y).matrixTransform(hit.getScreenCTM().inverse());
            return hit.isPointInFill(point);
        });
        return filled.reverse().reduce((below, shape) => {
            const style = getComputedStyle(shape);
            return over(faded(colour(style.fill), style.fillOpacity * opacity(shape)), below);
        }, background(svg));
    };

    const texts_contrast = (problems) => {
        let last;
        for (const [, element] of texts()) {
            const style = getComputedStyle(element);
            const svg = element.closest("svg");
            let own = colour(style.color);
            let below;
            // What is on the cells of a figure is the same on paper; phantoms take only room.
            if ((svg && paper) || own[3] === 0 || element.closest(":disabled")) continue;
            if (svg) {
                own = faded(colour(style.fill), style.fillOpacity);
                // Only what is on the screen can be asked what lies at a point.
                if (svg !== last) svg.scrollIntoView({ block: "center", behavior: "instant" });
                last = svg;
                below = behind(svg, element);
            } else {
                below = background(element);
            }
            const shown = over(faded(own, opacity(element)), below);
            const size = parseFloat(style.fontSize);
            const large = !svg && (size >= 24 || (size >= 18.66 && style.fontWeight >= 700));
            const least = large ? 3 : 4.5;
            const found = contrast(shown, below);
            if (found < least) {
                const key = `${hex(shown)} on ${hex(below)}`;
                const where = element.closest("figure, pre, nav, main")?.localName ?? "page";
                problems(key, `${where}, text`, least, found, element);
            }
        }
    };

    // Lines and points; the grid is meant to be faint.
    const GRID = 0.4;
    const lines_contrast = (problems) => {
        for (const svg of document.querySelectorAll("figure svg")) {
            if (svg.closest(".katex") || !isSeen(svg)) continue;
            const below = background(svg);
            for (const shape of svg.querySelectorAll("path, line, polyline, polygon, circle, ellipse")) {
                const style = getComputedStyle(shape);
                const point = ["circle", "ellipse"].includes(shape.localName);
                const paint = style.stroke !== "none" ? "stroke" : point ? "fill" : "none";
                if (paint === "none" || style[paint] === "none") continue;
                const own = faded(colour(style[paint]), style[`${paint}Opacity`] * opacity(shape));
                if (own[3] < GRID) continue;
                const shown = over(own, below);
                const found = contrast(shown, below);
                if (found < 3) {
                    problems(`${hex(shown)} on ${hex(below)}`, "figure, line", 3, found, shape);
                }
            }
        }
    };

    const contrasts = () => {
        const seen = new Map();
        const problems = (key, what, least, found, element) => {
            key = `${what}: ${key}`;
            const entry = seen.get(key) ?? { count: 0, least, found, element };
            entry.count += 1;
            seen.set(key, entry);
        };
        texts_contrast(problems);
        lines_contrast(problems);
        return [...seen].map(
            ([key, { count, least, found, element }]) =>
                `contrast ${found.toFixed(2)}, below ${least}: ${key} ` +
                `(${count} times, first in ${name(element)})`,
        );
    };

    // Nothing reaches beyond the screen, except what scrolls by itself.
    const width = (screen) => {
        const problems = [];
        const page = document.documentElement.scrollWidth;
        if (page <= screen) return problems;
        problems.push(`the page is ${page} pixels wide on a screen of ${screen}`);
        const scrolls = (element) => {
            for (let e = element.parentElement; e && e !== document.body; e = e.parentElement) {
                const { overflowX, position } = getComputedStyle(e);
                if (["auto", "scroll", "hidden", "clip"].includes(overflowX)) return true;
                if (position === "fixed") return true;
            }
            return false;
        };
        for (const element of document.body.querySelectorAll("*")) {
            const { left, right } = element.getBoundingClientRect();
            const outside = left >= 0 && right > screen + 1 && isSeen(element);
            const parent = element.parentElement.getBoundingClientRect();
            if (outside && parent.right <= screen + 1 && !scrolls(element)) {
                problems.push(`reaches to ${Math.round(right)}: ${name(element)}`);
            }
        }
        return problems;
    };

    // Where the links lead, and where links can lead to. The page for what is not found is
    // shown at every address, and its links to itself lead elsewhere: that is mdBook's.
    const links = () => ({
        to: [...document.querySelectorAll("a[href]")]
            .filter((a) => !(document.querySelector("base") && a.getAttribute("href")[0] === "#"))
            .map((a) => [a.href, name(a)]),
        targets: [...document.querySelectorAll("[id], a[name]")].map((e) => e.id || e.name),
    });

    const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex], [onclick]";
    const controls = () =>
        [...document.querySelectorAll(CONTROLS)].filter(
            (element) => isVisible(element) && !element.disabled && element.type !== "hidden" &&
                element.getClientRects().length > 0,
        );

    // How an element looks, as far as having the focus may change it.
    const look = (element) => {
        const style = getComputedStyle(element);
        const outline = parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none" &&
            colour(style.outlineColor)[3] > 0 ? style.outline : "none";
        return [outline, style.boxShadow, style.border, style.backgroundColor].join("; ");
    };

    // Watches the keyboard's way through the page; `end` says what it missed.
    const keyboard = () => {
        const all = controls();
        const before = new Map(all.map((element) => [element, look(element)]));
        const [reached, blind] = [new Set(), []];
        document.addEventListener("focusin", ({ target }) => {
            if (!reached.has(target) && before.get(target) === look(target)) blind.push(target);
            reached.add(target);
        });
        window.pages_keyboard = () => {
            const missed = all.filter((e) => !reached.has(e) && isVisible(e));
            return [
                ...missed.map((e) => `not reached with the Tab key: ${name(e)}`),
                ...blind.map((e) => `looks the same when it has the focus: ${name(e)}`),
            ];
        };
        window.pages_reached = () => all.every((element) => reached.has(element));
        return all.length;
    };

    window.pages = { raw, pictures, ids, contrasts, width, links, keyboard };
})();
