// SPDX-License-Identifier: Apache-2.0
// Limbs of the robot that do not follow while the others do: held where they were, or missed for a moment.

import { $, el, fill } from "./dom.js";
import { language, named } from "./words.js";

const TOLD = ["held", "coasting"];

export function showLimbs({ limbs = [] }) {
  const told = limbs.filter((limb) => TOLD.includes(limb.state));
  fill($("limbs"), [language, told.map((limb) => [limb.name, limb.state])], () =>
    told.map((limb) => el("span", {}, `${named("limb", limb.name)}: ${named("limb_state", limb.state)}`)));
}
