// SPDX-License-Identifier: Apache-2.0
// A sound for every change of state, to be told apart without looking. Made of tones, so that there is no file to load.

import { $, setIcon } from "./dom.js";
import { hooks, now } from "./state.js";
import { t, onLanguage } from "./words.js";

const OFF = new URLSearchParams(location.search).get("sound") === "off";
const KEPT = "booth.volume";

/** Each: tones of [begin s, length s, from Hz, to Hz, shape, loudness]. */
const SOUNDS = {
  engage: [[0, 0.14, 523, 523, "triangle", 0.9], [0.15, 0.26, 784, 784, "triangle", 1]],
  release: [[0, 0.34, 660, 290, "triangle", 0.9]],
  record: [[0, 0.42, 1000, 1000, "sine", 0.9]],
  saved: [[0, 0.1, 1180, 1180, "sine", 0.8], [0.17, 0.16, 1180, 1180, "sine", 0.8]],
  redo: [[0, 0.12, 587, 587, "square", 0.3], [0.14, 0.12, 440, 440, "square", 0.3], [0.28, 0.2, 587, 587, "square", 0.3]],
  fault: [[0, 0.22, 118, 112, "sawtooth", 0.8], [0.28, 0.42, 118, 108, "sawtooth", 0.8]],
};

let context = null;
let muted = OFF || localStorage.getItem(KEPT) === "muted";
let volume = Number.parseInt(localStorage.getItem(`${KEPT}.level`) ?? "70", 10) / 100;

export const isMuted = () => muted;
export const loudness = () => (muted ? 0 : volume);

/** Play a sound by its name. */
export function play(name) {
  hooks.sounds.push({ name, at_ms: now() });
  if (muted || !(name in SOUNDS) || context?.state !== "running") return;
  for (const tone of SOUNDS[name]) playTone(...tone);
}

function playTone(begin, length, from, to, shape, loud) {
  const start = context.currentTime + 0.01 + begin;
  const oscillator = new OscillatorNode(context, { type: shape, frequency: from });
  const gain = new GainNode(context, { gain: 0 });
  oscillator.frequency.linearRampToValueAtTime(to, start + length);
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(loud * volume * 0.5, start + 0.012);
  gain.gain.setValueAtTime(loud * volume * 0.5, start + length - 0.03);
  gain.gain.linearRampToValueAtTime(0, start + length);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(start + length + 0.02);
}

/** Browsers are silent until somebody has touched the page: ask for it, once. */
export function startSounds() {
  showMute();
  $("mute").addEventListener("click", () => {
    muted = !muted;
    localStorage.setItem(KEPT, muted ? "muted" : "on");
    showMute();
  });
  $("volume").value = String(Math.round(volume * 100));
  $("volume").addEventListener("input", (event) => {
    volume = Number(event.target.value) / 100;
    localStorage.setItem(`${KEPT}.level`, event.target.value);
  });
  $("volume").addEventListener("change", () => play("saved"));
  onLanguage(showMute);
  addEventListener("pointerdown", unlock, { capture: true });
  addEventListener("keydown", unlock, { capture: true });
  showUnlock();
}

async function unlock() {
  if (OFF || context?.state === "running") return;
  context ??= new AudioContext();
  context.onstatechange = showUnlock;
  await context.resume();
  showUnlock();
}

function showUnlock() {
  $("unlock").hidden = muted || context?.state === "running";
}

function showMute() {
  setIcon($("mute-icon"), muted ? "mute" : "sound");
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute").title = t("ui.mute");
  $("volume").disabled = muted;
  showUnlock();
}
