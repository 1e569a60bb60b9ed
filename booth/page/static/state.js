// SPDX-License-Identifier: Apache-2.0
// The last state that the booth has told, who wants to know of it, and when it stood on the screen.

const PAINTS_KEPT = 2000;

/** For tests and benchmarks: what was heard, and when it was painted (ms since the epoch of this page's clock). */
export const hooks = { state: null, alive: false, paints: [], sounds: [], spoken: [], frames: { drawn: 0, dropped: 0 } };
window.__booth = hooks;

const listeners = [];
let count = 0;
let heardAt = 0;

export const now = () => performance.timeOrigin + performance.now();

export function onState(listener) {
  listeners.push(listener);
}

export function setState(state) {
  hooks.state = state;
  heardAt = performance.now();
  count += 1;
  refresh();
  notePaint(state.seq ?? count, state.word);
}

/** Tell everybody the last state again: words or layout have changed. */
export function refresh() {
  if (hooks.state) for (const listener of listeners) listener(hooks.state);
}

/** Seconds that have passed since the last state came: countdowns go on between two messages. */
export const sinceState = () => (performance.now() - heardAt) / 1000;

/** Whether a hand or arm of this side copies the operator. */
export const drives = (state, side) => (state?.limbs ?? []).some((limb) => limb.name.startsWith(`${side}_`));

/** Note when the frame that shows a state has been handed to the screen. */
function notePaint(seq, word) {
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      hooks.paints.push({ seq, word, at_ms: now() });
      if (hooks.paints.length > PAINTS_KEPT) hooks.paints.shift();
    };
    channel.port2.postMessage(null);
  });
}
