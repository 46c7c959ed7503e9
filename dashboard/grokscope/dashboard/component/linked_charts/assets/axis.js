// @ts-check
// The x-axis that all charts share: where a value lies on it, which part of it is shown, what is labelled.

/**
 * @typedef {object} Axis
 * @property {"linear" | "symlog" | "log" | "time"} scale
 * @property {number} constant Below this, a symlog axis is almost linear.
 * @property {number} first Where the whole axis begins.
 * @property {number} last Where it ends.
 * @property {string} unit What is counted.
 * @property {boolean} is_whole Whether there is nothing between two whole numbers.
 */
/** @typedef {[number, number]} Domain */

const FEWEST = 1e-5; // the narrowest range, as a share of the whole axis
const ROUND_DIGITS = 2;

/** Where a value lies, in units in which the axis is linear. @param {Axis} axis @param {number} x */
export function forward(axis, x) {
  if (axis.scale === "symlog") return Math.sign(x) * Math.log1p(Math.abs(x / axis.constant));
  return axis.scale === "log" ? Math.log(x) : x;
}

/** The inverse of `forward`. @param {Axis} axis @param {number} u */
export function backward(axis, u) {
  if (axis.scale === "symlog") return Math.sign(u) * Math.expm1(Math.abs(u)) * axis.constant;
  return axis.scale === "log" ? Math.exp(u) : u;
}

/** @param {Axis} axis @returns {Domain} */
export const whole = (axis) => [axis.first, axis.last];

/** @param {Axis} axis @param {Domain} domain */
export function isWhole(axis, domain) {
  return domain[0] <= axis.first && domain[1] >= axis.last;
}

/** The part of the axis between two places, kept within it. @param {Axis} axis @param {number} u0 @param {number} u1 @returns {Domain} */
function between(axis, u0, u1) {
  const low = forward(axis, axis.first);
  const high = forward(axis, axis.last);
  const width = Math.min(Math.max(u1 - u0, (high - low) * FEWEST), high - low);
  const begin = Math.min(Math.max(u0, low), high - width);
  if (width >= (high - low) * 0.999) return whole(axis);
  return [backward(axis, begin), backward(axis, begin + width)];
}

/** `factor` times as much of the axis, with what is at `share` (0 left, 1 right) staying there.
 * @param {Axis} axis @param {Domain} domain @param {number} factor @param {number} share */
export function zoomed(axis, domain, factor, share) {
  const [u0, u1] = domain.map((x) => forward(axis, x));
  const at = u0 + share * (u1 - u0);
  return between(axis, at - (at - u0) * factor, at + (u1 - at) * factor);
}

/** The next part of the axis. @param {Axis} axis @param {Domain} domain @param {number} share Of its width. */
export function moved(axis, domain, share) {
  const [u0, u1] = domain.map((x) => forward(axis, x));
  return between(axis, u0 + share * (u1 - u0), u1 + share * (u1 - u0));
}

/** The part between two shares of what is shown. @param {Axis} axis @param {Domain} domain @param {number} from @param {number} to */
export function part(axis, domain, from, to) {
  return between(axis, forward(axis, at(axis, domain, Math.min(from, to))), forward(axis, at(axis, domain, Math.max(from, to))));
}

/** The value at a share of what is shown. @param {Axis} axis @param {Domain} domain @param {number} share */
export function at(axis, domain, share) {
  const [u0, u1] = domain.map((x) => forward(axis, x));
  return backward(axis, u0 + share * (u1 - u0));
}

/** At what share of what is shown a value lies. @param {Axis} axis @param {Domain} domain @param {number} x */
export function shareOf(axis, domain, x) {
  const [u0, u1] = domain.map((v) => forward(axis, v));
  return (forward(axis, x) - u0) / (u1 - u0);
}

/** The first place that is not below `wanted`. @param {ArrayLike<number>} values @param {number} wanted */
export function lowest(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Which values are labelled: round ones, the roundest first, none too close to another.
 * @param {Axis} axis @param {Domain} domain @param {number} most */
export function ticks(axis, domain, most) {
  /** @type {number[]} */
  const kept = [];
  const near = 1 / most;
  for (const x of candidates(axis, domain, most)) {
    if (x < domain[0] || x > domain[1] || (axis.is_whole && !Number.isInteger(x))) continue;
    const share = shareOf(axis, domain, x);
    if (kept.every((other) => Math.abs(shareOf(axis, domain, other) - share) >= near)) kept.push(x);
  }
  return kept.sort((a, b) => a - b);
}

/** @param {Axis} axis @param {Domain} domain @param {number} most */
function candidates(axis, domain, most) {
  if (axis.scale === "time" || axis.scale === "linear") return even(domain, most);
  const ends = domain.filter((x) => x !== 0 && isRound(x));
  const largest = Math.max(...domain.map(Math.abs));
  const smallest = axis.scale === "log" ? domain[0] : axis.constant / 10;
  /** @type {number[]} */
  const exponents = [];
  for (let e = Math.floor(Math.log10(largest)); 10 ** e >= smallest / 10; e--) exponents.push(e);
  const tier = (/** @type {number[]} */ factors) =>
    exponents.flatMap((e) => factors.flatMap((f) => [f * 10 ** e, -f * 10 ** e].map(clean)));
  return [0, ...ends, ...tier([1]), ...tier([3]), ...tier([2, 5]), ...even(domain, most)];
}

/** @param {Domain} domain @param {number} most */
function even([low, high], most) {
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw) ?? raw;
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => clean((Math.ceil(low / step) + i) * step));
}

const clean = (/** @type {number} */ x) => Number(x.toPrecision(12));
const isRound = (/** @type {number} */ x) => Number(x.toPrecision(ROUND_DIGITS)) === x;
