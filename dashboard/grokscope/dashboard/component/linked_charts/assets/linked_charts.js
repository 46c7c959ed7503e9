// @ts-check
// Charts that are read together: one x-axis, one cursor and one table for all of them, without asking the server.
import { at, isWhole, moved, part, whole, zoomed } from "./axis.js";
import { Chart } from "./chart.js";
import { nearest, reading } from "./lines.js";
import { atStep, nearestPoint } from "./paths.js";
import { Mounted, mounting } from "./mounted.js";
import { unpacked } from "./packing.js";
import { Tooltip, made, swatch } from "./tooltip.js";

/** @typedef {import("./axis.js").Axis} Axis */
/** @typedef {import("./axis.js").Domain} Domain */
/** @typedef {import("./chart.js").Payload} Payload */
/** @typedef {import("./lines.js").Line} Line */
/** @typedef {import("./lines.js").Reading} Reading */
/**
 * @typedef {object} Data
 * @property {Payload[]} charts
 * @property {string[]} order Names of the lines in the table, as they stand above the charts.
 * @property {Record<string, Axis>} axes By name: charts of one axis are zoomed together.
 * @property {number} columns
 * @property {{value: string, band: string, count: string}} names Of the table's columns.
 * @property {{paper: string, ink: string, muted: string, grid: string}} palette
 * @property {string} hint
 * @property {number | null} height Of plots with curves, in pixels; null: as their specs say.
 */

const A_NOTCH = 0.0016;
const A_DRAG = 4;
const ON_A_LINE = 9;
const SCROLLING_MS = 350;
const DOUBLE_CLICK_MS = 260;
const HEIGHTS = [80, 1000];
const A_KEY_HIGHER = 20;
const SETTLED_MS = 500;
const NEAR = "150px"; // so far from the screen a chart is drawn before it comes there
const MOST_ROWS = 18;
const MOST_NAMES = 30;
const KEYS = { "+": 0.6, "=": 0.6, "-": 1 / 0.6, _: 1 / 0.6, ArrowLeft: -0.15, ArrowRight: 0.15 };

/** Values as they are said: shares in percent, others in four digits. @type {Record<string, (value: number) => string>} */
const SAID = {
  percent: (value) => `${(value * 100).toFixed(1)} %`,
  number: (value) => String(Number(value.toPrecision(4))),
};

/** How a place of an x-axis is said. @param {Axis} axis @param {number} x */
function placeOf(axis, x) {
  if (axis.scale === "time") return new Date(x).toLocaleString();
  return axis.is_whole ? Math.round(x).toLocaleString("en") : SAID.number(x);
}

const within = (/** @type {number} */ share) => Math.min(1, Math.max(0, share));

/** @extends {Mounted<Uint8Array>} */
class Grid extends Mounted {
  /** @param {ParentNode & Node} parent */
  constructor(parent) {
    super("linked charts");
    this.root = /** @type {HTMLElement} */ (parent.appendChild(made("div", "linked-charts")));
    this.legend = this.root.appendChild(made("div", "legend"));
    this.cells = this.root.appendChild(made("div", "cells"));
    this.hint = this.root.appendChild(made("p", "hint"));
    this.said = this.root.appendChild(made("div", "said"));
    this.said.setAttribute("aria-live", "polite");
    this.tooltip = new Tooltip(this.root);
    /** @type {Map<string, Chart>} */
    this.charts = new Map();
    this.data = /** @type {Data} */ (/** @type {unknown} */ (null));
    /** What is looked at of each axis. @type {Record<string, Domain>} */
    this.domains = {};
    this.highlighted = /** @type {string | null} */ (null);
    this.pinned = /** @type {string | null} */ (null);
    this.cursor = /** @type {{chart: Chart, event: PointerEvent} | null} */ (null);
    this.mark = /** @type {string[]} */ ([]);
    this.pageScrolled = -Infinity;
    this.width = 0;
    // A chart more, or one that has grown, makes the cells higher and changes nothing else.
    this.resized = new ResizeObserver(() => this.width !== this.cells.clientWidth && this.soon("resize"));
    this.resized.observe(this.cells);
    const tree = this.root.getRootNode();
    const root = tree instanceof ShadowRoot ? tree.host.closest("[data-testid=stMain]") : null; // what is scrolled
    this.watching = new IntersectionObserver((entries) => this.see(entries), { root, rootMargin: NEAR });
    this.onPrint = () => this.seeAll();
    addEventListener("beforeprint", this.onPrint);
    this.onScroll = () => (this.pageScrolled = performance.now());
    addEventListener("scroll", this.onScroll, { capture: true, passive: true });
    this.due = new Set();
    /** Of plots with curves; null: as their specs say. @type {number | null} */
    this.height = null;
    /** Until a new height stands still. @type {number | undefined} */
    this.settling = undefined;
    /** When the zoom that is due was asked for. @type {number | undefined} */
    this.asked = undefined;
  }

  /** @param {Uint8Array} bytes */
  async show(bytes) {
    const data = /** @type {Data} */ (unpacked(bytes));
    const before = this.data?.axes ?? {};
    for (const [name, axis] of Object.entries(data.axes)) {
      const old = before[name];
      const isKept = old && old.scale === axis.scale && old.unit === axis.unit && !isWhole(old, this.domains[name]);
      if (!isKept) this.domains[name] = whole(axis);
    }
    this.data = data;
    if (this.settling === undefined) this.height = data.height;
    this.root.style.setProperty("--columns", String(data.columns));
    Object.entries(data.palette).forEach(([name, value]) => this.root.style.setProperty(`--${name}`, value));
    this.hint.textContent = data.hint;
    this.name();
    const wanted = new Set(data.charts.map((chart) => chart.key));
    for (const [key, chart] of this.charts) if (!wanted.has(key)) this.drop(key, chart);
    for (const [i, payload] of data.charts.entries()) this.place(i, this.charts.get(payload.key) ?? this.add(payload.key));
    for (const payload of data.charts) await this.charts.get(payload.key)?.show(payload, data.axes[payload.axis ?? ""], this.domains[payload.axis ?? ""], this.height);
    this.read();
  }

  /** @param {string} key */
  add(key) {
    const chart = new Chart(
      (action) => this.report?.("arranged", action),
      (event, value) => this.marked(value),
    );
    this.charts.set(key, chart);
    this.watching.observe(chart.element);
    this.listen(chart);
    return chart;
  }

  /** @param {number} i @param {Chart} chart */
  place(i, chart) {
    const there = this.cells.children[i];
    if (there !== chart.element) this.cells.insertBefore(chart.element, there ?? null);
  }

  /** @param {string} key @param {Chart} chart */
  drop(key, chart) {
    if (this.cursor?.chart === chart) this.leave();
    this.watching.unobserve(chart.element);
    chart.finalize();
    this.charts.delete(key);
  }

  /** Draw all charts: paper has no end that is not seen. */
  seeAll() {
    this.charts.forEach((chart) => (chart.isSeen = true));
    this.catchUp();
  }

  /** Draw what has come onto the screen since it was to be drawn. */
  catchUp() {
    for (const chart of this.charts.values()) if (chart.isSeen && chart.isStale) chart.zoom(this.domains[chart.name], this.highlighted);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  see(entries) {
    const now = new Map(entries.map((entry) => [entry.target, entry.isIntersecting]));
    this.charts.forEach((chart) => (chart.isSeen = now.get(chart.element) ?? chart.isSeen));
    this.catchUp();
  }

  /** @param {Chart} chart */
  listen(chart) {
    const { plot } = chart;
    plot.addEventListener("wheel", (event) => this.wheel(chart, event), { passive: false });
    plot.addEventListener("pointermove", (event) => this.move(chart, event));
    plot.addEventListener("pointerleave", () => this.leave());
    plot.addEventListener("pointerdown", (event) => this.press(chart, event));
    plot.addEventListener("dblclick", () => this.reset(chart));
    plot.addEventListener("keydown", (event) => this.key(chart, event));
    chart.grip.addEventListener("pointerdown", (event) => this.pull(chart, event));
    chart.grip.addEventListener("dblclick", () => this.resize(null));
    chart.grip.addEventListener("keydown", (event) => {
      const by = { ArrowUp: -A_KEY_HIGHER, ArrowDown: A_KEY_HIGHER }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      this.resize((this.height ?? chart.area.height) + by);
    });
  }

  /** Look at the part of a chart's axis that `change` makes of what is looked at.
   * @param {Chart} chart @param {(axis: Axis, domain: Domain) => Domain} change @param {number} [since] When it was asked for. */
  look(chart, change, since = performance.now()) {
    if (!chart.name || !chart.axis) return;
    this.domains[chart.name] = change(chart.axis, this.domains[chart.name]);
    this.asked ??= since;
    this.soon("zoom");
  }

  /** @param {Chart} chart */
  reset(chart) {
    clearTimeout(this.clicking);
    this.look(chart, whole);
  }

  /** Follow a pointer with the lower edge of a chart. All charts grow alike: those above it push it on.
   * @param {Chart} chart @param {PointerEvent} event */
  pull(chart, event) {
    const { grip, element } = chart;
    const begin = chart.area.height;
    const tops = this.high().map((other) => other.element.offsetTop);
    const rows = new Set(tops.filter((top) => top <= element.offsetTop)).size;
    const move = (/** @type {PointerEvent} */ now) => this.resize(begin + (now.clientY - event.clientY) / rows);
    event.preventDefault();
    grip.focus();
    grip.setPointerCapture(event.pointerId);
    grip.addEventListener("pointermove", move);
    grip.addEventListener("lostpointercapture", () => grip.removeEventListener("pointermove", move), { once: true });
  }

  /** The charts whose height is chosen. */
  high() {
    return [...this.charts.values()].filter((chart) => chart.payload?.lines.length);
  }

  /** @param {number | null} height Of all plots with curves; null: as their specs say. */
  resize(height) {
    this.height = height === null ? null : Math.round(Math.min(HEIGHTS[1], Math.max(HEIGHTS[0], height)));
    this.soon("height");
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.settling = undefined;
      this.report?.("resized", this.height ?? 0);
    }, SETTLED_MS);
  }

  /** @param {string} what Is done before the next frame, once. */
  soon(what) {
    if (this.due.size === 0) requestAnimationFrame(() => this.frame());
    this.due.add(what);
  }

  frame() {
    const due = new Set(this.due);
    this.due.clear();
    if (!this.data) return;
    const charts = [...this.charts.values()];
    if (due.has("resize")) {
      this.width = this.cells.clientWidth;
      charts.forEach((chart) => chart.resize());
    }
    if (due.has("height")) this.high().forEach((chart) => chart.grow(this.height));
    if (due.has("resize") || due.has("height") || due.has("zoom")) charts.forEach((chart) => chart.zoom(this.domains[chart.name], this.highlighted));
    else if (due.has("paint")) charts.forEach((chart) => chart.paint(this.highlighted));
    this.read();
    if (due.has("zoom") && this.asked !== undefined) {
      performance.clearMeasures("linked-charts-zoom");
      performance.measure("linked-charts-zoom", { start: this.asked, end: performance.now() });
      this.asked = undefined;
    }
  }

  /** @param {Chart} chart @param {WheelEvent} event */
  wheel(chart, event) {
    const { x, isInside } = chart.shares(event);
    const isOut = event.deltaY > 0;
    const isScrolling = performance.now() - this.pageScrolled < SCROLLING_MS;
    if (!isInside || !chart.axis || isScrolling || (isOut && isWhole(chart.axis, chart.domain))) return;
    event.preventDefault();
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const change = (/** @type {Axis} */ axis, /** @type {Domain} */ domain) =>
      sideways ? moved(axis, domain, event.deltaX * A_NOTCH) : zoomed(axis, domain, Math.exp(event.deltaY * A_NOTCH), x);
    this.look(chart, change, event.timeStamp);
  }

  /** @param {Chart} chart @param {PointerEvent} event */
  move(chart, event) {
    this.cursor = { chart, event };
    this.soon("read");
  }

  leave() {
    this.cursor = null;
    this.mark = [];
    this.soon("read");
  }

  /** @param {any} value Of Vega's tooltip: what a mark says. */
  marked(value) {
    this.mark = value && typeof value === "object" ? [Object.entries(value).map(([name, said]) => `${name} ${said}`).join(" · ")] : [];
    this.soon("read");
  }

  /** @param {Chart} chart @param {PointerEvent} event */
  press(chart, event) {
    const start = chart.shares(event);
    if (event.button !== 0 || !start.isInside) return;
    const isMoving = event.shiftKey || event.pointerType === "touch";
    const { plot } = chart;
    let isDragged = false;
    let last = start.x;
    const move = (/** @type {PointerEvent} */ now) => {
      const { x } = chart.shares(now);
      isDragged ||= Math.abs(now.clientX - event.clientX) > A_DRAG;
      if (!isDragged || !chart.axis) return;
      if (!plot.hasPointerCapture(event.pointerId)) plot.setPointerCapture(event.pointerId);
      if (isMoving) {
        const by = last - x;
        this.look(chart, (axis, domain) => moved(axis, domain, by));
        last = x;
      } else this.beside(chart).forEach((other) => other.choose(Math.max(0, start.x), within(x)));
    };
    const end = (/** @type {PointerEvent} */ now) => {
      plot.removeEventListener("pointermove", move);
      plot.removeEventListener("pointerup", end);
      plot.removeEventListener("pointercancel", end);
      this.charts.forEach((other) => other.choose(-1, -1));
      if (now.type === "pointercancel") return;
      if (!isDragged) this.click(chart, now);
      else if (!isMoving) this.look(chart, (axis, domain) => part(axis, domain, start.x, within(chart.shares(now).x)));
    };
    plot.addEventListener("pointermove", move);
    plot.addEventListener("pointerup", end);
    plot.addEventListener("pointercancel", end);
  }

  /** @param {Chart} chart @param {PointerEvent} event */
  click(chart, event) {
    const near = this.near(chart, event);
    clearTimeout(this.clicking);
    if (!near) return;
    const picked = { chart: chart.payload?.key, key: near.key, name: near.name };
    this.clicking = setTimeout(() => this.report?.("picked", picked), DOUBLE_CLICK_MS);
  }

  /** The line under a pointer. @param {Chart} chart @param {PointerEvent} event */
  near(chart, event) {
    const { x, y } = chart.shares(event);
    if (!chart.axis) return null;
    if (chart.hasPaths) {
      const found = nearestPoint(chart.placed, chart.x, x * chart.area.width, y * chart.area.height);
      return found && found.distance < ON_A_LINE ? found.line : null;
    }
    const value = at(chart.axis, chart.domain, x);
    const scale = chart.placed.length ? chart.view.scale("y") : null;
    let best = null;
    let least = ON_A_LINE;
    for (const { line } of chart.placed) {
      const said = reading(line, value);
      const distance = said === null ? Infinity : Math.abs(scale(said.y) - y * chart.area.height);
      if (distance < least) [best, least] = [line, distance];
    }
    return best;
  }

  /** @param {Chart} chart @param {KeyboardEvent} event */
  key(chart, event) {
    const step = KEYS[/** @type {keyof typeof KEYS} */ (event.key)];
    const isMove = event.key.startsWith("Arrow");
    if (event.key === "0") this.reset(chart);
    else if (step !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey)
      this.look(chart, (axis, domain) => (isMove ? moved(axis, domain, step) : zoomed(axis, domain, step, 0.5)));
    else return;
    event.preventDefault();
    const { axis } = chart;
    if (axis) this.said.textContent = this.domains[chart.name].map((x) => placeOf(axis, x)).join(" – ");
  }

  /** The charts that share a chart's x-axis, itself among them. @param {Chart} chart */
  beside(chart) {
    return [...this.charts.values()].filter((other) => other.axis && other.name === chart.name);
  }

  /** Put the cursor and the table where the pointer is. */
  read() {
    this.charts.forEach((other) => other.point(null));
    if (!this.cursor) return this.tooltip.hide();
    const { chart, event } = this.cursor;
    const shares = chart.shares(event);
    if (!chart.axis || !shares.isInside) return this.tooltip.hide();
    const isShown = chart.hasPaths ? this.readPath(chart, shares) : this.readCurves(chart, shares);
    if (isShown) this.tooltip.place(event.clientX, event.clientY);
    else this.tooltip.hide();
  }

  /** Read all curves at the place under the pointer. @param {Chart} chart @param {{x: number, y: number}} shares */
  readCurves(chart, shares) {
    if (!chart.axis) return false;
    const lines = chart.read;
    const x = nearest(lines, chart.axis, chart.domain, shares.x);
    this.beside(chart).forEach((other) => other.point(x));
    if (lines.length === 0 && this.mark.length === 0) return false;
    const rows = lines.flatMap((line) => {
      const found = reading(line, x);
      return found === null || found.y === null ? [] : [{ line, found, y: found.y }];
    });
    this.table(chart, `${chart.axis.unit} ${placeOf(chart.axis, x)}`, rows, shares.y);
    return true;
  }

  /** Read all paths at the step of the point under the pointer. @param {Chart} chart @param {{x: number, y: number}} shares */
  readPath(chart, shares) {
    const { width, height } = chart.area;
    const near = nearestPoint(chart.placed, chart.x, shares.x * width, shares.y * height);
    if (!near || !chart.axis) return this.mark.length > 0;
    const step = near.line.steps?.[near.i] ?? 0;
    this.beside(chart).forEach((other) => other.dot(near.line.key, step));
    const rows = chart.read.flatMap((line) => {
      const i = atStep(line, step);
      const y = i === null ? NaN : line.y[i];
      return i === null || Number.isNaN(y) ? [] : [{ line, y, found: { y, low: null, high: null, count: null, x: line.x[i] } }];
    });
    this.table(chart, `step ${step.toLocaleString("en")}`, rows, shares.y);
    return true;
  }

  /** @param {Chart} chart @param {string} head @param {{line: Line, found: Reading, y: number}[]} all @param {number} height */
  table(chart, head, all, height) {
    const said = SAID[chart.payload?.format ?? "number"];
    const scale = chart.placed.length ? chart.view.scale("y") : (/** @type {number} */ v) => v;
    const far = (/** @type {{y: number}} */ row) => Math.abs(scale(row.y) - height * chart.area.height);
    const shown = [...all].sort((a, b) => far(a) - far(b)).slice(0, MOST_ROWS).sort((a, b) => b.y - a.y);
    const { value, band, count } = this.data.names;
    /** @type {[string, (found: Reading) => string | null][]} */
    const columns = [
      [value, ({ y }) => (y === null ? null : said(y))],
      [band, ({ low, high }) => (low === null || high === null ? null : `${said(low)} – ${said(high)}`)],
      [count, (found) => (found.count === null ? null : String(found.count))],
      [chart.axis?.unit ?? "", ({ x }) => (x === undefined || !chart.axis ? null : placeOf(chart.axis, x))],
    ];
    const used = columns.filter(([, cell]) => all.some(({ found }) => cell(found) !== null));
    const rows = shown.map(({ line, found }) => ({
      name: line.name,
      color: line.color,
      dash: line.dash,
      cells: used.map(([, cell]) => cell(found) ?? ""),
    }));
    const more = all.length - shown.length;
    const foot = more > 0 ? `and ${more} more, further from the pointer` : "";
    this.tooltip.fill(head, used.map(([name]) => name), rows, foot, this.mark);
  }

  /** Name the lines, once above all charts. */
  name() {
    const lines = new Map(this.data.charts.flatMap((chart) => chart.lines).filter((l) => l.is_read).map((l) => [l.group, l]));
    const named = this.data.order.flatMap((group) => lines.get(group) ?? []);
    const names = named.slice(0, MOST_NAMES).map((line) => {
      const button = made("button", "name");
      button.append(swatch(line.color, line.dash), made("span", "", line.group));
      button.setAttribute("aria-pressed", String(this.pinned === line.group));
      button.onclick = () => this.pin(line.group);
      button.onpointerenter = () => this.highlight(line.group);
      button.onpointerleave = () => this.highlight(this.pinned);
      return button;
    });
    const more = lines.size - names.length;
    if (this.pinned !== null && !lines.has(this.pinned)) this.highlighted = this.pinned = null;
    this.legend.replaceChildren(...names, ...(more > 0 ? [made("span", "more", `and ${more} more`)] : []));
    this.legend.classList.toggle("cut", this.legend.scrollHeight > this.legend.clientHeight + 1);
  }

  /** @param {string} group */
  pin(group) {
    this.pinned = this.pinned === group ? null : group;
    this.highlight(this.pinned);
    this.name();
  }

  /** @param {string | null} group */
  highlight(group) {
    this.highlighted = group;
    this.soon("paint");
  }

  end() {
    this.resized.disconnect();
    this.watching.disconnect();
    removeEventListener("beforeprint", this.onPrint);
    removeEventListener("scroll", this.onScroll, { capture: true });
    this.charts.forEach((chart) => chart.finalize());
    this.root.remove();
  }
}

export default mounting((parent) => new Grid(parent));
