// SPDX-License-Identifier: Apache-2.0
// One colour, one word, one shape: what the robot does now, to be read from 3 m away; and why, and what to do.

import { $, setIcon, setText } from "./dom.js";
import { keepFitting } from "./fit.js";
import { brief, language, named, t } from "./words.js";
import { speakReason } from "./speech.js";

const SHAPES = { IDLE: "idle", READY: "palm", ENGAGED: "engaged", REC: "rec", HOLD: "hold", STOPPED: "stopped" };
const WITH_VOICE = ["HOLD", "STOPPED"];

let wording = "";

export function showSign(state) {
  const word = named("word", state.word);
  const [reason, todo] = explain(state);
  document.body.dataset.sign = state.word;
  setText($("reason"), reason);
  setText($("todo"), todo);
  const next = [language, state.word, reason, todo].join("\n").replace(/[\d.,]+/g, "");
  if (next === wording) return; // only figures have changed: nothing is to be fitted or said again
  wording = next;
  setIcon($("shape-icon"), SHAPES[state.word] ?? "warn");
  setText($("word"), word);
  $("word").style.setProperty("--letters", String(Math.max(4, width(word))));
  keepFitting($("why"));
  const why = [reason, todo].filter(Boolean).join(". ");
  setText($("say"), why ? `${word}. ${why}` : word);
  if (WITH_VOICE.includes(state.word)) speakReason(state, why);
}

/** Why, and what to do. A reason that has no words in this language gives way to the title of its fault. */
function explain({ reason, todo, fault }) {
  const title = fault ? t(`fault.${fault}.title`) : "";
  const why = (reason && !reason.key && language !== "en" && title) || brief(reason) || title;
  const next = (fault && t(`fault.${fault}.todo`)) || brief(todo);
  return [why, next === why ? "" : next];
}

/** How many letters wide: a Hangul letter counts for almost two. */
function width(word) {
  return [...word].reduce((sum, letter) => sum + (letter > "\u1100" ? 1.5 : 1), 0);
}
