// The bearer token calls are tried with. It lives in this tab's session and nowhere else.

import { h } from "./dom.js";

const KEY = "bearer-token";

/** The token, or an empty text. */
export function token() {
  return sessionStorage.getItem(KEY) ?? "";
}

/** What the token says of itself; it is not checked here. */
function facts(text) {
  try {
    const [, payload] = text.split(".");
    const claims = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const until = claims.exp ? new Date(claims.exp * 1000) : null;
    const expired = until && until < new Date();
    return { subject: claims.sub ?? "", tenant: claims.tenant ?? "", until, expired };
  } catch {
    return null;
  }
}

function label() {
  const known = facts(token());
  if (!token()) return "No token";
  if (!known) return "Token set";
  return known.expired ? "Token expired" : known.subject || "Token set";
}

/** A button that shows the state and opens the dialog. */
export function tokenButton() {
  const button = h(
    "button",
    { type: "button", class: "token-state", onclick: openDialog },
    h("span", { class: "dot" }),
    h("span", { "data-token-label": "" }, label()),
  );
  return button;
}

function openDialog() {
  const input = document.getElementById("token-input");
  input.value = token();
  describe();
  document.getElementById("token-dialog").showModal();
  input.select();
}

function describe() {
  const text = document.getElementById("token-input").value.trim();
  const known = facts(text);
  const until = known?.until ? `${known.expired ? "expired" : "good until"} ${known.until.toLocaleString()}` : "";
  const says = known ? [known.subject && `subject ${known.subject}`, known.tenant && `tenant ${known.tenant}`, until] : [];
  const wrong = text && !known ? "This does not look like a JWT." : "";
  document.getElementById("token-facts").textContent = wrong || says.filter(Boolean).join(" · ");
}

function store(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
  refresh();
}

function refresh() {
  document.body.classList.toggle("has-token", Boolean(token()));
  document.getElementById("token-label").textContent = label();
  for (const element of document.querySelectorAll("[data-token-label]")) element.textContent = label();
}

/** Connects the dialog that is part of the page. */
export function setUpToken() {
  const dialog = document.getElementById("token-dialog");
  const input = document.getElementById("token-input");
  document.getElementById("token-open").addEventListener("click", openDialog);
  input.addEventListener("input", describe);
  document.getElementById("token-clear").addEventListener("click", () => {
    store("");
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "save") store(input.value.trim().replace(/^bearer\s+/i, ""));
    dialog.returnValue = "";
  });
  refresh();
}
