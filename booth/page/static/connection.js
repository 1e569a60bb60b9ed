// SPDX-License-Identifier: Apache-2.0
// The line to the booth: opens it, notices when it is dead, opens it again.

const STALE_MS = 1500;
const DEAD_MS = 3000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4000;
const PING_MS = 300; // the lease is lost after a second of silence

let socket = null;
let heardAt = 0;
let stateAt = 0;
let waitMs = FIRST_WAIT_MS;
let alive = false;
let onMessage = () => {};
let onPicture = () => {};
let onAlive = () => {};

/** Begin; `message` gets every JSON message, `picture` every binary one, `change` whether the booth tells its state. */
export function connect({ message, picture, change }) {
  [onMessage, onPicture, onAlive] = [message, picture, change];
  open();
  setInterval(watch, 200);
  setInterval(() => send({ type: "ping", t: performance.now() }), PING_MS);
}

/** Send a message; false where there is no line. */
export function send(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

function open() {
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket = mine;
  heardAt = performance.now();
  mine.binaryType = "arraybuffer";
  mine.onmessage = (event) => {
    if (mine !== socket) return;
    heardAt = performance.now();
    if (typeof event.data !== "string") return onPicture(event.data);
    const said = JSON.parse(event.data);
    if (said.type === "state") {
      stateAt = heardAt;
      setAlive(true);
    }
    onMessage(said);
  };
  mine.onclose = () => mine === socket && lose();
}

function lose() {
  socket = null;
  setAlive(false);
  setTimeout(open, waitMs * (0.8 + 0.4 * Math.random()));
  waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
}

function setAlive(next) {
  if (next) waitMs = FIRST_WAIT_MS;
  if (alive !== next) onAlive((alive = next));
}

/** A booth that tells no state is lost, though its server may still answer; a line that says nothing at all is dead,
 * whatever the browser thinks of it. */
function watch() {
  const now = performance.now();
  if (now - stateAt > STALE_MS) setAlive(false);
  const patience = socket?.readyState === WebSocket.CONNECTING ? 2 * LONGEST_WAIT_MS : DEAD_MS;
  if (!socket || now - heardAt < patience) return;
  const dead = socket;
  lose();
  dead.close();
}
