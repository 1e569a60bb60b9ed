// SPDX-License-Identifier: Apache-2.0
// Before a session: who are you, do you agree to be recorded, and what will you show the robot?

import { mayAct } from "./actions.js";
import { send } from "./connection.js";
import { button, el, icon } from "./dom.js";
import { refresh } from "./state.js";
import { t } from "./words.js";

const chosen = { operator: null, task: null, asking: null };

/** Part of what the panel is made of: it must be made anew when a choice changes. */
export const choice = () => [chosen.operator, chosen.task, chosen.asking];

export function choosePanel(state) {
  const { operators = [], tasks = [] } = state.session;
  keep("operator", operators);
  keep("task", tasks);
  const me = operators.find((each) => each.id === chosen.operator);
  if (me?.consent === false && chosen.asking !== null) return consentPanel(state, me.id);
  const first = me?.ready === false;
  const start = (training, enabled) => ({ class: `action large ${first === training ? "keep" : ""}`, disabled: !(mayAct(state) && me && enabled) });
  return [
    el("h2", {}, t("choose.operator")),
    list("operator", operators, t("choose.no_operator"), (each) => [el("b", {}, each.name), training(each)]),
    el("h2", {}, t("choose.task")),
    list("task", tasks, t("choose.no_task"), (each) => [el("b", {}, each.name), el("small", {}, each.instruction)]),
    el("div", { class: "grow" }),
    el("div", { class: "actions" },
      button("practise", t("choose.practise"), () => begin(me, true), start(true, true)),
      button("begin", t("choose.begin"), () => begin(me, false), start(false, chosen.task))),
  ];
}

/** A choice stays while it can be chosen; where there is only one, it is chosen. */
function keep(what, entries) {
  if (entries.some((each) => each.id === chosen[what])) return;
  chosen[what] = entries.length === 1 ? entries[0].id : null;
}

/** Nobody is recorded, or practises, who has not agreed: ask first. */
function begin(operator, training) {
  if (operator.consent === false) {
    chosen.asking = training;
    refresh();
  } else {
    send({ type: "begin", operator: operator.id, task: chosen.task ?? "", training });
  }
}

function consentPanel(state, operator) {
  const answer = (agree) => {
    send({ type: "consent", operator, agree });
    if (agree) send({ type: "begin", operator, task: chosen.task ?? "", training: chosen.asking });
    chosen.asking = null;
    refresh();
  };
  const disabled = !mayAct(state);
  return [
    el("h2", {}, t("consent.title")),
    el("p", { class: "consent fits-box" }, t("consent.text")),
    el("div", { class: "actions" },
      button("agree", t("consent.agree"), () => answer(true), { class: "action large keep", disabled }),
      button("decline", t("consent.decline"), () => answer(false), { class: "action large redo", disabled })),
  ];
}

function list(what, entries, empty, describe) {
  if (entries.length === 0) return el("p", { class: "empty" }, empty);
  const pick = (id) => () => {
    chosen[what] = id;
    chosen.asking = null;
    refresh();
  };
  return el("div", { class: `choices ${what}s`, role: "radiogroup", data: { scrolls: "" } }, entries.map((each) =>
    button(`${what}-${each.id}`, describe(each), pick(each.id), {
      class: "choice", role: "radio", "aria-checked": String(each.id === chosen[what]),
    })));
}

/** Whether somebody has practised: a tick or a clock, and words for who must still do so. */
function training(operator) {
  if (operator.ready === null || operator.ready === undefined) return null;
  return operator.ready
    ? el("small", { class: "good", title: t("choose.trained"), role: "img", "aria-label": t("choose.trained") }, icon("tick"))
    : el("small", { class: "fair" }, icon("wait"), " ", t("choose.untrained"));
}
