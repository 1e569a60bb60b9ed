// SPDX-License-Identifier: Apache-2.0
// The check before a session: a tick or a reason for everything, and the question that only a person can answer.

import { mayAct } from "./actions.js";
import { send } from "./connection.js";
import { button, el, icon } from "./dom.js";
import { named, sentence, t } from "./words.js";

const ICONS = { ok: "tick", failed: "cross", warn: "warn", waiting: "wait" };
const WORST_FIRST = ["failed", "warn", "waiting", "ok"];
const ESTOP = "estop";

export function checkPanel(state) {
  const items = state.check ?? [];
  const asked = items.find((item) => item.name === ESTOP && item.state !== "ok");
  const sorted = [...items].sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
  return el("div", { class: "check" },
    el("ul", { data: { scrolls: "" } }, sorted.map(line)),
    asked && el("div", { class: "estop" },
      el("p", { class: "fits-box" }, t("check.estop_ask")),
      button("estop", t("check.estop_seen"), () => send({ type: "confirm", what: ESTOP }), { class: "action large keep", disabled: !mayAct(state) })));
}

function line(item) {
  const why = item.state === "ok" ? "" : sentence(item.text);
  return el("li", { class: item.state },
    icon(ICONS[item.state] ?? "wait"),
    el("b", {}, named("check", item.name)),
    el("span", { class: "unseen" }, t(`check_state.${item.state}`)),
    why && el("span", { class: "reason" }, why));
}
