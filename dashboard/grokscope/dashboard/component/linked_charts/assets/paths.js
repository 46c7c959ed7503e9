// @ts-check
// Paths: lines from step to step over an x-axis that is a metric, which may go left as well as right.
import { lowest } from "./axis.js";

/** @typedef {import("./lines.js").Line} Line */
/** @typedef {import("./lines.js").Placed} Placed */

const APART = 90;
const MOST = 5;
const BACK = 9; // an arrow points from where the path was so many pixels before
const LENGTH = 8;
const END = 2.6;
const NONE = new Float64Array();

/** Draw arrowheads to later steps along a path, and a dot where it ends.
 * @param {CanvasRenderingContext2D} context @param {Placed} one @param {(i: number) => number} x */
export function arrows(context, one, x) {
  const known = Array.from(one.u.keys()).filter((i) => !Number.isNaN(one.y[i]));
  if (known.length === 0) return;
  const [xs, ys] = [known.map((i) => x(i)), known.map((i) => one.y[i])];
  const last = known.length - 1;
  context.fillStyle = one.line.color;
  context.beginPath();
  context.arc(xs[last], ys[last], END, 0, 2 * Math.PI);
  context.fill();
  const lengths = new Float64Array(known.length);
  for (let i = 1; i <= last; i++) lengths[i] = lengths[i - 1] + Math.hypot(xs[i] - xs[i - 1], ys[i] - ys[i - 1]);
  const apart = Math.max(APART, lengths[last] / MOST);
  const place = (/** @type {number} */ wanted) => {
    const next = Math.max(1, lowest(lengths, wanted));
    const share = (wanted - lengths[next - 1]) / (lengths[next] - lengths[next - 1]);
    return [xs, ys].map((of) => of[next - 1] + share * (of[next] - of[next - 1]));
  };
  for (let there = apart / 2; there < lengths[last] - LENGTH; there += apart) head(context, place(there - BACK), place(there));
}

/** @param {CanvasRenderingContext2D} context @param {number[]} from @param {number[]} to */
function head(context, from, to) {
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  context.beginPath();
  context.moveTo(to[0], to[1]);
  for (const side of [-1, 1])
    context.lineTo(to[0] - LENGTH * Math.cos(angle + side * 0.42), to[1] - LENGTH * Math.sin(angle + side * 0.42));
  context.fill();
}

/** The point of a path that is nearest to a place of the plot, in pixels.
 * @param {Placed[]} lines @param {(u: number) => number} pixel @param {number} x @param {number} y */
export function nearestPoint(lines, pixel, x, y) {
  let best = null;
  let least = Infinity;
  for (const one of lines) {
    if (!one.line.is_read) continue;
    for (let i = 0; i < one.u.length; i++) {
      const distance = Math.hypot(pixel(one.u[i]) - x, one.y[i] - y);
      if (distance < least) [best, least] = [{ line: one.line, i, distance }, distance];
    }
  }
  return best;
}

/** Where a path is at a step: at its last point at or before; nowhere before its first and after its last.
 * @param {Line} line @param {number} step */
export function atStep({ steps = NONE }, step) {
  const next = lowest(steps, step);
  if (next >= steps.length || (next === 0 && steps[0] !== step)) return null;
  return steps[next] === step ? next : next - 1;
}
