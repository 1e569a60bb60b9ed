// SPDX-License-Identifier: Apache-2.0
// The check before a session: a tick or a reason for everything, and the question that only a person can answer.

import { mayAct } from "./actions.js";
import { send } from "./connection.js";
import { button, el, icon, setText } from "./dom.js";
import { named, sentence, t } from "./words.js";

const ICONS = { ok: "tick", failed: "cross", warn: "warn", waiting: "wait" };
const WORST_FIRST = ["failed", "warn", "waiting", "ok"];
const ESTOP = "estop";

/** What the panel is made of; the figures in its sentences change all the time and are written by `updateCheck`. */
export const checkKey = (items = []) => items.map((item) => [item.name, item.state, Boolean(reasonOf(item))]);

export function updateCheck(panel, items = []) {
  for (const item of items) {
    const text = panel.querySelector(`.check [data-item="${CSS.escape(item.name)}"]`);
    if (text) setText(text, reasonOf(item));
  }
}

export function checkPanel(state) {
  const items = state.check ?? [];
  const asked = items.find((item) => item.name === ESTOP && item.state !== "ok");
  const lines = grouped(items.filter((item) => item !== asked));
  lines.sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
  return el("div", { class: "check" },
    el("ul", { data: { scrolls: "" } }, lines.map(line)),
    asked && el("div", { class: "estop" },
      el("p", { class: "fits-box" }, t("estop.ask")),
      button("estop", [el("span", {}, t("estop.seen")), icon("thumb_up")], () => send({ type: "confirm", what: ESTOP }),
        { class: "action large keep", disabled: !mayAct(state) })));
}

/** A robot has up to sixty servos, each with a line of its own: those that are fine become one. */
function grouped(items) {
  const servos = items.filter((item) => !t(`check.${item.name}`));
  const others = items.filter((item) => t(`check.${item.name}`));
  if (servos.length === 0) return others;
  const fine = servos.filter((item) => item.state === "ok");
  const waiting = servos.filter((item) => item.state === "waiting");
  const counted = t("check.servo_count", { n: fine.length, of: servos.length });
  const whole = { name: "servos", state: waiting.length ? "waiting" : "ok", count: counted };
  return [...others, whole, ...servos.filter((item) => item.state === "failed" || item.state === "warn")];
}

function line(item) {
  const why = reasonOf(item);
  return el("li", { class: `${item.state} ${why ? "told" : ""}` },
    icon(ICONS[item.state] ?? "wait"),
    el("b", {}, t(`check.${item.name}`) || item.name, item.count ? ` ${item.count}` : ""),
    el("span", { class: "unseen" }, named("check_state", item.state)),
    why && el("span", { class: "reason", data: { item: item.name } }, why));
}

/** A sentence where something is to be known or done; a tick needs none. */
const reasonOf = (item) => (item.state === "ok" ? "" : sentence(item.text));
