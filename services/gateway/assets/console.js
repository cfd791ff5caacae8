// Trying a call: a form of its parameters and body, and the answer, also when it is a stream.

import { block, h, highlighted, pretty, uuid } from "./dom.js";
import { example, resolve } from "./schema.js";
import { token, tokenButton } from "./token.js";

/** Most lines of a stream that are kept on the page. */
const MOST_LINES = 500;

/** The panel for one operation. */
export function console_(api, operation) {
  const inputs = new Map();
  const answer = h("div", { "aria-live": "polite" });
  const bodySchema = operation.requestBody?.content?.["application/json"]?.schema;
  const body = bodySchema ? bodyEditor(api, bodySchema) : null;
  const form = h("form", { novalidate: true });
  const groups = [["path", "Path"], ["query", "Query"], ["header", "Headers"]];
  for (const [place, title] of groups) {
    const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === place);
    if (!parameters.length) continue;
    const rows = parameters.map((parameter) => {
      const { row, input } = parameterInput(api, parameter);
      inputs.set(parameter, input);
      return row;
    });
    form.append(h("fieldset", {}, h("legend", {}, title), rows));
  }
  if (body) form.append(body.element);
  const accept = isStream(operation) ? streamForm() : null;
  if (accept) form.append(accept.row);
  const send = h("button", { type: "submit", class: "primary" }, "Send");
  const stop = h("button", { type: "button", class: "quiet", hidden: true }, "Stop");
  form.append(h("div", { class: "row" }, send, stop));
  const curl = h("details", { class: "more" }, h("summary", {}, "As curl"));
  curl.addEventListener("toggle", () => curl.open && showCurl());
  form.append(curl);
  form.addEventListener("input", () => curl.open && showCurl());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });

  function request() {
    const missing = [...inputs].find(([parameter, input]) => parameter.required && !input.value.trim());
    for (const input of inputs.values()) input.classList.toggle("wrong", input === missing?.[1]);
    const headers = {};
    let path = operation.path;
    const query = new URLSearchParams();
    for (const [parameter, input] of inputs) {
      const value = input.value.trim();
      if (parameter.in === "path") {
        path = path.replace(`{${parameter.name}}`, value.split("/").map(encodeURIComponent).join("/"));
      } else if (value && parameter.in === "query") {
        const several = resolve(api, parameter.schema).type === "array" ? value.split(",") : [value];
        for (const one of several) query.append(parameter.name, one.trim());
      } else if (value) headers[parameter.name] = value;
    }
    if (token()) headers.Authorization = `Bearer ${token()}`;
    if (body) headers["Content-Type"] = "application/json";
    if (accept) headers.Accept = accept.value();
    const text = query.toString();
    const url = path + (text ? `?${text}` : "");
    return { url, headers, method: operation.verb.toUpperCase(), body: body?.text(), missing: missing?.[1] };
  }

  function showCurl() {
    const { url, headers, method, body: text } = request();
    const quoted = (value) => `'${value.replaceAll("'", "'\\''")}'`;
    const parts = [`curl${accept ? " -N" : ""} -X ${method} ${quoted(location.origin + url)}`];
    for (const [name, value] of Object.entries(headers)) {
      parts.push(name === "Authorization" ? `-H "Authorization: Bearer $TOKEN"` : `-H ${quoted(`${name}: ${value}`)}`);
    }
    if (text) parts.push(`-d ${quoted(text)}`);
    curl.replaceChildren(curl.firstChild, block("Shell", parts.join(" \\\n  "), { json: false }).element);
  }

  async function run() {
    const { missing, url, ...options } = request();
    if (missing) {
      missing.focus();
      return;
    }
    if (body && !body.check()) return;
    const abort = new AbortController();
    stop.onclick = () => abort.abort();
    send.disabled = true;
    stop.hidden = false;
    const started = performance.now();
    const elapsed = () => `${Math.round(performance.now() - started)} ms`;
    answer.replaceChildren(h("div", { class: "answer" }, h("div", { class: "answer-head" }, pill("…", "pending"), "waiting")));
    try {
      const response = await fetch(url, { ...options, signal: abort.signal });
      await show(response, answer, elapsed);
    } catch (error) {
      const what = error.name === "AbortError" ? "stopped" : `no answer: ${error.message}`;
      answer.replaceChildren(h("div", { class: "answer" }, h("div", { class: "answer-head" }, pill("—", "bad"), what)));
    }
    send.disabled = false;
    stop.hidden = true;
    answer.scrollIntoView({ block: "nearest" });
  }

  return h("section", { class: "console", "aria-label": "Try it" }, h("header", {}, "Try it", tokenButton()), form, answer);
}

function isStream(operation) {
  return Boolean(operation.responses?.["200"]?.content?.["application/x-ndjson"]);
}

function streamForm() {
  const select = h(
    "select",
    { id: "accept" },
    h("option", { value: "application/x-ndjson" }, "a JSON object a line"),
    h("option", { value: "text/event-stream" }, "server-sent events"),
  );
  return { row: h("div", { class: "input" }, h("label", { for: "accept" }, "stream as"), select), value: () => select.value };
}

function parameterInput(api, parameter) {
  const schema = resolve(api, parameter.schema);
  const id = `p-${parameter.in}-${parameter.name}`;
  const label = h("label", { for: id }, parameter.name, parameter.required ? h("sup", { title: "required" }, "*") : null);
  const options = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  let input;
  if (options) {
    input = h("select", { id }, h("option", { value: "" }, ""), options.map((value) => h("option", { value }, value)));
  } else {
    const several = schema.type === "array" ? "a, b" : schema.format === "date-time" ? "2026-01-31T09:30:00Z" : schema.format ?? "";
    input = h("input", { id, type: "text", placeholder: several, autocomplete: "off", spellcheck: "false" });
  }
  if (schema.format !== "uuid") return { row: h("div", { class: "input" }, label, input), input };
  const fresh = h("button", { type: "button", class: "tiny", onclick: () => {
    input.value = uuid();
    input.dispatchEvent(new Event("input", { bubbles: true }));
  } }, "New");
  return { row: h("div", { class: "input" }, label, h("div", { class: "with-button" }, input, fresh)), input };
}

function bodyEditor(api, schema) {
  const text = (all) => JSON.stringify(example(api, schema, { all }), null, 2);
  const area = h("textarea", { "aria-label": "Body as JSON", spellcheck: "false" });
  const put = (value) => {
    area.value = value;
    area.rows = Math.min(Math.max(value.split("\n").length + 1, 4), 22);
  };
  put(text(false));
  const hint = h("p", { class: "hint", hidden: true });
  const fill = (all) => () => {
    put(text(all));
    check();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  function check() {
    try {
      if (area.value.trim()) JSON.parse(area.value);
      hint.hidden = true;
      area.classList.remove("wrong");
      return true;
    } catch (error) {
      hint.textContent = error.message;
      hint.hidden = false;
      area.classList.add("wrong");
      return false;
    }
  }
  area.addEventListener("change", check);
  const buttons = h(
    "div",
    { class: "row" },
    h("button", { type: "button", class: "tiny", onclick: fill(false) }, "Required fields"),
    h("button", { type: "button", class: "tiny", onclick: fill(true) }, "All fields"),
  );
  const element = h("fieldset", {}, h("legend", {}, "Body"), area, hint, buttons);
  return { element, check, text: () => area.value };
}

function pill(text, kind = "") {
  return h("span", { class: `status ${kind}` }, text);
}

/** Shows an answer; a stream line by line as it comes. */
async function show(response, place, elapsed) {
  const state = pill(`${response.status}${response.statusText ? ` ${response.statusText}` : ""}`, response.ok ? "" : "bad");
  const note = h("span", {}, elapsed());
  const kind = response.headers.get("content-type") ?? "";
  const streams = response.ok && /ndjson|event-stream/.test(kind);
  const shown = block(kind.split(";")[0] || "no content", "", { wrap: true });
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  const more = h("details", { class: "more" }, h("summary", {}, "Headers"), block("Answer", headers, { json: false, wrap: true }).element);
  const violations = h("div");
  place.replaceChildren(
    h("div", { class: "answer" }, h("div", { class: "answer-head" }, state, note), violations, shown.element, more),
  );
  if (!streams) {
    const text = await response.text();
    note.textContent = `${elapsed()} · ${new Blob([text]).size.toLocaleString("en")} bytes`;
    shown.pre.replaceChildren(highlighted(pretty(text)));
    violations.replaceChildren(...listViolations(text));
    return;
  }
  let lines = 0;
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts.filter((line) => line.trim())) {
      lines += 1;
      shown.pre.append(h("div", {}, highlighted(part)));
      while (shown.pre.children.length > MOST_LINES) shown.pre.firstChild.remove();
    }
    note.textContent = `${elapsed()} · ${lines} lines`;
    shown.pre.scrollTop = shown.pre.scrollHeight;
  }
  note.textContent = `${elapsed()} · ${lines} lines · ended`;
}

/** The fields a refused request must mend, in front of the raw error. */
function listViolations(text) {
  try {
    const details = JSON.parse(text).error?.details ?? [];
    const items = details.flatMap((detail) => detail.fieldViolations ?? []);
    if (!items.length) return [];
    const rows = items.map((item) => h("li", {}, h("code", {}, item.field), ` ${item.description}`));
    return [h("ul", { class: "violations" }, rows)];
  } catch {
    return [];
  }
}
