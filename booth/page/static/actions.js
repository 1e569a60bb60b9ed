// SPDX-License-Identifier: Apache-2.0
// The session's actions as buttons, each with the sign and the pedal that do the same.

import { button, el, icon } from "./dom.js";
import { drives } from "./state.js";
import { send } from "./connection.js";
import { named, t } from "./words.js";

/** What a tap of the pedal does in each phase, and what holding it down does. */
const TAP = {
  warm_up: "next", ready: "record", recording: "stop", review: "keep", reset: "next", paused: "resume", training: "next",
};
const PRESS = { recording: "redo", saving: "redo", review: "redo", training: "redo" };

/** What a thumb up or down answers in each phase; the page shows only what the booth understands. */
const YES = { review: "keep", reset: "next", training: "next" };
const NO = { review: "redo", training: "redo" };

const ORDER = ["record", "stop", "keep", "resume", "next", "redo", "undo", "skip", "recheck", "pause", "finish"];
const LARGE = ["record", "stop", "keep", "redo", "resume", "next"];

/** Buttons for what is possible now, the large ones first. `ask` is called for an action that is asked for twice. */
export function actionButtons(state, ask) {
  const { session, training, check = [] } = state;
  const said = new Set([...session.actions, ...(session.phase === "training" ? (training?.actions ?? []) : [])]);
  if (session.phase === "check" && check.some((item) => item.state === "failed")) said.add("recheck");
  const possible = ORDER.filter((action) => said.has(action));
  const one = (action) =>
    button(action, [el("span", {}, named("action", action)), ways(state, action)], () =>
      action === "finish" && session.phase !== "training" ? ask(action) : send({ type: "act", action }),
    { class: `action ${action} ${LARGE.includes(action) ? "large" : "small"}`, disabled: !mayAct(state) });
  const large = possible.filter((action) => LARGE.includes(action));
  const small = possible.filter((action) => !LARGE.includes(action));
  return [
    large.length > 0 && el("div", { class: "actions" }, large.map(one)),
    small.length > 0 && el("div", { class: "actions minor" }, small.map(one)),
  ];
}

export const mayAct = (state) => state.lease?.mine !== false;

/** The sign and the pedal that do the same as the button. */
function ways(state, action) {
  const sign = signOf(state, action);
  const pedal = pedalOf(state, action);
  if (!sign && !pedal) return null;
  return el("span", { class: "ways" },
    sign && el("span", { class: "way", title: t(sign.word), role: "img", "aria-label": t(sign.word) },
      icon(sign.icon), sign.both && icon(sign.icon)),
    pedal && el("span", { class: "way" }, icon("pedal"), el("small", {}, t(`pedal.${pedal}`))));
}

/** The sign of an action; with two hands that drive, those for recording are shown by both at once. */
function signOf(state, action) {
  const { phase } = state.session;
  const both = drives(state, "right") && drives(state, "left");
  if (action === "record" || (action === "next" && phase === "warm_up")) {
    return { icon: "victory", both, word: both ? "way.record_both" : "way.record" };
  }
  if (action === "stop") return { icon: both ? "thumb_up" : "fist", both, word: both ? "way.stop_both" : "way.stop" };
  if (YES[phase] === action) return { icon: "thumb_up", word: "way.yes" };
  return NO[phase] === action ? { icon: "thumb_down", word: "way.no" } : null;
}

function pedalOf(state, action) {
  const { pedal, session } = state;
  if (pedal?.state !== "PRESENT" || pedal.role !== "record") return null;
  if (TAP[session.phase] === action) return "tap";
  return PRESS[session.phase] === action ? "press" : null;
}
