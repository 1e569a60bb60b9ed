// SPDX-License-Identifier: Apache-2.0
// The right-hand side of the page: who does what, which episode, what to do now, and the buttons for it.

import { actionButtons } from "./actions.js";
import { checkKey, checkPanel, updateCheck } from "./check.js";
import { choice, choosePanel } from "./choose.js";
import { $, button, el, fill, icon } from "./dom.js";
import { keepFitting } from "./fit.js";
import { send } from "./connection.js";
import { refresh } from "./state.js";
import { trainingPanel, updateTraining } from "./training.js";
import { verdictBox } from "./verdict.js";
import { language, named, phrase, sentence, t } from "./words.js";

const AFTERWARDS = ["reset", "ready", "warm_up", "paused", "done"];

let finishing = false;
let finishingPhase = "";

export function showSession(state) {
  const { session } = state;
  if (!session) return;
  if (finishing && (session.phase !== finishingPhase || !session.actions.includes("finish"))) finishing = false;
  document.body.dataset.phase = session.phase;
  showHead(state);
  showPanel(state);
}

function showHead(state) {
  const { session } = state;
  const chosen = session.operator && session.phase !== "choose";
  const key = [language, chosen, session.operator, session.task, session.episode, session.target, session.kept,
    session.redone, session.skipped, session.progress, session.phase];
  $("head").hidden = !chosen;
  const changed = fill($("head"), key, () => (chosen ? head(session) : []));
  const task = $("head").querySelector(".task");
  if (changed && task) keepFitting(task);
}

function head(session) {
  const plain = ["training", "check"].includes(session.phase);
  const bar = el("div", { class: "bar", share: session.target ? session.kept / session.target : 0 });
  return [
    el("div", { class: "who" }, el("b", {}, session.operator.name), el("span", {}, session.task?.name ?? "")),
    session.task && el("p", { class: "task" }, session.task.instruction),
    !plain && el("div", { class: "episode" },
      el("b", {}, t("session.episode", { n: session.episode, of: session.target })),
      el("span", {}, counts(session))),
    !plain && bar,
  ];
}

function counts({ kept, redone, skipped, progress }) {
  return [
    t("session.kept", { n: kept }),
    redone > 0 && t("session.redone", { n: redone }),
    skipped > 0 && t("session.skipped", { n: skipped }),
    progress && t("session.progress", { booth: progress.booth_kept, operator: progress.operator_kept }),
    progress?.good_per_hour > 0 && t("session.per_hour", { n: progress.good_per_hour }),
  ].filter(Boolean).join(" · ");
}

function showPanel(state) {
  const { session } = state;
  const key = [language, session, state.last, checkKey(state.check), state.lease?.mine, state.pedal, state.recorder?.warning, finishing, choice(),
    (state.limbs ?? []).map((limb) => limb.name), state.training && { ...state.training, progress: 0, seconds_left: 0, targets: 0 }];
  const without = key.map((part) => (part === session ? { ...session, countdown_s: 0, source: "" } : part));
  const changed = fill($("panel"), without, () => panel(state));
  if (session.phase === "check") updateCheck($("panel"), state.check);
  if (session.phase === "training") updateTraining($("panel"), state.training);
  if (changed) for (const text of $("panel").querySelectorAll(".fits-box")) keepFitting(text);
}

function panel(state) {
  const { session } = state;
  if (session.phase === "choose") return choosePanel(state);
  const parts = [el("p", { class: "how fits-box" }, el("b", {}, ended(named("phase", session.phase))), " ", how(session))];
  if (finishing) return [...parts, finishPanel(session)];
  const caution = Boolean(phrase(state.recorder?.warning));
  if (caution) parts.push(el("p", { class: "caution" }, icon("warn"), " ", sentence(state.recorder.warning)));
  if (session.phase === "check") parts.push(checkPanel(state));
  if (session.phase === "training" && state.training) parts.push(trainingPanel(state.training));
  if (state.last && (session.phase === "review" || (AFTERWARDS.includes(session.phase) && !caution))) parts.push(verdictBox(state));
  if (session.phase === "done") parts.push(el("p", { class: "big" }, t("session.done", { n: session.kept, of: session.target })));
  return [...parts, el("div", { class: "grow" }), ...actionButtons(state, askToFinish)];
}

/** What became of what was asked for, or else what to do in this phase. */
const how = (session) => sentence(session.reason) || named("how", session.phase);

const ended = (text) => (/[.?!]$/.test(text) ? text : `${text}.`);

function askToFinish() {
  finishing = true;
  finishingPhase = document.body.dataset.phase;
  refresh();
}

function finishPanel(session) {
  const close = () => {
    finishing = false;
    refresh();
  };
  return el("div", { class: "ask" },
    el("p", { class: "big fits-box" }, t("finish.ask", { n: session.kept, of: session.target })),
    el("div", { class: "actions" },
      button("finish-no", t("finish.no"), close, { class: "action large" }),
      button("finish-yes", t("finish.yes"), () => {
        send({ type: "act", action: "finish" });
        close();
      }, { class: "action large redo" })));
}

/** What the booth says about something that was asked of it; it goes away after a while. */
export function showNote(text) {
  const note = $("note");
  note.textContent = sentence(text);
  note.hidden = !phrase(text);
  clearTimeout(showNote.timer);
  showNote.timer = setTimeout(() => (note.hidden = true), 6000);
}

