// Schemas as trees of fields, and examples made from them.

import { h, prose } from "./dom.js";

/** Follows a reference; anything else is returned as it is. */
export function resolve(api, schema) {
  let target = schema ?? {};
  for (let step = 0; target.$ref && step < 8; step += 1) {
    target = target.$ref.replace(/^#\//, "").split("/").reduce((at, part) => at?.[part], api) ?? {};
  }
  return target;
}

/** A name without its package: `Book` of `example.library.v1.Book`, `Page.Row` of `example.library.v1.Page.Row`. */
export function shortName(name) {
  const parts = name.split(".");
  const first = parts.findIndex((part) => /^[A-Z]/.test(part));
  return parts.slice(first < 0 ? -1 : first).join(".");
}

function refName(schema) {
  return schema?.$ref?.startsWith("#/components/schemas/") ? schema.$ref.split("/").slice(3).join("/") : null;
}

/** What a value is, in a few words, with a link where it is a schema of its own. */
export function typeOf(api, schema) {
  const name = refName(schema);
  if (name && !name.includes("/")) return [h("a", { href: `#/schema/${name}` }, shortName(name))];
  const target = resolve(api, schema);
  if (target.type === "array") return ["array of ", ...typeOf(api, target.items)];
  if (target.type === "object" && typeof target.additionalProperties === "object") {
    return ["map of ", ...typeOf(api, target.additionalProperties)];
  }
  const kind = Array.isArray(target.type) ? target.type.join(" or ") : target.type ?? "anything";
  return [target.format ? `${kind} · ${target.format}` : kind];
}

/** The fields of an object, one under the other. In requests, what only the server sets is left out. */
export function fields(api, schema, { request = false } = {}) {
  const target = resolve(api, schema);
  const entries = Object.entries(target.properties ?? {}).filter(([, field]) => !(request && field.readOnly));
  if (!entries.length) return h("p", { class: "prose" }, "No fields.");
  const required = new Set(target.required ?? []);
  const rows = entries.map(([name, field]) => fieldRow(api, name, field, { required: required.has(name), request }));
  return h("div", { class: "fields" }, rows);
}

/** One field or parameter. */
export function fieldRow(api, name, field, { required = false, request = false, description } = {}) {
  const head = [h("span", { class: "field-name" }, name), h("span", { class: "field-type" }, typeOf(api, field))];
  if (required) head.push(h("span", { class: "badge required" }, "required"));
  if (field.readOnly) head.push(h("span", { class: "badge" }, "read-only"));
  if (field.writeOnly) head.push(h("span", { class: "badge" }, "write-only"));
  if (field.deprecated) head.push(h("span", { class: "badge" }, "deprecated"));
  if (field["x-personal"]) head.push(h("span", { class: "badge personal", title: "About a person" }, "personal"));
  const text = description ?? field.description;
  return h(
    "div",
    { class: "field" },
    h("div", { class: "field-head" }, head),
    text ? prose(text, "field-text") : null,
    choices(api, field),
    inside(api, field, request),
  );
}

function element(api, schema) {
  const target = resolve(api, schema);
  if (target.type === "array") return element(api, target.items);
  if (target.type === "object" && typeof target.additionalProperties === "object") {
    return element(api, target.additionalProperties);
  }
  return target;
}

function choices(api, field) {
  const target = element(api, field);
  if (!target.enum) return null;
  return h("div", { class: "choices" }, target.enum.map((name) => h("span", { class: "tag" }, h("code", {}, name))));
}

/** The fields of a field, made when they are asked for, as messages may hold themselves. */
function inside(api, field, request) {
  const target = element(api, field);
  if (!target.properties) return null;
  const details = h("details", { class: "nested" }, h("summary", {}, `Fields of ${inner(api, field)}`));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(fields(api, target, { request }));
  });
  return details;
}

function inner(api, field) {
  const name = refName(field) ?? refName(resolve(api, field).items) ?? refName(resolve(api, field).additionalProperties);
  return name ? shortName(name) : "it";
}

/** An example of a value: only what is required, or all fields. */
export function example(api, schema, { all = false, depth = 0, name = "" } = {}) {
  const target = resolve(api, schema);
  if (target.enum) return target.enum.find((value) => !value.endsWith("_UNSPECIFIED")) ?? target.enum[0];
  const type = Array.isArray(target.type) ? target.type[0] : target.type;
  if (type === "array") return depth > 3 ? [] : [example(api, target.items, { all, depth: depth + 1, name })];
  if (type === "object") {
    const required = new Set(target.required ?? []);
    const entries = Object.entries(target.properties ?? {}).filter(([own, field]) => {
      if (field.readOnly || depth > 3) return false;
      return all || required.has(own);
    });
    return Object.fromEntries(
      entries.map(([own, field]) => [own, example(api, field, { all: all && depth < 2, depth: depth + 1, name: own })]),
    );
  }
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  if (type === "null" || type === undefined) return null;
  return sampleText(target, name);
}

function sampleText(schema, name) {
  if (schema.format === "date-time") return new Date().toISOString().replace(/\.\d+Z$/, "Z");
  if (schema.format === "int64" || schema.format === "uint64") return "0";
  if (schema.pattern?.includes("s$")) return "1.5s";
  if (/email/i.test(name)) return "ana@example.com";
  if (/phone/i.test(name)) return "+34911234567";
  if (/currency/i.test(name)) return "EUR";
  if (/displayName|title/i.test(name)) return "Example";
  return "";
}
