// SPDX-License-Identifier: Apache-2.0
// The page: what comes from the booth goes to whoever shows it.

import { connect, send } from "./connection.js";
import { showCountdown, startCountdown } from "./countdown.js";
import { $, el, setText } from "./dom.js";
import { fitAll } from "./fit.js";
import { showHealth } from "./health.js";
import { showLease } from "./lease.js";
import { showLimbs } from "./limbs.js";
import { startMirror, takePicture } from "./mirror.js";
import { showModel, startModel } from "./robot3d.js";
import { showNote, showSession } from "./session.js";
import { showSign } from "./sign.js";
import { play, startSounds } from "./sounds.js";
import { hooks, onState, refresh, setState } from "./state.js";
import { keptLanguage, LANGUAGES, language, onLanguage, setLanguage } from "./words.js";

let operator = null;

for (const show of [showSign, showLease, showSession, showLimbs, showHealth, showModel, showRobot, showCountdown]) onState(show);
await setLanguage(keptLanguage());
startLanguage();
startSounds();
startMirror();
startCountdown();
startModel();
$("stop").addEventListener("click", () => send({ type: "stop" }));
connect({ message: take, picture: takePicture, change: showAlive });

function take(message) {
  if (message.type === "state") {
    followOperator(message.session?.operator ?? null);
    setState(message);
  } else if (message.type === "sound") play(message.name);
  else if (message.type === "error") showNote(message.text);
}

function showAlive(alive) {
  hooks.alive = alive;
  $("lost").hidden = alive;
  if (!alive) document.body.dataset.sign = "LOST";
  else refresh();
}

function showRobot({ robot, booth, virtual }) {
  setText($("robot"), [booth, robot].filter(Boolean).join(" · "));
  $("virtual").hidden = !virtual;
}

/** A session speaks its operator's language, until somebody chooses another on the page. */
function followOperator(next) {
  if (next?.id === operator) return;
  operator = next?.id ?? null;
  const wanted = next?.language || keptLanguage();
  if (wanted !== language) setLanguage(wanted);
}

function startLanguage() {
  const select = $("language");
  select.append(...Object.entries(LANGUAGES).map(([value, name]) => el("option", { value, lang: value }, name)));
  select.value = language;
  select.addEventListener("change", () => {
    setLanguage(select.value, true);
    send({ type: "language", language: select.value });
  });
  onLanguage((next) => {
    select.value = next;
    refresh();
    fitAll();
  });
}
