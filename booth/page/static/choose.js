// SPDX-License-Identifier: Apache-2.0
// Before a session: who are you, and what will you show the robot?

import { mayAct } from "./actions.js";
import { send } from "./connection.js";
import { button, el, icon } from "./dom.js";
import { refresh } from "./state.js";
import { t } from "./words.js";

const chosen = { operator: null, task: null };

/** Part of what the panel is made of: it must be made anew when a choice changes. */
export const choice = () => `${chosen.operator} ${chosen.task}`;

export function choosePanel(state) {
  const { operators = [], tasks = [] } = state.session;
  if (!operators.some((each) => each.id === chosen.operator)) chosen.operator = operators.length === 1 ? operators[0].id : null;
  if (!tasks.some((each) => each.id === chosen.task)) chosen.task = tasks.length === 1 ? tasks[0].id : null;
  const ready = mayAct(state) && chosen.operator && chosen.task;
  const begin = (training) => send({ type: "begin", operator: chosen.operator, task: chosen.task, training });
  const me = operators.find((each) => each.id === chosen.operator);
  return [
    el("h2", {}, t("choose.operator")),
    list("operator", operators, t("choose.no_operator"), (each) => [el("b", {}, each.name), training(each)]),
    el("h2", {}, t("choose.task")),
    list("task", tasks, t("choose.no_task"), (each) => [el("b", {}, each.name), el("small", {}, each.instruction)]),
    el("div", { class: "grow" }),
    el("div", { class: "actions" },
      button("practise", t("choose.practise"), () => begin(true), { class: `action large ${me?.ready === false ? "keep" : ""}`, disabled: !ready }),
      button("begin", t("choose.begin"), () => begin(false), { class: `action large ${me?.ready === false ? "" : "keep"}`, disabled: !ready })),
  ];
}

function list(what, entries, empty, describe) {
  if (entries.length === 0) return el("p", { class: "empty" }, empty);
  const pick = (id) => () => {
    chosen[what] = id;
    refresh();
  };
  return el("div", { class: `choices ${what}s`, role: "radiogroup", data: { scrolls: "" } }, entries.map((each) =>
    button(`${what}-${each.id}`, describe(each), pick(each.id), {
      class: "choice", role: "radio", "aria-checked": String(each.id === chosen[what]),
    })));
}

/** Whether somebody has practised: a tick and a word, not a colour alone. */
function training(operator) {
  if (operator.ready === null || operator.ready === undefined) return null;
  return operator.ready
    ? el("small", { class: "good" }, icon("tick"), t("choose.trained"))
    : el("small", { class: "fair" }, icon("wait"), t("choose.untrained"));
}
