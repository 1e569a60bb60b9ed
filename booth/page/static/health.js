// SPDX-License-Identifier: Apache-2.0
// Along the lower edge: how late, how much room, what still comes, how warm the servos are.

import { $, el, fill, icon } from "./dom.js";
import { language, named, phrase, sentence, t } from "./words.js";

const HOTTEST = 3;
const SHAPES = { OK: "rec", SLOW: "warn", STALLED: "stopped" };
const LEVELS = { OK: "good", SLOW: "fair", STALLED: "poor" };
const COLD_C = 20;

export function showHealth(state) {
  const servos = hottest(state.servos ?? []);
  const recorder = state.recorder ?? {};
  const key = [language, Math.round(state.latency_ms ?? -1), recorder.state, Math.round(recorder.minutes_left ?? -1),
    Math.round(recorder.free_gb ?? -1), recorder.warning, state.pedal, servos, state.far && [state.far.operator, Math.round(state.far.round_trip_ms)],
    (state.streams ?? []).map((stream) => [stream.name, stream.health, Math.round(stream.hz)])];
  fill($("health"), key, () => [
    latency(state.latency_ms),
    far(state.far),
    disk(recorder),
    streams(state.streams ?? []),
    servos.length > 0 && temperatures(servos),
    pedal(state.pedal),
  ]);
}

function chip(title, level, ...content) {
  return el("div", { class: `chip ${level}` }, el("small", {}, title), el("div", {}, ...content));
}

function latency(ms) {
  const level = !(ms >= 0) ? "" : ms < 80 ? "good" : ms < 150 ? "fair" : "poor";
  return chip(t("health.latency"), level, ms >= 0 ? t("health.ms", { n: Math.round(ms) }) : "–");
}

/** Who drives from another machine, and the round trip of the network between. */
function far(who) {
  if (!who) return null;
  const level = who.round_trip_ms < 20 ? "good" : who.round_trip_ms < 60 ? "fair" : "poor";
  return chip(t("health.far"), level, `${who.operator} · ${t("health.ms", { n: Math.round(who.round_trip_ms) })}`);
}

function disk({ minutes_left: left, free_gb: free, warning, state }) {
  const level = warning || left < 5 ? "poor" : left < 30 ? "fair" : "good";
  const room = left >= 0 && left !== null ? t("health.minutes", { n: Math.round(left) }) : free > 0 ? t("health.gb", { n: Math.round(free) }) : "–";
  const node = chip(t("health.disk"), state ? level : "", level !== "good" && icon("warn"), room);
  if (phrase(warning)) node.title = sentence(warning);
  return node;
}

/** All well: one word. Else those that are not. */
function streams(all) {
  const bad = all.filter((stream) => stream.health !== "OK");
  if (all.length === 0) return null;
  if (bad.length === 0) {
    return chip(t("health.streams"), "good", icon("tick"), t("health.all_ok", { n: all.length }));
  }
  const worst = bad.some((stream) => stream.health === "STALLED") ? "poor" : "fair";
  return chip(t("health.streams"), worst, bad.slice(0, 2).map((stream) =>
    el("span", { class: `stream ${LEVELS[stream.health]}` }, icon(SHAPES[stream.health]),
      `${named("stream", stream.name)} ${named("stream_health", stream.health)}`)),
  bad.length > 2 && `+${bad.length - 2}`);
}

function hottest(servos) {
  const share = (servo) => (servo.temperature_c - COLD_C) / ((servo.limit_c || 70) - COLD_C);
  return [...servos]
    .filter((servo) => servo.temperature_c !== null)
    .sort((a, b) => Number(Boolean(b.fault)) - Number(Boolean(a.fault)) || share(b) - share(a))
    .slice(0, HOTTEST)
    .map((servo) => ({ ...servo, share: share(servo) }));
}

function temperatures(servos) {
  return el("div", { class: "chip servos" }, el("small", {}, t("health.servos")), el("div", {}, servos.map((servo) => {
    const level = servo.fault || servo.share > 0.9 ? "poor" : servo.share > 0.7 ? "fair" : "good";
    return el("span", { class: `servo ${level}`, title: servo.fault || servo.name },
      el("span", { class: "name" }, level !== "good" && icon("warn"), servo.name),
      el("i", { class: "bar", share: servo.share }),
      el("b", {}, `${Math.round(servo.temperature_c)} °C`));
  })));
}

function pedal(found) {
  if (!found?.state) return null;
  const gone = found.state !== "PRESENT";
  return chip(t("health.pedal"), gone ? "poor" : "good", icon(gone ? "warn" : "pedal"),
    gone ? named("pedal_state", found.state) : named("pedal_role", found.role));
}
