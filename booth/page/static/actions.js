// SPDX-License-Identifier: Apache-2.0
// The session's actions as buttons, each with the sign and the pedal that do the same.

import { button, el, icon } from "./dom.js";
import { drives } from "./state.js";
import { send } from "./connection.js";
import { named, t } from "./words.js";

/** What a tap of the pedal does in each phase, and what holding it down does. */
const TAP = { warm_up: "next", ready: "record", recording: "stop", review: "keep", reset: "next", paused: "resume" };
const PRESS = { recording: "redo", review: "redo" };
const ORDER = ["record", "stop", "keep", "resume", "next", "redo", "skip", "pause", "finish"];
const LARGE = ["record", "stop", "keep", "redo", "resume", "next"];

/** Buttons for what is possible now, the large ones first. `ask` is called for an action that is asked for twice. */
export function actionButtons(state, ask) {
  const possible = ORDER.filter((action) => state.session.actions.includes(action));
  const large = possible.filter((action) => LARGE.includes(action));
  const small = possible.filter((action) => !LARGE.includes(action));
  const one = (action) =>
    button(action, [el("span", {}, named("action", action)), ways(state, action)], () =>
      action === "finish" ? ask(action) : send({ type: "act", action }),
      { class: `action ${action} ${LARGE.includes(action) ? "large" : "small"}`, disabled: !mayAct(state) });
  return [
    large.length > 0 && el("div", { class: "actions" }, large.map(one)),
    small.length > 0 && el("div", { class: "actions minor" }, small.map(one)),
  ];
}

export const mayAct = (state) => state.lease?.mine !== false;

/** The sign and the pedal that do the same as the button. */
function ways(state, action) {
  const signs = signOf(state, action);
  const pedal = pedalOf(state, action);
  if (!signs && !pedal) return null;
  return el("span", { class: "ways" },
    signs && el("span", { class: "way", title: t(signs.word), role: "img", "aria-label": t(signs.word) },
      icon(signs.icon), signs.both && icon(signs.icon)),
    pedal && el("span", { class: "way", title: t(`pedal.${pedal}`) }, icon("pedal"), el("small", {}, t(`pedal.${pedal}`))));
}

/** With two hands that drive a sign is shown by both at once; else by the free one. */
function signOf(state, action) {
  const both = drives(state, "right") && drives(state, "left");
  const { phase } = state.session;
  if (action === "record") return { icon: "victory", both, word: both ? "way.record_both" : "way.record" };
  if (action === "stop") return both ? { icon: "thumb_up", both, word: "way.stop_both" } : { icon: "fist", word: "way.stop" };
  if (action === "keep" && phase === "review") return { icon: "thumb_up", word: "way.keep" };
  if (action === "redo" && phase === "review") return { icon: "thumb_down", word: "way.redo" };
  return null;
}

function pedalOf(state, action) {
  const { pedal, session } = state;
  if (pedal?.state !== "PRESENT" || pedal.role !== "record") return null;
  if (TAP[session.phase] === action) return "tap";
  return PRESS[session.phase] === action ? "press" : null;
}
