// SPDX-License-Identifier: Apache-2.0
// One colour, one word, one shape: what the robot does now, to be read from 3 m away; and why, and what to do.

import { $, setIcon, setText } from "./dom.js";
import { keepFitting } from "./fit.js";
import { named, phrase, sentence, t } from "./words.js";
import { speakReason } from "./speech.js";

const SHAPES = { IDLE: "idle", READY: "palm", ENGAGED: "engaged", REC: "rec", HOLD: "hold", STOPPED: "stopped" };
const WITH_VOICE = ["HOLD", "STOPPED"];

let shown = "";

export function showSign(state) {
  const word = named("word", state.word);
  const [reason, todo] = explain(state);
  const text = [document.documentElement.lang, state.word, reason, todo].join("\n");
  document.body.dataset.sign = state.word;
  if (text === shown) return;
  shown = text;
  setIcon($("shape-icon"), SHAPES[state.word] ?? "warn");
  setText($("word"), word);
  $("word").style.setProperty("--letters", String(Math.max(4, width(word))));
  setText($("reason"), reason);
  setText($("todo"), todo);
  keepFitting($("why"));
  setText($("say"), [word, reason, todo].filter(Boolean).join(". "));
  if (WITH_VOICE.includes(state.word)) speakReason(state, [reason, todo].filter(Boolean).join(". "));
}

/** Why, and what to do. A fault without a reason of its own is told by its title. */
function explain(state) {
  const title = state.fault ? t(`fault.${state.fault}.title`) : "";
  const reason = sentence(state.reason) || title;
  const todo = sentence(state.todo) || (state.fault ? t(`fault.${state.fault}.todo`) : "");
  return [reason, todo === phrase(state.reason) ? "" : todo];
}

/** How many letters wide: a Hangul letter counts for almost two. */
function width(word) {
  return [...word].reduce((sum, letter) => sum + (letter > "\u1100" ? 1.5 : 1), 0);
}
