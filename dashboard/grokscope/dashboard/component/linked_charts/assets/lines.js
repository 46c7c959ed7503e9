// @ts-check
// The curves of one chart, drawn straight onto a canvas: a zoom moves tens of thousands of points, which Vega
// would compute and lay out one by one.
import { at, backward, forward, lowest } from "./axis.js";
import { arrows } from "./paths.js";

/** @typedef {import("./axis.js").Axis} Axis */
/** @typedef {import("./axis.js").Domain} Domain */
/**
 * @typedef {object} Line
 * @property {string} key What a click reports.
 * @property {string} name
 * @property {string} group What is highlighted together.
 * @property {string} color
 * @property {number[]} dash
 * @property {number} width
 * @property {number} opacity
 * @property {boolean} is_read Whether it is in the table and the legend.
 * @property {Float64Array} x Rising, unless it is a path.
 * @property {Float64Array} y NaN: a gap, here and in the band.
 * @property {Float64Array} [low]
 * @property {Float64Array} [high]
 * @property {Float64Array} [count]
 * @property {Float64Array} [steps] Of a path: the step of each point, rising.
 */
/** @typedef {{left: number, top: number, width: number, height: number}} Area */
/** @typedef {{line: Line, u: Float64Array, y: Float64Array, low: Float64Array | null, high: Float64Array | null}} Placed */
/** @typedef {{y: number | null, low: number | null, high: number | null, count: number | null, x?: number}} Reading */

const BAND = 0.15;
const DIMMED = 0.12;

/** Place lines once for a height; a zoom then only stretches them. @param {Line[]} lines @param {Axis} axis
 * @param {(value: number) => number} scale Of the y-axis. @returns {Placed[]} */
export function placed(lines, axis, scale) {
  const heights = (/** @type {Float64Array | undefined} */ values) =>
    values?.map((v) => (Number.isNaN(v) ? NaN : scale(v))) ?? null;
  return lines.map((line) => ({
    line,
    u: line.x.map((x) => forward(axis, x)),
    y: heights(line.y) ?? new Float64Array(),
    low: heights(line.low),
    high: heights(line.high),
  }));
}

/** @param {CanvasRenderingContext2D} context @param {Placed[]} lines @param {[number, number]} span What is looked at,
 * in units in which the x-axis is linear. @param {Area} area @param {string | null} highlighted A group; the others are dimmed. */
export function draw(context, lines, [u0, u1], area, highlighted) {
  const stretch = area.width / (u1 - u0);
  context.save();
  context.translate(area.left, area.top);
  context.beginPath();
  context.rect(0, -3, area.width, area.height + 6);
  context.clip();
  for (const one of lines) {
    const dim = highlighted !== null && one.line.group !== highlighted ? DIMMED : 1;
    const isPath = Boolean(one.line.steps);
    const [begin, end] = isPath ? [0, one.u.length] : visible(one.u, u0, u1);
    const x = (/** @type {number} */ i) => (one.u[i] - u0) * stretch;
    if (one.low && one.high) fill(context, one, x, begin, end, BAND * dim);
    context.globalAlpha = one.line.opacity * dim;
    context.lineJoin = isPath ? "bevel" : "round"; // a path may turn at each of its points
    stroke(context, one, x, begin, end, area.width);
    if (isPath && one.line.is_read) arrows(context, one, x);
  }
  context.restore();
}

/** @param {Float64Array} u @param {number} from @param {number} to */
function visible(u, from, to) {
  return [Math.max(0, lowest(u, from) - 1), Math.min(u.length, lowest(u, to) + 2)];
}

/** @param {CanvasRenderingContext2D} context @param {Placed} one @param {(i: number) => number} x
 * @param {number} begin @param {number} end @param {number} width Of the plot: pieces beyond it are not drawn. */
function stroke(context, one, x, begin, end, width) {
  context.strokeStyle = one.line.color;
  context.lineWidth = one.line.width;
  context.setLineDash(one.line.dash);
  context.beginPath();
  let isDown = false;
  let side = 0;
  for (let i = begin; i < end; i++) {
    const at = x(i);
    const before = side;
    side = at < 0 ? -1 : at > width ? 1 : 0;
    if (Number.isNaN(one.y[i])) isDown = false;
    else if (isDown && (side === 0 || side !== before)) context.lineTo(at, one.y[i]);
    else {
      context.moveTo(at, one.y[i]);
      isDown = true;
    }
  }
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {Placed} one @param {(i: number) => number} x
 * @param {number} begin @param {number} end @param {number} opacity */
function fill(context, { line, low, high }, x, begin, end, opacity) {
  if (!low || !high) return;
  context.fillStyle = line.color;
  context.globalAlpha = opacity;
  let from = begin;
  while (from < end) {
    while (from < end && Number.isNaN(low[from])) from++;
    let to = from;
    while (to < end && !Number.isNaN(low[to])) to++;
    context.beginPath();
    for (let i = from; i < to; i++) context.lineTo(x(i), high[i]);
    for (let i = to - 1; i >= from; i--) context.lineTo(x(i), low[i]);
    context.fill();
    from = to;
  }
}

/** What a line says at `x`: on the straight piece that is drawn there; nothing beyond its ends and in gaps.
 * @param {Line} line @param {number} x @returns {Reading | null} */
export function reading(line, x) {
  const next = lowest(line.x, x);
  if (next >= line.x.length || (next === 0 && line.x[0] !== x)) return null;
  const before = line.x[next] === x ? next : next - 1;
  const share = next === before ? 0 : (x - line.x[before]) / (line.x[next] - line.x[before]);
  const mixed = (/** @type {Float64Array | undefined} */ values) => {
    const value = values ? values[before] + share * (values[next] - values[before]) : NaN;
    return Number.isNaN(value) ? null : value;
  };
  const y = mixed(line.y);
  return y === null ? null : { y, low: mixed(line.low), high: mixed(line.high), count: line.count?.[before] ?? null };
}

/** The place of a point of a line that is nearest to a share of what is shown; that share's own place without any.
 * @param {Line[]} lines @param {Axis} axis @param {Domain} domain @param {number} share */
export function nearest(lines, axis, domain, share) {
  const wanted = forward(axis, at(axis, domain, share));
  let best = NaN;
  for (const line of lines) {
    const i = lowest(line.x, backward(axis, wanted));
    for (const x of [line.x[i - 1], line.x[i]])
      if (x !== undefined && x >= domain[0] && x <= domain[1])
        if (Number.isNaN(best) || Math.abs(forward(axis, x) - wanted) < Math.abs(forward(axis, best) - wanted)) best = x;
  }
  return Number.isNaN(best) ? at(axis, domain, share) : best;
}
