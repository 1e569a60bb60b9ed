// SPDX-License-Identifier: Apache-2.0
// Texts of unknown length in boxes of known size: the largest letters that fit.

const SMALLEST_PX = 11;

/** Shrink the letters of a box until what it holds fits, from the size that the style sheet gives. */
export function fit(box) {
  box.style.removeProperty("font-size");
  if (box.hidden || box.clientHeight === 0) return;
  let size = parseFloat(getComputedStyle(box).fontSize);
  while (overflows(box) && size > SMALLEST_PX) {
    size = Math.max(SMALLEST_PX, size * 0.94);
    box.style.setProperty("font-size", `${size}px`);
  }
}

const boxes = new Set();

/** Fit now and whenever the window changes. */
export function keepFitting(box) {
  for (const old of boxes) if (!old.isConnected) boxes.delete(old);
  boxes.add(box);
  fit(box);
}

export function fitAll() {
  for (const box of boxes) fit(box);
}

function overflows(box) {
  return box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1;
}

addEventListener("resize", fitAll);
document.fonts?.ready.then(fitAll);
