// SPDX-License-Identifier: Apache-2.0
// Where to put the hand in an exercise: circles over the mirror; a target that was hit is filled and ticked.

import { place } from "./skeleton.js";

export function drawTargets(paper, targets, size) {
  targets.forEach((target, k) => {
    const [x, y] = place([target.u, target.v], size);
    const radius = target.r * size.width;
    paper.beginPath();
    paper.arc(x, y, radius, 0, 2 * Math.PI);
    paper.fillStyle = target.hit ? "rgba(63, 208, 90, 0.65)" : "rgba(79, 163, 255, 0.25)";
    paper.fill();
    outline(paper, target.hit, radius);
    if (target.hit) tick(paper, x, y, radius);
    else if (targets.length > 1) number(paper, k + 1, x, y, radius);
  });
}

function outline(paper, hit, radius) {
  paper.setLineDash(hit ? [] : [radius * 0.35, radius * 0.2]);
  paper.lineWidth = Math.max(4, radius * 0.12);
  paper.strokeStyle = hit ? "#3fd05a" : "#9fd0ff";
  paper.stroke();
  paper.setLineDash([]);
}

function tick(paper, x, y, radius) {
  paper.lineWidth = radius * 0.2;
  paper.lineCap = paper.lineJoin = "round";
  paper.strokeStyle = "#fff";
  paper.beginPath();
  paper.moveTo(x - radius * 0.45, y + radius * 0.02);
  paper.lineTo(x - radius * 0.1, y + radius * 0.38);
  paper.lineTo(x + radius * 0.5, y - radius * 0.36);
  paper.stroke();
}

function number(paper, value, x, y, radius) {
  paper.font = `700 ${Math.round(radius)}px system-ui, sans-serif`;
  paper.textAlign = "center";
  paper.textBaseline = "middle";
  paper.fillStyle = "#fff";
  paper.fillText(String(value), x, y);
  paper.textBaseline = "alphabetic";
}
