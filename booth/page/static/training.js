// SPDX-License-Identifier: Apache-2.0
// Practice: which exercise, how far, how good, and whether the operator may record.

import { el, icon, setShare, setText } from "./dom.js";
import { named, sentence, t } from "./words.js";

export function trainingPanel(training) {
  return el("div", { class: "training fits-box" },
    el("h2", {}, t("training.title", { n: training.number, of: training.of }), " ", el("b", {}, named("exercise", training.exercise))),
    el("p", { class: "asks" }, sentence(training.instruction)),
    el("div", { class: "bar large" }),
    el("p", { class: "left" }),
    training.ghost && el("p", { class: "ghost" }, icon("eye"), t("training.ghost")),
    training.score !== null && training.score !== undefined &&
      el("p", { class: "big" }, t("training.score", { n: Math.round(training.score) })),
    el("ul", { class: "scores" }, (training.scores ?? []).map((each) =>
      el("li", {}, el("span", {}, named("exercise", each.exercise)), el("div", { class: "bar", share: each.score / 100 }), el("b", {}, String(Math.round(each.score)))))),
    training.ready && el("p", { class: "good big" }, icon("tick"), t("training.ready")));
}

/** What changes all the time, without making the panel anew. */
export function updateTraining(panel, training) {
  const bar = panel.querySelector(".training > .bar");
  if (!bar || !training) return;
  setShare(bar, training.progress);
  const left = training.seconds_left;
  setText(panel.querySelector(".training > .left"), left > 0 ? t("training.left", { n: Math.ceil(left) }) : "");
}
