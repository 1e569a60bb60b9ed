// SPDX-License-Identifier: Apache-2.0
// What the tracker sees, drawn over the mirror: MediaPipe's 21 points of each hand and 33 of the body.
// Points are shares of the picture's width and height, as the camera sees them; here they are mirrored.

const BONES = [
  [0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [5, 9, 13, 17, 0], [9, 10, 11, 12], [13, 14, 15, 16], [17, 18, 19, 20],
];
const LIMBS = [[16, 14, 12, 11, 13, 15], [12, 24, 23, 11]];
const SEEN = 0.5;

export const COLOURS = { right: "#58d6ff", left: "#f29bff" };
const BODY_COLOUR = "rgba(235, 240, 250, 0.6)";

export const place = ([u, v], { width, height }) => [(1 - u) * width, v * height];

export function drawHands(paper, hands, size) {
  for (const [side, hand] of Object.entries(hands)) {
    const points = hand.points.map((point) => place(point, size));
    paper.globalAlpha = 0.4 + 0.6 * Math.min(1, hand.score ?? 1);
    for (const bone of BONES) line(paper, bone.map((index) => points[index]), size.width / 260, COLOURS[side]);
    paper.fillStyle = "#fff";
    for (const [x, y] of points) dot(paper, x, y, size.width / 300);
    paper.globalAlpha = 1;
  }
}

export function drawBody(paper, body, size) {
  const points = body.map(([u, v, visibility]) => (visibility >= SEEN ? place([u, v], size) : null));
  for (const limb of LIMBS) {
    for (let k = 1; k < limb.length; k += 1) {
      const ends = [points[limb[k - 1]], points[limb[k]]];
      if (ends[0] && ends[1]) line(paper, ends, size.width / 180, BODY_COLOUR);
    }
  }
}

/** The middle of a palm and how large the hand looks, in pixels. */
export function palm(hand, size) {
  const points = hand.points.map((point) => place(point, size));
  const roots = [0, 5, 9, 13, 17].map((index) => points[index]);
  const middle = [0, 1].map((axis) => roots.reduce((sum, point) => sum + point[axis], 0) / roots.length);
  const reach = Math.max(...points.map((point) => Math.hypot(point[0] - middle[0], point[1] - middle[1])));
  return { x: middle[0], y: middle[1], reach };
}

function line(paper, points, thick, colour) {
  paper.lineWidth = thick;
  paper.lineCap = paper.lineJoin = "round";
  paper.strokeStyle = colour;
  paper.beginPath();
  points.forEach(([x, y], k) => (k ? paper.lineTo(x, y) : paper.moveTo(x, y)));
  paper.stroke();
}

function dot(paper, x, y, radius) {
  paper.beginPath();
  paper.arc(x, y, radius, 0, 2 * Math.PI);
  paper.fill();
}
