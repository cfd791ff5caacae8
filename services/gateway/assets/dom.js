// Small helpers: elements, prose, highlighted JSON. Text only ever becomes text; nothing is parsed as HTML.

/** Makes an element. Attributes that start with `on` are listeners; `null` and `false` are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && name !== "list" && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The few marks comments use: paragraphs, lists, `code`, **strong** and links; REASON_WORDS are code as well. */
export function prose(text, className = "prose") {
  const blocks = (text ?? "").split(/\n{2,}/).flatMap((block) => {
    const lines = block.split("\n");
    const first = lines.findIndex((line) => /^\s*[-*] /.test(line));
    if (first < 0) return block.trim() ? [h("p", {}, inline(block))] : [];
    const before = lines.slice(0, first).join(" ");
    const items = lines.slice(first).filter((line) => line.trim());
    const list = h("ul", {}, items.map((item) => h("li", {}, inline(item.replace(/^\s*[-*] /, "")))));
    return before.trim() ? [h("p", {}, inline(before)), list] : [list];
  });
  return h("div", { class: className }, blocks);
}

function inline(text) {
  const marks = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https?:[^)\s]+)\)|\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b/g;
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(marks)) {
    parts.push(text.slice(from, match.index));
    const [whole, code, strong, label, link, reason] = match;
    if (code ?? reason) parts.push(h("code", {}, code ?? reason));
    else if (strong) parts.push(h("strong", {}, strong));
    else parts.push(h("a", { href: link, rel: "noreferrer", target: "_blank" }, label));
    from = match.index + whole.length;
  }
  parts.push(text.slice(from));
  return parts;
}

/** JSON text with its parts in colours; other text as it is. */
export function highlighted(text) {
  const tokens = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(tokens)) {
    fragment.append(text.slice(from, match.index));
    const [whole, string, colon] = match;
    const kind = colon ? "j-key" : string ? "j-text" : /^[tfn]/.test(whole) ? "j-literal" : "j-number";
    fragment.append(h("span", { class: kind }, string ?? whole), colon ?? "");
    from = match.index + whole.length;
  }
  fragment.append(text.slice(from));
  return fragment;
}

/** JSON set out over lines; anything else unchanged. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A titled block of text with a button that copies it. */
export function block(title, text, { json = true, wrap = false } = {}) {
  const pre = h("pre", { class: wrap ? "wrap" : "", tabindex: "0" }, json ? highlighted(text) : text);
  const copy = h("button", { type: "button", class: "tiny", onclick: () => copied(copy, pre.textContent) }, "Copy");
  const element = h("div", { class: "block" }, h("div", { class: "block-head" }, h("span", {}, title), copy), pre);
  return { element, pre };
}

async function copied(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => (button.textContent = "Copy"), 1400);
}

/** A UUID for `Idempotency-Key`, also where the page is not served over https. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
