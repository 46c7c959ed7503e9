// @ts-check
// One chart: its axes, marks and intervals by Vega, its curves on a canvas below them, a cursor above.
import { forward, isWhole, shareOf, ticks } from "./axis.js";
import { draw, placed } from "./lines.js";
import { atStep } from "./paths.js";
import { made } from "./tooltip.js";
import { vegaEmbed } from "./vega.js";

/** @typedef {import("./axis.js").Axis} Axis */
/** @typedef {import("./axis.js").Domain} Domain */
/**
 * @typedef {object} Payload
 * @property {string} key
 * @property {string} title
 * @property {string} text For who cannot see it.
 * @property {any} spec Vega-Lite, with its data in `datasets`.
 * @property {import("./lines.js").Line[]} lines
 * @property {"percent" | "number"} format Of values.
 * @property {boolean} is_wide Whether it takes the whole row.
 * @property {string | null} axis Name of the x-axis that it shares with others; null: one of its own.
 * @property {boolean} begins_row Whether it stands at the left, whatever room is beside the one before it.
 * @property {string[]} tools What can be done with it: the names of `TOOLS`.
 */
/** @typedef {{kind: string, chart: string}} Action */

const LABEL_WIDTH = 56;
const TOOLS = {
  left: ["←", "Move left"],
  right: ["→", "Move right"],
  up: ["↑", "Move up"],
  down: ["↓", "Move down"],
  remove: ["×", "Remove"],
};

export class Chart {
  /** @param {(action: Action) => void} act @param {(event: any, value: any) => void} onMark */
  constructor(act, onMark) {
    this.element = made("figure", "chart");
    this.title = made("span", "title");
    this.tools = made("span", "tools");
    this.caption = made("figcaption");
    this.caption.append(this.title, this.tools);
    this.plot = made("div", "plot");
    this.plot.tabIndex = 0;
    this.plot.setAttribute("role", "img");
    this.canvas = /** @type {HTMLCanvasElement} */ (this.plot.appendChild(made("canvas", "lines")));
    this.holder = this.plot.appendChild(made("div", "vega"));
    this.range = this.plot.appendChild(made("div", "range"));
    this.cursor = this.plot.appendChild(made("div", "cursor"));
    this.grip = made("div", "grip");
    this.grip.tabIndex = 0;
    this.grip.setAttribute("role", "separator");
    this.grip.setAttribute("aria-label", "Height of the charts");
    this.grip.title = "Drag: height of all charts; double click: as at first";
    this.element.append(this.caption, this.plot, this.grip);
    this.act = act;
    this.onMark = onMark;
    this.view = null;
    this.shape = "";
    this.name = "";
    /** @type {Axis | undefined} */
    this.axis = undefined;
    /** What is looked at. @type {Domain} */
    this.domain = [0, 1];
    this.spot = this.plot.appendChild(made("div", "spot"));
    /** The lines, placed for a height; null: they have yet to be. @type {import("./lines.js").Placed[] | null} */
    this.lines = [];
    /** Whether it is on the screen, or near it; one that is not is drawn when it comes there. */
    this.isSeen = true;
    this.isStale = false;
    this.highlighted = /** @type {string | null} */ (null);
    this.sized = new ResizeObserver(() => this.follow());
    /** @type {any[]} */
    this.grids = [];
    /** @type {number[]} */
    this.rules = [];
    /** @type {import("./lines.js").Area} */
    this.area = { left: 0, top: 0, width: 0, height: 0 };
  }

  /** The lines where they are drawn. */
  get placed() {
    if (this.lines === null) {
      const scale = this.payload?.lines.length ? this.view.scale("y") : null;
      this.lines = scale && this.axis && this.payload ? placed(this.payload.lines, this.axis, scale) : [];
    }
    return this.lines;
  }

  /** The lines that stand in the table. */
  get read() {
    return this.payload?.lines.filter((line) => line.is_read) ?? [];
  }

  /** Whether lines go from step to step, wherever they like. */
  get hasPaths() {
    return this.payload?.lines.some((line) => line.steps) ?? false;
  }

  /** Show a payload; what is drawn already is only given its new data.
   * @param {Payload} payload @param {Axis | undefined} axis @param {Domain} [domain]
   * @param {number | null} [height] */
  async show(payload, axis, domain = [0, 1], height = null) {
    this.payload = payload;
    this.axis = axis;
    this.name = payload.axis ?? "";
    this.describe(payload);
    const { datasets = {}, ...rest } = payload.spec;
    const shape = JSON.stringify([rest, Object.keys(datasets), payload.axis, axis?.scale, axis?.constant]);
    if (this.view === null || shape !== this.shape) await this.embed(payload, domain, height);
    else for (const [name, rows] of Object.entries(datasets)) this.refill(name, rows);
    this.datasets = datasets;
    this.shape = shape;
    if (payload.lines.length) this.grow(height);
    else this.measure();
    this.zoom(domain, null);
  }

  /** @param {Payload} payload */
  describe(payload) {
    this.element.classList.toggle("wide", payload.is_wide);
    this.element.classList.toggle("first", payload.begins_row);
    this.grip.hidden = payload.lines.length === 0;
    this.title.textContent = payload.title;
    this.plot.setAttribute("aria-label", payload.text);
    this.element.dataset.key = payload.key;
    if (this.tools.dataset.shown === payload.tools.join()) return; // the one that has the focus keeps it
    this.tools.dataset.shown = payload.tools.join();
    this.tools.replaceChildren(
      ...Object.entries(TOOLS).filter(([kind]) => payload.tools.includes(kind)).map(([kind, [sign, name]]) => {
        const button = made("button", kind, sign);
        button.setAttribute("aria-label", `${name}: ${payload.title}`);
        button.title = name;
        button.onclick = () => this.act({ kind, chart: this.payload?.key ?? "" });
        return button;
      }),
    );
  }

  /** Vega finds room for titles and labels once: what it is given at first is as it will be.
   * @param {Payload} payload @param {Domain} domain @param {number | null} height */
  async embed(payload, domain, height) {
    const holder = made("div", "vega");
    const width = this.plot.clientWidth;
    const sizes = { width, ...(height !== null && payload.lines.length ? { height } : {}) };
    const config = { ...payload.spec.config, background: "transparent" };
    const { view } = await vegaEmbed(holder, { ...payload.spec, config, ...sizes }, {
      mode: "vega-lite",
      ast: true,
      actions: false,
      renderer: "canvas",
      tooltip: (/** @type {any} */ _handler, /** @type {any} */ event, /** @type {any} */ _item, /** @type {any} */ value) =>
        this.onMark(event, value),
      patch: (/** @type {any} */ vega) => {
        const [grids, rest] = withoutGrid(vega, payload.lines.length > 0);
        this.grids = grids;
        return this.axis ? linked(rest, this.axis, domain, width) : rest;
      },
    });
    this.view?.finalize();
    this.view = view;
    this.holder.replaceWith(holder); // the old picture stays until the new one is there
    this.holder = holder;
    this.sized.disconnect();
    this.sized.observe(holder);
  }

  /** @param {string} name @param {any} rows */
  refill(name, rows) {
    if (JSON.stringify(rows) !== JSON.stringify(this.datasets?.[name])) this.view.data(name, rows);
  }

  /** Place the lines anew: the data, the size or the y-axis may be others. */
  measure() {
    if (!this.view || !this.payload) return;
    this.view.run();
    this.fit();
  }

  /** Lay the lines' canvas over Vega's picture. */
  fit() {
    if (!this.view || !this.payload) return;
    this.locate();
    const { width, height } = this.holder.getBoundingClientRect();
    const fine = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * fine);
    this.canvas.height = Math.round(height * fine);
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const scale = this.payload.lines.length ? this.view.scale("y") : null;
    this.lines = null;
    const values = (/** @type {any} */ grid) => (Array.isArray(grid.values) ? grid.values : scale.ticks(grid.tickCount ?? 3));
    this.rules = this.grids.flatMap((grid) => values(grid).map(scale));
  }

  locate() {
    const [x, y] = this.view.origin();
    const padding = this.view.padding();
    this.area = { left: x + padding.left, top: y + padding.top, width: this.view.signal("width"), height: this.view.signal("height") };
  }

  /** @param {Domain} domain @param {string | null} highlighted */
  zoom(domain, highlighted) {
    if (!this.view || !this.payload) return;
    if (this.axis) {
      this.domain = domain;
      this.element.dataset.domain = domain.join(" ");
    }
    this.isStale = !this.isSeen;
    if (this.isStale) return;
    if (this.axis) {
      this.view.signal("x_domain", domain).signal("x_ticks", labelled(this.axis, domain, this.area.width));
      this.view.signal("x_zoomed", !isWhole(this.axis, domain)).run();
      this.locate();
    }
    this.paint(highlighted);
  }

  /** Follow Vega's picture: it takes its size only some time after it was asked to. */
  follow() {
    const { width, height } = this.holder.getBoundingClientRect();
    if (this.canvas.style.width === `${width}px` && this.canvas.style.height === `${height}px`) return;
    this.fit();
    this.paint(this.highlighted);
  }

  /** @param {string | null} highlighted */
  paint(highlighted) {
    this.highlighted = highlighted;
    this.isStale ||= !this.isSeen;
    const context = this.canvas.getContext("2d");
    if (!context || !this.axis || this.isStale) return;
    const fine = devicePixelRatio || 1;
    context.setTransform(fine, 0, 0, fine, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.fillStyle = getComputedStyle(this.element).getPropertyValue("--grid");
    for (const y of this.rules) context.fillRect(this.area.left, this.area.top + Math.round(y), this.area.width, 1);
    draw(context, this.placed, this.span, this.area, highlighted);
  }

  /** @param {number | null} height Of the plot; null: as its spec says. */
  grow(height) {
    if (!this.view || !this.payload) return;
    this.view.height(height ?? this.payload.spec.height);
    this.measure();
    this.grip.setAttribute("aria-valuenow", String(Math.round(this.area.height)));
  }

  resize() {
    if (!this.view) return;
    this.view.width(this.plot.clientWidth);
    this.measure();
  }

  /** What is looked at, in units in which the x-axis is linear. @returns {[number, number]} */
  get span() {
    const { axis } = this;
    return axis ? [forward(axis, this.domain[0]), forward(axis, this.domain[1])] : [0, 1];
  }

  /** From such units to pixels of the plot. @returns {(u: number) => number} */
  get x() {
    const [u0, u1] = this.span;
    return (u) => ((u - u0) / (u1 - u0)) * this.area.width;
  }

  /** Show a place of the x-axis. @param {number | null} x */
  point(x) {
    const share = x === null || !this.axis ? -1 : shareOf(this.axis, this.domain, x);
    stripe(this.cursor, this.area, share, share);
    this.spot.style.display = "none";
  }

  /** Show where a path is at a step. @param {string} key @param {number} step */
  dot(key, step) {
    const one = this.placed.find(({ line }) => line.is_read && line.key === key);
    const i = one ? atStep(one.line, step) : null;
    if (!one || i === null) return;
    const [x, y] = [this.x(one.u[i]), one.y[i]];
    if (!(x >= 0 && x <= this.area.width) || Number.isNaN(y)) return;
    const transform = `translate(${this.area.left + x}px, ${this.area.top + y}px)`;
    Object.assign(this.spot.style, { display: "block", transform, borderColor: one.line.color });
  }

  /** Show which part is being chosen. @param {number} from @param {number} to Shares; below 0: none. */
  choose(from, to) {
    stripe(this.range, this.area, Math.min(from, to), Math.max(from, to));
  }

  /** Where a pointer is: shares of the plot. @param {{clientX: number, clientY: number}} event */
  shares(event) {
    const box = this.plot.getBoundingClientRect();
    const x = (event.clientX - box.left - this.area.left) / this.area.width;
    const y = (event.clientY - box.top - this.area.top) / this.area.height;
    return { x, y, isInside: x >= 0 && x <= 1 && y >= -0.05 && y <= 1.05 };
  }

  finalize() {
    this.sized.disconnect();
    this.view?.finalize();
    this.element.remove();
  }
}

/** @param {HTMLElement} element @param {import("./lines.js").Area} area @param {number} from @param {number} to */
function stripe(element, area, from, to) {
  const isShown = from >= 0 && to <= 1;
  element.style.display = isShown ? "block" : "none";
  if (!isShown) return;
  Object.assign(element.style, {
    transform: `translate(${area.left + from * area.width}px, ${area.top}px)`,
    width: `${Math.max(1, (to - from) * area.width)}px`,
    height: `${area.height}px`,
  });
}

/** Take the y-axis' grid out of a chart with curves: Vega's picture lies above them. @param {any} vega @param {boolean} hasLines */
function withoutGrid(vega, hasLines) {
  const isGrid = (/** @type {any} */ axis) => hasLines && axis.grid && axis.scale === "y";
  const axes = vega.axes ?? [];
  return [axes.filter(isGrid), { ...vega, axes: axes.filter((/** @type {any} */ axis) => !isGrid(axis)) }];
}

/** Which values are labelled where there is so much room. @param {Axis} axis @param {Domain} domain @param {number} width */
const labelled = (axis, domain, width) => ticks(axis, domain, Math.max(2, Math.min(10, width / LABEL_WIDTH)));

/** Give a compiled chart an x-axis that is set from outside. @param {any} vega @param {Axis} axis @param {Domain} domain @param {number} width */
function linked(vega, axis, domain, width) {
  const signals = [
    { name: "x_domain", value: domain },
    { name: "x_ticks", value: labelled(axis, domain, width) },
    { name: "x_zoomed", value: !isWhole(axis, domain) },
  ];
  const scales = (vega.scales ?? []).map((/** @type {any} */ s) => (s.name === "x" ? { ...s, domain: { signal: "x_domain" }, zero: false, nice: false } : s));
  const axes = (vega.axes ?? []).map((/** @type {any} */ a) => (a.scale === "x" ? { ...a, values: { signal: "x_ticks" }, labelOverlap: false, labelFlush: LABEL_WIDTH / 4 } : a));
  return { ...vega, signals: [...(vega.signals ?? []), ...signals], scales, axes, marks: clipped(vega.marks ?? []) };
}

/** Marks end at the plot's edges while a part of the axis is shown; those at the ends of the whole axis are whole.
 * @param {any[]} marks @returns {any[]} */
function clipped(marks) {
  return marks.map((mark) => {
    if (mark.marks) return { ...mark, marks: clipped(mark.marks) };
    const update = mark.encode?.update ?? {};
    const isOnX = [update.x, update.x2, update.xc].flat().some((channel) => channel?.scale === "x");
    return isOnX ? { ...mark, clip: mark.clip === true || { signal: "x_zoomed" } } : mark;
  });
}
