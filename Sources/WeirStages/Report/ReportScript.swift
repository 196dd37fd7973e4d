/// What the page can do beyond reading: nothing depends on it, and it makes no markup.
let reportScript: ReportMarkup = #"""
  (() => {
    "use strict";
    const root = document.documentElement, id = name => document.getElementById(name);
    const all = name => [...document.querySelectorAll(name)];
    const cards = all(".card"), filter = id("filter");
    for (const tool of all(".tools, .filter")) tool.hidden = false;
    const theme = () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
    };
    id("theme").onclick = theme;
    id("print").onclick = () => print();
    addEventListener("beforeprint", () => all("details").forEach(d => {
      d.dataset.was = d.open ? "open" : "";
      d.open = true;
    }));
    addEventListener("afterprint", () => all("details").forEach(d => { d.open = !!d.dataset.was; }));
    if (filter) filter.oninput = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const card of cards) {
        const text = card.textContent.toLowerCase();
        card.hidden = !words.every(word => text.includes(word));
        count += card.hidden ? 0 : 1;
      }
      id("shown").textContent = words.length ? count + " of " + cards.length : "";
    };
    const go = step => {
      const open = cards.filter(card => !card.hidden);
      const at = open.indexOf(document.activeElement && document.activeElement.closest(".card"));
      const next = open[Math.max(0, Math.min(open.length - 1, at + step))];
      if (next) next.focus();
    };
    addEventListener("keydown", event => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "INPUT") return;
      if (event.key === "j") go(1);
      else if (event.key === "k") go(-1);
      else if (event.key === "t") theme();
      else if (event.key === "/" && filter) { event.preventDefault(); filter.focus(); }
    });
  })();
  """#
