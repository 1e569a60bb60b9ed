// SPDX-License-Identifier: Apache-2.0
// The page's words in the operator's language.
// A phrase is {key, args, text}: the words of `key` with `args` in their places, or, where the key is null or not
// known, its English text.

export const LANGUAGES = { en: "English", ko: "한국어", uz: "O‘zbekcha", ru: "Русский" };
const KEPT = "booth.language";
const RETRY_MS = 1000;
const FOLLOWS = ["reason.stale_because", "reason.driver_holds", "reason.refused"];

const words = {};
const listeners = [];
export let language = "en";
let wanted = "en";

/** The language that was chosen on this device; English where none was. */
export function keptLanguage() {
  const kept = localStorage.getItem(KEPT);
  return kept in LANGUAGES ? kept : "en";
}

/** Speak a language from now on; English stands in for words that it lacks. The last call counts. */
export async function setLanguage(next, keep = false) {
  if (!(next in LANGUAGES)) return;
  if (keep) localStorage.setItem(KEPT, next);
  wanted = next;
  for (const name of new Set(["en", next])) words[name] ??= await load(name);
  if (wanted !== next) return;
  language = next;
  document.documentElement.lang = next;
  write(document.body);
  for (const listener of listeners) listener(next);
}

async function load(name) {
  for (;;) {
    try {
      return await (await fetch(`/languages/${name}.json`)).json();
    } catch {
      await new Promise((again) => setTimeout(again, RETRY_MS));
    }
  }
}

export function onLanguage(listener) {
  listeners.push(listener);
}

/** The text of a key, with arguments in their places. */
export function t(key, args = {}) {
  const text = words[language]?.[key] ?? words.en?.[key];
  return text === undefined ? "" : filled(text, args);
}

/** The text of a key made of a family and a name; the name itself where nobody has given it words. */
export function named(family, name) {
  return t(`${family}.${name}`) || String(name ?? "").replaceAll("_", " ");
}

/** A phrase, a text or a number as a text. */
export function phrase(what) {
  if (what === null || what === undefined) return "";
  if (typeof what !== "object") return String(what);
  if (what.key === "join") return (what.args?.parts ?? []).map(phrase).join("; ");
  return (what.key && t(what.key, what.args)) || what.text || "";
}

/** The heart of a phrase, to be read from afar: the cause instead of what follows from it, the first of several. */
export function brief(what) {
  if (what?.key === "join") {
    const [first, ...more] = what.args.parts;
    return more.length ? `${brief(first)} (${t("session.more", { n: more.length })})` : brief(first);
  }
  const why = FOLLOWS.includes(what?.key) ? what.args.why : null;
  return why?.key ? brief(why) : sentence(what);
}

/** A phrase as a sentence: its first letter is large. */
export function sentence(what) {
  const text = phrase(what);
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}

/** Fill in the words of all elements that name them: data-word as text, data-label as label for those who can't see. */
export function write(root) {
  for (const node of root.querySelectorAll("[data-word]")) node.textContent = t(node.dataset.word);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
}

function filled(text, args) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (args && name in args ? phrase(args[name]) : whole));
}
