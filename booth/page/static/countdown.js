// SPDX-License-Identifier: Apache-2.0
// The seconds that are left, large, over the mirror. They go on between two messages of the booth.

import { $, setText } from "./dom.js";
import { hooks, sinceState } from "./state.js";
import { t } from "./words.js";

const WITH_COUNTDOWN = ["warm_up", "recording", "review", "reset"];

export function startCountdown() {
  setInterval(showCountdown, 100);
}

export function showCountdown() {
  const session = hooks.state?.session;
  const left = session?.countdown_s;
  const wanted = typeof left === "number" && WITH_COUNTDOWN.includes(session.phase);
  $("countdown").hidden = !wanted;
  if (!wanted) return;
  setText($("countdown-what"), t(`countdown.${session.phase}`));
  setText($("countdown-number"), String(Math.max(0, Math.ceil(left - sinceState()))));
}
