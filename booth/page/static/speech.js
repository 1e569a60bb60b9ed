// SPDX-License-Identifier: Apache-2.0
// The reason, spoken, where this device has a voice of the operator's language.

import { hooks, now } from "./state.js";
import { isMuted, loudness } from "./sounds.js";
import { language } from "./words.js";

const AGAIN_AFTER_MS = 4000;

window.speechSynthesis?.getVoices(); // browsers load their voices only when they are asked for

let last = { text: "", at: -AGAIN_AFTER_MS };

/** Speak why the robot stands still. A reason is not said again at once when only its figures have changed. */
export function speakReason(state, text) {
  const wording = `${state.word} ${text.replace(/[\d.,]+/g, "")}`;
  if (!text || (wording === last.text && performance.now() - last.at < AGAIN_AFTER_MS)) return;
  last = { text: wording, at: performance.now() };
  hooks.spoken.push({ text, at_ms: now() });
  if (isMuted() || !("speechSynthesis" in window)) return;
  const voice = speechSynthesis.getVoices().find((each) => each.lang.toLowerCase().startsWith(language));
  if (!voice) return;
  const utterance = new SpeechSynthesisUtterance(text);
  Object.assign(utterance, { voice, lang: voice.lang, volume: loudness(), rate: 1.05 });
  speechSynthesis.cancel();
  speechSynthesis.speak(utterance);
}
