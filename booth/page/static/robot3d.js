// SPDX-License-Identifier: Apache-2.0
// The robot in 3D, on request: it costs this device's processor something.

import { $, el } from "./dom.js";

let open = false;

export function startModel() {
  $("robot3d").addEventListener("click", () => toggle(!open));
}

export function showModel(state) {
  $("robot3d").hidden = !state.robot3d;
  if (!state.robot3d && open) toggle(false);
}

function toggle(next) {
  open = next;
  $("robot3d").setAttribute("aria-pressed", String(open));
  $("model").hidden = !open;
  $("model").replaceChildren(...(open ? [el("iframe", { src: "/robot3d/", title: $("robot3d").textContent.trim() })] : []));
}
