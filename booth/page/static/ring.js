// SPDX-License-Identifier: Apache-2.0
// The ring at the hand that fills while a sign is held, and shows how far the way into following is.

import { palm } from "./skeleton.js";
import { drives } from "./state.js";
import { named, t } from "./words.js";

const STEPS = {
  HOLDING_SIGN: { colour: "#4fa3ff", word: "ring.hold" },
  ALIGNING: { colour: "#ffb020", word: "ring.align", dashed: true },
  ASKING: { colour: "#4fa3ff", word: "ring.ask" },
  RAMPING: { colour: "#3fd05a", word: "ring.ramp" },
};

export function drawRings(paper, hands, state, size) {
  const engage = state.engage ?? {};
  if (engage.sign) {
    const label = named("sign", engage.sign);
    each(hands, () => true, (hand) => ring(paper, palm(hand, size), engage.sign_progress ?? 0, "#ffffff", label, size));
    return;
  }
  const step = STEPS[engage.state];
  if (!step) return;
  const anybody = ["right", "left"].some((side) => drives(state, side));
  each(hands, (side) => !anybody || drives(state, side), (hand) =>
    ring(paper, palm(hand, size), engage.progress ?? 0, step.colour, t(step.word), size, step.dashed));
}

function each(hands, wanted, what) {
  for (const [side, hand] of Object.entries(hands)) if (wanted(side)) what(hand);
}

function ring(paper, at, share, colour, label, size, dashed = false) {
  const radius = Math.max(at.reach * 1.12, size.width / 18);
  const thick = Math.max(6, size.width / 75);
  paper.lineCap = "butt";
  arc(paper, at, radius, 1, thick, "rgba(0, 0, 0, 0.55)");
  paper.setLineDash(dashed ? [thick, thick * 0.7] : []);
  arc(paper, at, radius, dashed ? 1 : share, thick * 0.7, colour);
  paper.setLineDash([]);
  caption(paper, label, at.x, Math.min(size.height - thick, at.y + radius + thick * 2.6), size);
}

function arc(paper, at, radius, share, thick, colour) {
  paper.lineWidth = thick;
  paper.strokeStyle = colour;
  paper.beginPath();
  paper.arc(at.x, at.y, radius, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, Math.max(0, share)));
  paper.stroke();
}

function caption(paper, text, x, y, size) {
  paper.font = `600 ${Math.round(size.width / 36)}px system-ui, sans-serif`;
  paper.textAlign = "center";
  const half = paper.measureText(text).width / 2;
  const inside = Math.min(size.width - half - 4, Math.max(half + 4, x));
  paper.lineWidth = size.width / 160;
  paper.lineJoin = "round";
  paper.strokeStyle = "rgba(0, 0, 0, 0.8)";
  paper.strokeText(text, inside, y);
  paper.fillStyle = "#fff";
  paper.fillText(text, inside, y);
}
