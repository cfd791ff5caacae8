// The API reference: reads /openapi.json and shows it. The address after # says what is shown.

import { block, h, prose } from "./dom.js";
import { console_ } from "./console.js";
import { example, fieldRow, fields, resolve, shortName } from "./schema.js";
import { setUpToken, tokenButton } from "./token.js";

const VERBS = ["get", "post", "patch", "put", "delete"];
const main = document.getElementById("main");
const nav = document.getElementById("nav");
const search = document.getElementById("search");
let api;
let operations;

/** All operations in the document's order, each knowing its verb and path. */
function collect(document_) {
  return Object.entries(document_.paths ?? {}).flatMap(([path, item]) =>
    VERBS.filter((verb) => item[verb]).map((verb) => ({ ...item[verb], verb, path })),
  );
}

/** `GetBook` → `Get book`; used where a method has no comment. */
function title(operation) {
  const name = operation["x-grpc-method"]?.split("/").pop() ?? operation.operationId;
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function verb(operation, large = false) {
  const text = operation.verb === "delete" && !large ? "DEL" : operation.verb.toUpperCase();
  return h("span", { class: `verb ${operation.verb}${large ? " large" : ""}` }, text);
}

function matches(operation, words) {
  const text = `${operation.path} ${operation.verb} ${title(operation)} ${operation.summary ?? ""} ${operation.tags}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The list on the left, narrowed down to what is searched for. */
function showNav() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const here = location.hash;
  const packages = new Map();
  for (const tag of api.tags ?? []) {
    const own = operations.filter((operation) => operation.tags?.includes(tag.name) && matches(operation, words));
    if (!own.length) continue;
    const items = own.map((operation) => {
      const href = `#/op/${operation.operationId}`;
      return h("a", { class: "item", href, "aria-current": href === here ? "page" : null }, verb(operation), h("span", {}, title(operation)));
    });
    const open = words.length > 0 || own.some((operation) => here === `#/op/${operation.operationId}`);
    const name = tag["x-displayName"] ?? tag.name;
    const summary = h("summary", {}, name.replace(/Service$/, "").replace(/([a-z])([A-Z])/g, "$1 $2"), h("span", { class: "count" }, String(own.length)));
    const group = packages.get(tag["x-package"] ?? "") ?? [];
    group.push(h("details", { open }, summary, items));
    packages.set(tag["x-package"] ?? "", group);
  }
  const parts = [...packages].flatMap(([name, groups]) => [h("h2", {}, name), ...groups]);
  const names = Object.keys(api.components?.schemas ?? {});
  const found = names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  if (found.length) {
    const links = found.map((name) => {
      const href = `#/schema/${name}`;
      return h("a", { class: "item plain", href, title: name, "aria-current": href === here ? "page" : null }, h("span", {}, shortName(name)));
    });
    const open = words.length > 0 || here.startsWith("#/schema/");
    parts.push(h("h2", {}, "Schemas"), h("details", { open }, h("summary", {}, "All schemas", h("span", { class: "count" }, String(found.length))), links));
  }
  nav.replaceChildren(...(parts.length ? parts : [h("p", { class: "none" }, "Nothing matches.")]));
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

function overview() {
  const cards = (api.tags ?? []).map((tag) => {
    const own = operations.filter((operation) => operation.tags?.includes(tag.name));
    return h(
      "a",
      { class: "card", href: `#/op/${own[0]?.operationId ?? ""}` },
      h("h3", {}, (tag["x-displayName"] ?? tag.name).replace(/([a-z])([A-Z])/g, "$1 $2")),
      h("p", {}, tag.description ?? ""),
      h("p", { class: "names" }, own.map((operation) => title(operation)).join(" · ")),
    );
  });
  const needsNothing = (operation) => operation.verb === "get" && !operation.parameters?.some((one) => one.required);
  const lists = operations.filter((operation) => needsNothing(operation) && /^List/.test(title(operation)));
  const first = lists[0] ?? operations.find(needsNothing) ?? operations[0];
  const curl = first ? block("First call", `curl -H "Authorization: Bearer $TOKEN" ${location.origin}${first.path}`, { json: false, wrap: true }).element : null;
  const grpcOnly = api["x-grpc-only"] ?? [];
  return [
    h("h1", {}, api.info.title),
    prose(api.info.description, "prose lead"),
    h("h2", { class: "section" }, "Start here"),
    h("div", { class: "steps" }, h("div", { class: "row" }, "Give this page a token, then try any call on its page.", tokenButton()), curl),
    h("h2", { class: "section" }, `Services · ${operations.length} operations`),
    h("div", { class: "cards" }, cards),
    grpcOnly.length ? h("h2", { class: "section" }, "Only over gRPC") : null,
    grpcOnly.length ? h("div", { class: "fields" }, grpcOnly.map((method) => fieldRow(api, method.method, { type: "gRPC" }, { description: method.description ?? "" }))) : null,
  ];
}

function endpoint(operation) {
  const parts = operation.path.split(/(\{[^}]+\})/).map((part) => (part.startsWith("{") ? h("b", {}, part) : part));
  return h("div", { class: "endpoint" }, verb(operation, true), h("span", { class: "path" }, parts));
}

function parameterSection(operation, place, name) {
  const own = (operation.parameters ?? []).filter((parameter) => parameter.in === place);
  if (!own.length) return [];
  const rows = own.map((parameter) =>
    fieldRow(api, parameter.name, parameter.schema ?? {}, { required: parameter.required, description: parameter.description ?? "" }),
  );
  return [h("h2", { class: "section" }, name), h("div", { class: "fields" }, rows)];
}

function operationPage(operation) {
  const tag = (api.tags ?? []).find((one) => operation.tags?.includes(one.name));
  const request = operation.requestBody?.content?.["application/json"]?.schema;
  const content = operation.responses?.["200"]?.content ?? {};
  const isStream = Boolean(content["application/x-ndjson"]);
  const answer = (content["application/json"] ?? content["text/event-stream"])?.schema;
  // The permission stands among the facts below the title.
  const about = (operation.description ?? "").replace(/\n*Needs the permission `[^`]+`\.$/, "");
  const facts = [];
  if (operation["x-permission"]) facts.push(h("span", { class: "tag" }, "permission ", h("code", {}, operation["x-permission"])));
  if (operation["x-grpc-method"]) facts.push(h("span", { class: "tag" }, "gRPC ", h("code", {}, operation["x-grpc-method"])));
  if (isStream) facts.push(h("span", { class: "tag" }, "stream"));
  if (operation.deprecated) facts.push(h("span", { class: "badge" }, "deprecated"));
  const left = h(
    "div",
    {},
    h("div", { class: "crumbs" }, `${tag?.["x-package"] ?? ""} › ${tag?.["x-displayName"] ?? ""}`),
    h("h1", {}, title(operation)),
    prose(operation.summary, "prose lead"),
    endpoint(operation),
    h("div", { class: "tags" }, facts),
    about ? [h("h2", { class: "section" }, "About"), prose(about)] : [],
    parameterSection(operation, "path", "Path"),
    parameterSection(operation, "query", "Query"),
    parameterSection(operation, "header", "Headers"),
    request ? [h("h2", { class: "section" }, "Body"), fields(api, request, { request: true })] : [],
    h("h2", { class: "section" }, isStream ? "Each message of the stream" : "Answer"),
    answer ? answerSection(answer) : h("p", { class: "prose" }, "Empty."),
    h("h2", { class: "section" }, "Errors"),
    h("p", { class: "prose" }, "All errors have one form: ", h("a", { href: "#/schema/Error" }, "Error"), "."),
  );
  return h("div", { class: "columns" }, left, console_(api, operation));
}

function answerSection(schema) {
  const target = resolve(api, schema);
  if (target.properties) return fields(api, schema);
  return h("div", { class: "fields" }, fieldRow(api, "(whole answer)", schema));
}

function schemaPage(name) {
  const schema = api.components?.schemas?.[name];
  if (!schema) return [h("h1", {}, "Not found"), h("p", { class: "prose" }, "There is no such schema.")];
  const users = operations.filter((operation) => JSON.stringify(operation).includes(`"#/components/schemas/${name}"`));
  const isEnum = Boolean(schema.enum);
  const sample = isEnum ? null : block("Example", JSON.stringify(example(api, schema, { all: true }), null, 2)).element;
  return h(
    "div",
    { class: "columns" },
    h(
      "div",
      {},
      h("div", { class: "crumbs" }, name.split(".").slice(0, -1).join(".") || "Schema"),
      h("h1", {}, shortName(name)),
      prose(schema.description, "prose lead"),
      isEnum ? h("div", { class: "choices" }, schema.enum.map((value) => h("span", { class: "tag" }, h("code", {}, value)))) : null,
      isEnum ? null : [h("h2", { class: "section" }, "Fields"), fields(api, schema)],
    ),
    h(
      "div",
      {},
      sample,
      users.length ? h("h2", { class: "section" }, "Used by") : null,
      users.slice(0, 12).map((operation) => h("div", { class: "endpoint" }, verb(operation), h("a", { class: "path", href: `#/op/${operation.operationId}` }, operation.path))),
    ),
  );
}

/** Shows what the address asks for. */
function show() {
  const [, kind, ...rest] = location.hash.split("/");
  const name = decodeURIComponent(rest.join("/"));
  const operation = kind === "op" ? operations.find((one) => one.operationId === name) : null;
  const page = operation ? operationPage(operation) : kind === "schema" ? schemaPage(name) : overview();
  main.replaceChildren(...[page].flat().filter(Boolean));
  document.title = `${operation ? title(operation) : kind === "schema" ? shortName(name) : "API reference"} · ${api.info.title}`;
  document.body.classList.remove("menu");
  scrollTo(0, 0);
  showNav();
}

function setUpTheme() {
  const stored = localStorage.getItem("theme");
  const dark = stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const root = document.documentElement;
  root.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
}

function setUpKeys() {
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      showNav();
      search.blur();
    }
  });
  search.addEventListener("input", showNav);
  document.getElementById("menu").addEventListener("click", () => document.body.classList.toggle("menu"));
}

async function start() {
  setUpTheme();
  setUpToken();
  try {
    const response = await fetch("/openapi.json");
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    api = await response.json();
  } catch (error) {
    main.replaceChildren(h("p", { class: "failed" }, `The API document could not be loaded: ${error.message}`));
    return;
  }
  operations = collect(api);
  document.getElementById("brand-name").textContent = api.info.title;
  document.getElementById("brand-version").textContent = api.info.version;
  setUpKeys();
  addEventListener("hashchange", show);
  show();
}

start();
