// SPDX-License-Identifier: Apache-2.0
// One page has the say at a time. The others look on, and may ask for it; everybody may stop the robot.

import { send } from "./connection.js";
import { $, button, el, fill, icon } from "./dom.js";
import { language, t } from "./words.js";

export function showLease(state) {
  const { mine = true, taken = false } = state.lease ?? {};
  document.body.dataset.lease = mine ? "mine" : "view";
  fill($("lease"), [language, mine, taken], () => (mine ? [] : [
    icon("eye"),
    el("span", { class: "view-only" }, t(taken ? "lease.view_only" : "lease.free")),
    button("take", t("lease.take"), () => send({ type: "lease", take: true })),
  ]));
}
