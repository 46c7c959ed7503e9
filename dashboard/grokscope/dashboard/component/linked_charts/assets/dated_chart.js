// @ts-check
// A chart whose dated events a person can move, and where they can add one. Nothing is told before they confirm it.
import { Mounted, mounting } from "./mounted.js";
import { Tooltip, made } from "./tooltip.js";
import { vegaEmbed } from "./vega.js";

/** @typedef {{id: string, name: string, shape: string, step: number}} Mark */
/** @typedef {{id: string | null, name: string, from: number | null, step: number}} Draft An `id` of `null` is a new event. */
/**
 * @typedef {object} Data
 * @property {any} spec Vega-Lite.
 * @property {string} title
 * @property {string} text For who cannot see it.
 * @property {Mark[]} marks
 * @property {number[]} steps Of the evaluations, rising; not empty.
 * @property {[string, string][]} subjects What can be added: its key, its name.
 * @property {string} reviewer
 * @property {Record<string, string>} palette
 */

const A_DRAG = 4;
const APART = 20;
const FORGOTTEN_MS = 8000;
const NEW = "new event";
const HOW = "drag, or ← → by one evaluation; Enter keeps it, Esc cancels";

/** @extends {Mounted<Data>} */
class DatedChart extends Mounted {
  /** @param {ParentNode & Node} parent */
  constructor(parent) {
    super("dated chart");
    this.root = /** @type {HTMLElement} */ (parent.appendChild(made("div", "linked-charts dated")));
    const chart = this.root.appendChild(made("figure", "chart"));
    const caption = chart.appendChild(made("figcaption"));
    this.title = caption.appendChild(made("span", "title"));
    caption.append(made("span", "how", "drag a sign to move its date"));
    this.add = caption.appendChild(made("button", "add", "+ Add an event here"));
    this.add.onclick = () => (this.draft?.id === null ? this.cancel() : this.begin(null));
    this.plot = chart.appendChild(made("div", "plot"));
    this.holder = this.plot.appendChild(made("div", "vega"));
    this.line = this.plot.appendChild(made("div", "draft"));
    this.marks = this.plot.appendChild(made("div", "dates"));
    this.bar = chart.appendChild(made("div", "bar"));
    this.tooltip = new Tooltip(this.root);
    this.data = /** @type {Data} */ (/** @type {unknown} */ (null));
    this.draft = /** @type {Draft | null} */ (null);
    this.view = /** @type {any} */ (null);
    this.drawn = "";
    this.plot.addEventListener("click", (event) => this.clicked(event));
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.draft && this.cancel());
    this.resized = new ResizeObserver(() => requestAnimationFrame(() => this.resize()));
    this.resized.observe(this.plot);
  }

  /** @param {Data} data */
  async show(data) {
    if (this.isTold) this.forget(); // it is among the data now, or the page says why not
    this.data = data;
    this.title.textContent = data.title;
    this.add.hidden = data.subjects.length === 0;
    Object.entries(data.palette).forEach(([name, value]) => this.root.style.setProperty(`--${name}`, value));
    const drawn = JSON.stringify(data.spec);
    if (drawn !== this.drawn) await this.embed(data);
    this.drawn = drawn;
    if (this.draft?.id && !data.marks.some((mark) => mark.id === this.draft?.id)) this.forget();
    this.place();
  }

  /** @param {Data} data */
  async embed(data) {
    const holder = made("div", "vega");
    holder.setAttribute("role", "img");
    holder.setAttribute("aria-label", data.text);
    const config = { ...data.spec.config, background: "transparent", font: getComputedStyle(this.root).fontFamily };
    const { view } = await vegaEmbed(holder, { ...data.spec, config, width: this.plot.clientWidth }, {
      mode: "vega-lite",
      ast: true,
      actions: false,
      renderer: "canvas",
      tooltip: (/** @type {any} */ _handler, /** @type {any} */ event, /** @type {any} */ _item, /** @type {any} */ value) => this.read(event, value),
    });
    this.view?.finalize();
    this.view = view;
    this.holder.replaceWith(holder); // the old picture stays until the new one is there
    this.holder = holder;
  }

  resize() {
    if (!this.view || !this.data) return;
    this.view.width(this.plot.clientWidth).run();
    this.place();
  }

  /** @param {any} event @param {any} value Of Vega's tooltip: what a mark says. */
  read(event, value) {
    if (!value || typeof value !== "object") return this.tooltip.hide();
    this.tooltip.fill("", [], [], "", Object.entries(value).map(([name, said]) => `${name} ${said}`));
    this.tooltip.place(event.clientX, event.clientY);
  }

  /** Where a step is, in pixels from the plot's left. @param {number} step */
  x(step) {
    return this.view.origin()[0] + this.view.padding().left + this.view.scale("x")(step);
  }

  /** The evaluation that is nearest to a pointer. @param {{clientX: number}} event */
  under(event) {
    const x = event.clientX - this.plot.getBoundingClientRect().left;
    const far = (/** @type {number} */ step) => Math.abs(this.x(step) - x);
    return this.data.steps.reduce((best, step) => (far(step) < far(best) ? step : best));
  }

  /** Put the marks where their steps are: those that lie close together stand above each other. */
  place() {
    if (!this.view || !this.data) return;
    const top = this.view.origin()[1] + this.view.padding().top;
    const height = this.view.signal("height");
    this.area = { top, height, left: this.x(this.view.scale("x").domain()[0]), right: this.x(this.view.scale("x").domain()[1]) };
    const fresh = this.draft?.id === null ? [{ id: "", name: NEW, shape: "+", step: this.draft.step }] : [];
    const all = [...this.data.marks, ...fresh];
    const there = new Map([...this.marks.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.id, /** @type {HTMLElement} */ (child)]));
    /** @type {number[]} */
    const rows = [];
    for (const mark of [...all].sort((a, b) => a.step - b.step)) {
      const x = this.x(this.at(mark));
      const row = rows.findIndex((last) => x - last >= APART);
      const level = row < 0 ? rows.length : row;
      rows[level] = x;
      const element = there.get(mark.id) ?? this.made(mark);
      there.delete(mark.id);
      this.put(element, mark, { x, level });
    }
    there.forEach((element) => element.remove());
    this.say();
  }

  /** @param {Mark} mark */
  at(mark) {
    return this.draft && (this.draft.id ?? "") === mark.id ? this.draft.step : mark.step;
  }

  /** @param {Mark} mark */
  made(mark) {
    const element = this.marks.appendChild(made("div", "mark"));
    element.dataset.id = mark.id;
    element.append(made("span", "rail"), made("span", "grip"));
    const grip = /** @type {HTMLElement} */ (element.lastElementChild);
    grip.tabIndex = 0;
    grip.setAttribute("role", "slider");
    grip.addEventListener("keydown", (event) => this.key(mark.id, event));
    element.addEventListener("pointerdown", (event) => this.press(mark.id, element, event));
    return element;
  }

  /** @param {HTMLElement} element @param {Mark} mark @param {{x: number, level: number}} where */
  put(element, mark, { x, level }) {
    const step = this.at(mark);
    const { top, height, left, right } = /** @type {any} */ (this.area);
    const grip = /** @type {HTMLElement} */ (element.lastElementChild);
    element.style.transform = `translate(${x}px, ${top}px)`;
    element.style.height = `${height}px`;
    element.style.display = x < left - 1 || x > right + 1 ? "none" : "block";
    element.classList.toggle("moving", this.draft !== null && (this.draft.id ?? "") === mark.id);
    grip.style.bottom = `${2 + level * APART}px`;
    grip.textContent = mark.shape;
    grip.title = `${mark.name}: ${HOW}`;
    grip.setAttribute("aria-label", `${mark.name}, step`);
    const { steps } = this.data;
    const told = { valuemin: steps[0], valuemax: steps[steps.length - 1], valuenow: step, valuetext: `${mark.name} at step ${step.toLocaleString("en")}` };
    Object.entries(told).forEach(([name, value]) => grip.setAttribute(`aria-${name}`, String(value)));
  }

  /** Begin to move a mark, or to add one. @param {string | null} id */
  begin(id) {
    const mark = this.data.marks.find((one) => one.id === id);
    const { left, right } = this.area ?? { left: 0, right: 0 };
    const middle = (left + right) / 2 + this.plot.getBoundingClientRect().left;
    this.draft = { id, name: mark?.name ?? NEW, from: mark?.step ?? null, step: mark?.step ?? this.under({ clientX: middle }) };
    this.place();
    if (id === null) this.grip("")?.focus();
  }

  /** @param {string} id @returns {HTMLElement | null | undefined} */
  grip(id) {
    const element = [...this.marks.children].find((child) => /** @type {HTMLElement} */ (child).dataset.id === id);
    return /** @type {HTMLElement | null | undefined} */ (element?.lastElementChild);
  }

  /** @param {string} id @param {number} step */
  move(id, step) {
    if (this.isTold) return;
    if ((this.draft?.id ?? (this.draft ? "" : undefined)) !== id) this.begin(id);
    if (this.draft) this.draft.step = step;
    this.place();
  }

  /** @param {string} id @param {KeyboardEvent} event */
  key(id, event) {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    const now = (this.draft && (this.draft.id ?? "") === id ? this.draft.step : this.data.marks.find((one) => one.id === id)?.step) ?? 0;
    if (way !== undefined) {
      const { steps } = this.data;
      const next = way > 0 ? steps.find((step) => step > now) : steps.findLast((step) => step < now);
      if (next !== undefined) this.move(id, next);
    } else if (event.key === "Enter" && this.draft && (this.draft.id ?? "") === id) this.keep();
    else return;
    event.preventDefault();
  }

  /** @param {string} id @param {HTMLElement} element @param {PointerEvent} event */
  press(id, element, event) {
    if (event.button !== 0 || this.isTold) return;
    this.tooltip.hide();
    let isDragged = false;
    const move = (/** @type {PointerEvent} */ now) => {
      isDragged ||= Math.abs(now.clientX - event.clientX) > A_DRAG;
      if (isDragged) this.move(id, this.under(now));
    };
    const end = (/** @type {PointerEvent} */ now) => {
      element.removeEventListener("pointermove", move);
      ["pointerup", "pointercancel"].forEach((name) => element.removeEventListener(name, /** @type {any} */ (end)));
      if (now.type === "pointercancel" && isDragged) this.cancel();
      this.grip(id)?.focus();
    };
    element.setPointerCapture(event.pointerId);
    element.addEventListener("pointermove", move);
    ["pointerup", "pointercancel"].forEach((name) => element.addEventListener(name, /** @type {any} */ (end)));
  }

  /** A click on the chart puts a new event there. @param {MouseEvent} event */
  clicked(event) {
    if (this.draft?.id !== null || this.marks.contains(/** @type {Node} */ (event.composedPath()[0]))) return;
    this.move("", this.under(event));
    this.grip("")?.focus();
  }

  /** Say below the chart what would be kept, and ask. */
  say() {
    const { draft } = this;
    this.add.setAttribute("aria-pressed", String(draft?.id === null));
    this.plot.classList.toggle("adding", draft?.id === null);
    this.line.style.display = draft ? "block" : "none";
    if (!draft) return this.bar.replaceChildren();
    const { top, height } = /** @type {any} */ (this.area);
    Object.assign(this.line.style, { transform: `translate(${this.x(draft.step)}px, ${top}px)`, height: `${height}px` });
    const at = draft.step.toLocaleString("en");
    const by = this.data.reviewer ? ` as ${this.data.reviewer}` : "";
    if (this.bar.dataset.of !== String(draft.id) || !this.bar.children.length) this.ask(draft);
    const said = draft.id === null ? `at step ${at}${by}` : `Move ${draft.name} from step ${draft.from?.toLocaleString("en")} to ${at}${by}`;
    const text = this.bar.querySelector(".asked");
    if (text) text.textContent = this.isTold ? "Keeping it …" : said;
    const keep = /** @type {HTMLButtonElement | null} */ (this.bar.querySelector(".keep"));
    if (keep) keep.disabled = this.isTold || draft.step === draft.from;
  }

  /** @param {Draft} draft */
  ask(draft) {
    this.bar.dataset.of = String(draft.id);
    const keep = made("button", "keep", draft.id === null ? "Add it" : "Move it here");
    const cancel = made("button", "cancel", "Cancel");
    keep.onclick = () => this.keep();
    cancel.onclick = () => this.cancel();
    const kinds = draft.id === null ? [this.kinds()] : [];
    this.bar.replaceChildren(...kinds, made("span", "asked"), keep, cancel);
  }

  kinds() {
    const kinds = /** @type {HTMLSelectElement} */ (made("select", "kinds"));
    kinds.setAttribute("aria-label", "Event");
    for (const [key, name] of this.data.subjects) kinds.add(new Option(name, key));
    return kinds;
  }

  keep() {
    const { draft } = this;
    if (!draft || this.isTold || draft.step === draft.from) return;
    const kinds = /** @type {HTMLSelectElement | null} */ (this.bar.querySelector(".kinds"));
    this.report?.("decided", { mark: draft.id, subject: kinds?.value ?? null, step: draft.step });
    this.isTold = true;
    this.forgetting = setTimeout(() => this.cancel(), FORGOTTEN_MS);
    this.say();
  }

  forget() {
    clearTimeout(this.forgetting);
    this.draft = null;
    this.isTold = false;
  }

  cancel() {
    const { id } = this.draft ?? {};
    this.forget();
    this.place();
    (id ? this.grip(id) : this.add)?.focus();
  }

  end() {
    this.resized.disconnect();
    this.view?.finalize();
    this.root.remove();
  }
}

export default mounting((parent) => new DatedChart(parent));
