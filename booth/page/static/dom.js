// SPDX-License-Identifier: Apache-2.0
// Elements of the page: find them, make them, and make them anew only where something changed.

export const $ = (id) => document.getElementById(id);

/** An element with properties (`class`, `data`, `on`, `style` are understood) and children (nodes or texts). */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "on") node.addEventListener("click", value);
    else if (name === "share") setShare(node, value);
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A button, whose `id` keeps the focus when the panel is made anew. */
export function button(id, text, on, properties = {}) {
  return el("button", { type: "button", data: { id }, on, ...properties }, ...[text].flat());
}

export function icon(name, extra = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  node.setAttribute("class", `icon ${extra}`);
  node.setAttribute("aria-hidden", "true");
  setIcon(use, name);
  node.append(use);
  return node;
}

export function setIcon(use, name) {
  const address = `/static/icons.svg#${name}`;
  if (use.getAttribute("href") !== address) use.setAttribute("href", address);
}

/** How full a bar is, 0 … 1. */
export function setShare(node, share) {
  node.style.setProperty("--share", String(Math.min(1, Math.max(0, share || 0))));
}

/** Make a node's children anew when `key` has changed; nothing that a finger rests on is replaced in vain. */
export function fill(node, key, build) {
  const text = JSON.stringify(key);
  if (node.filledWith === text) return false;
  node.filledWith = text;
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
  node.replaceChildren(...[build()].flat().filter(Boolean));
  if (focused) node.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  return true;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
