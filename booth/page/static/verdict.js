// SPDX-License-Identifier: Apache-2.0
// What became of the last episode, in words.

import { el, icon } from "./dom.js";
import { named, t } from "./words.js";

const LOOKS = { ok: ["tick", "good"], degraded: ["warn", "fair"], failed: ["cross", "poor"] };
const MOST_FINDINGS = 5;

export function verdictBox(state) {
  const { verdict, findings = [], rows } = state.last;
  if (!verdict) return null;
  const [shape, look] = LOOKS[verdict] ?? ["wait", ""];
  const more = findings.length - MOST_FINDINGS;
  return el("div", { class: `verdict fits-box ${look}` },
    icon(shape),
    el("div", {},
      el("b", {}, t("session.last"), ": ", named("verdict", verdict)),
      rows > 0 && el("small", {}, t("session.rows", { n: rows })),
      findings.length > 0 && el("ul", {}, findings.slice(0, MOST_FINDINGS).map((code) => el("li", {}, named("finding", code))),
        more > 0 && el("li", {}, t("session.more", { n: more })))));
}
