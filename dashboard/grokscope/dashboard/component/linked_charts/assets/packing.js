// @ts-check
// What Python packed: curves whose numbers lie behind all else, as they lie in memory.

const WORD = 8;

/** @typedef {Omit<import("./lines.js").Line, "x" | "y"> & {at: Record<string, [number, number]>}} Packed */

/** The data of the charts: each line with its numbers, of which NaN is a gap.
 * @param {Uint8Array} bytes Length of the JSON (8 bytes), the JSON, the numbers. @returns {any} */
export function unpacked(bytes) {
  // A copy begins where numbers may begin; in what came over the net they begin anywhere.
  const { buffer } = new Uint8Array(bytes);
  const size = Number(new DataView(buffer).getBigUint64(0, true));
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, WORD, size)));
  const numbers = new Float64Array(buffer, WORD + size);
  for (const chart of head.charts) chart.lines = chart.lines.map((/** @type {Packed} */ line) => read(line, numbers));
  return head;
}

/** @param {Packed} line @param {Float64Array} numbers */
function read({ at, ...looks }, numbers) {
  const own = Object.entries(at).map(([name, [first, size]]) => [name, numbers.subarray(first, first + size)]);
  return { ...looks, ...Object.fromEntries(own) };
}
