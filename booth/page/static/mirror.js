// SPDX-License-Identifier: Apache-2.0
// The operator's camera as a mirror: the newest picture only, what the tracker sees in it, and what to do about it.
//
// A picture comes as 4 bytes (length of the header, little endian), the header (JSON) and a JPEG that is not mirrored.

import { $, setShare, setText } from "./dom.js";
import { keepFitting } from "./fit.js";
import { drawRings } from "./ring.js";
import { drawBody, drawHands } from "./skeleton.js";
import { drives, hooks, now } from "./state.js";
import { drawTargets } from "./targets.js";
import { sentence } from "./words.js";

const LARGEST_PX = 1280;
const STALE_MS = 2000;

const canvas = $("mirror");
const paper = canvas.getContext("2d", { alpha: false });
let waiting = null;
let decoding = false;
let shownAt = -STALE_MS;

/** Take a message from the line. While a picture is being decoded only the newest of those that come is kept. */
export function takePicture(message) {
  if (waiting) hooks.frames.dropped += 1;
  waiting = message;
  if (!decoding) decodeNewest();
}

export function startMirror() {
  setInterval(() => ($("no-picture").hidden = performance.now() - shownAt < STALE_MS), 500);
}

async function decodeNewest() {
  decoding = true;
  while (waiting) {
    const message = waiting;
    waiting = null;
    try {
      const [header, jpeg] = parts(message);
      const picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
      await new Promise(requestAnimationFrame);
      draw(picture, header);
      picture.close();
    } catch (error) {
      hooks.frames.broken = String(error);
    }
  }
  decoding = false;
}

function parts(message) {
  const length = new DataView(message).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length)));
  return [header, new Uint8Array(message, 4 + length)];
}

function draw(picture, header) {
  const width = Math.min(LARGEST_PX, Math.round(canvas.clientWidth * Math.min(devicePixelRatio, 2)) || LARGEST_PX);
  const height = Math.round((width * picture.height) / picture.width);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  paper.setTransform(-1, 0, 0, 1, width, 0);
  paper.drawImage(picture, 0, 0, width, height);
  paper.setTransform(1, 0, 0, 1, 0, 0);
  const size = { width, height };
  const state = hooks.state;
  if (header.body) drawBody(paper, header.body, size);
  drawHands(paper, header.hands ?? {}, size);
  if (state?.training?.targets) drawTargets(paper, state.training.targets, size);
  if (state) drawRings(paper, header.hands ?? {}, state, size);
  showHands(header.hands ?? {}, state);
  showHint(sentence(header.hint));
  shownAt = performance.now();
  $("no-picture").hidden = true;
  hooks.frames.drawn += 1;
  hooks.frames.last = { at_ms: now(), seq: header.seq ?? null };
}

/** How sure the tracker is of each hand. */
function showHands(hands, state) {
  for (const node of document.querySelectorAll("#hands .hand")) {
    const hand = hands[node.dataset.side];
    node.hidden = !hand && !drives(state, node.dataset.side);
    node.dataset.seen = String(Boolean(hand));
    setShare(node.lastElementChild, hand?.score ?? 0);
    node.lastElementChild.dataset.level = hand?.score >= 0.8 ? "good" : hand?.score >= 0.5 ? "fair" : "poor";
  }
}

function showHint(text) {
  const box = $("hint");
  box.hidden = !text;
  if (box.textContent === text) return;
  setText(box, text);
  keepFitting(box);
}
