"use strict";

const SHOWN = 50;
const field = document.getElementById("words");
const count = document.getElementById("count");
const found = document.getElementById("found");
const insights = [];
const waiting = [...MONTHS];
let loading = false;
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  Object.assign(made, attributes);
  return made;
}

function card(insight) {
  const article = element("article", "", { className: "other" });
  const title = element("h2", "");
  title.append(element("a", insight.headline, { href: `insights/${encodeURIComponent(insight.id)}.html` }));
  const source = [insight.speaker, insight.show, insight.day].filter(Boolean).join(" · ");
  article.append(title, element("p", insight.text, { className: "insight" }), element("p", source, { className: "when" }));
  return article;
}

// A month's part calls this; the newest comes first, the others when somebody searches, one after the other.
function add(part) {
  for (const i of part) {
    insights.push({ ...i, searched: plain([i.headline, i.text, i.speaker, i.show, i.day].join(" ")) });
  }
}

function load() {
  if (loading || !waiting.length) return;
  loading = true;
  const next = () => {
    loading = false;
    search();
    if (field.value.trim()) load();
  };
  const part = { src: `search/${waiting.shift()}.js`, onload: next, onerror: next };
  document.head.append(element("script", "", part));
}

function search() {
  const words = plain(field.value).split(/\s+/).filter(Boolean);
  const hits = words.length ? insights.filter((i) => words.every((word) => i.searched.includes(word))) : [];
  found.replaceChildren(...hits.slice(0, SHOWN).map(card));
  const more = hits.length > SHOWN ? `, the newest ${SHOWN} are shown` : "";
  count.textContent = words.length ? `${hits.length} ${hits.length === 1 ? "insight" : "insights"} found${more}.` : "";
}

field.value = new URLSearchParams(location.search).get("q") || "";
field.addEventListener("input", () => {
  search();
  load();
});
field.form.addEventListener("submit", (event) => event.preventDefault());
load();
