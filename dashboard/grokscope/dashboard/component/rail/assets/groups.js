// @ts-check
// The groups of the rail: a tick shows one, a button shows it alone, an arrow opens what else can be done with it.
// Names of groups and runs are other people's text, so everything is put in as text and nothing as markup.

/**
 * @typedef {object} Row
 * @property {string} key Of the group.
 * @property {string} name
 * @property {string} look Address of a picture of its line.
 * @property {string} count How many of its runs generalized.
 * @property {boolean} shown
 * @property {boolean} baseline Whether the others are compared with it.
 * @property {boolean} alone Whether it is shown alone.
 * @property {[label: string, id: string][]} runs
 * @property {string} rest Said of the runs that are not listed; or nothing.
 */
/** @typedef {{rows: Row[], run: string, is_one: boolean}} Data `run`: the address of a run's page, before its id. */
/** @typedef {(name: string, value: unknown) => void} Report */

/** @param {string} tag @param {string} [of] Its class. @param {string} [text] @returns {any} */
function made(tag, of = "", text = "") {
  const element = document.createElement(tag);
  element.className = of;
  element.textContent = text;
  return element;
}

class Group {
  /** @param {Groups} list */
  constructor(list) {
    this.list = list;
    this.row = /** @type {Row} */ (/** @type {unknown} */ (null));
    this.element = made("li");
    this.label = made("label");
    this.box = made("input");
    this.box.type = "checkbox";
    this.look = made("img");
    this.look.alt = "";
    this.name = made("span", "name");
    this.label.append(this.look, this.box, this.name);
    this.mark = made("span", "mark", "baseline");
    this.count = made("span", "count");
    this.only = made("button", "only", "only");
    this.more = made("button", "more", "▾");
    this.inside = made("div", "inside");
    this.element.append(this.label, this.mark, this.count, this.only, this.more, this.inside);
    this.box.onchange = () => this.list.tick(this.row.key, this.box.checked);
    this.only.onclick = () => this.list.act("alone", this.row.key);
    this.more.onclick = () => this.open(this.inside.hidden);
    this.open(false);
  }

  /** @param {Row} row @param {boolean} isOne Whether there is no other. */
  show(row, isOne) {
    if (JSON.stringify(row) === JSON.stringify(this.row)) return this.fit(isOne);
    this.row = row;
    this.look.src = row.look;
    this.name.textContent = this.label.title = row.name;
    this.count.textContent = row.count;
    this.mark.hidden = !row.baseline;
    this.only.setAttribute("aria-label", `Only ${row.name}`);
    this.only.title = row.alone ? "Show all groups" : "Show only this group";
    this.more.title = `${row.name}: only this, baseline, runs`;
    this.more.setAttribute("aria-label", this.more.title);
    if (!this.inside.hidden) this.fill();
    this.fit(isOne);
  }

  /** @param {boolean} isOne */
  fit(isOne) {
    this.box.checked = this.list.ticks.get(this.row.key) ?? this.row.shown;
    this.box.disabled = this.only.hidden = isOne;
    this.isOne = isOne;
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    this.inside.hidden = !isOpen;
    this.more.setAttribute("aria-expanded", String(isOpen));
    this.element.classList.toggle("open", isOpen);
    if (isOpen) this.fill();
  }

  fill() {
    const { key, alone, baseline, runs, rest } = this.row;
    const button = (/** @type {string} */ said, /** @type {string} */ how) => {
      const one = made("button", "", said);
      one.onclick = () => this.list.act(how, key);
      return one;
    };
    const actions = [
      button(alone ? "Show all groups" : "Show only this group", "alone"),
      button(baseline ? "Compare with the best group again" : "Compare others with this group", "compared_with"),
    ];
    const links = runs.map(([label, id]) => this.link(label, id));
    this.inside.replaceChildren(...(this.isOne ? [] : actions), ...links, ...(rest ? [made("p", "", rest)] : []));
  }

  /** @param {string} label @param {string} id */
  link(label, id) {
    const link = made("a", "", label);
    link.href = `${this.list.data.run}${encodeURIComponent(id)}`;
    link.onclick = (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab: the browser's own matter
      event.preventDefault();
      this.list.act("opened", id);
    };
    return link;
  }
}

class Groups {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.root = parent.appendChild(made("ul", "groups"));
    this.data = /** @type {Data} */ ({ rows: [], run: "", is_one: false });
    this.report = /** @type {Report | undefined} */ (undefined);
    /** What was ticked and is not drawn yet: a second tick must not undo the first. @type {Map<string, boolean>} */
    this.ticks = new Map();
    /** @type {Map<string, Group>} */
    this.groups = new Map();
  }

  /** @param {Data} data @param {Report} report */
  adopt(data, report) {
    this.data = data;
    this.report = report;
    const keys = new Set(data.rows.map((row) => row.key));
    for (const [key, group] of this.groups) if (!keys.has(key)) this.drop(key, group);
    data.rows.forEach((row, place) => {
      if (this.ticks.get(row.key) === row.shown) this.ticks.delete(row.key);
      const group = this.groups.get(row.key) ?? new Group(this);
      this.groups.set(row.key, group);
      group.show(row, data.is_one);
      const there = this.root.children[place];
      if (there !== group.element) this.root.insertBefore(group.element, there ?? null);
    });
  }

  /** @param {string} key @param {Group} group */
  drop(key, group) {
    group.element.remove();
    this.groups.delete(key);
    this.ticks.delete(key);
  }

  /** @param {string} key @param {boolean} isShown */
  tick(key, isShown) {
    this.ticks.set(key, isShown);
    this.report?.("acted", { how: "ticked", groups: Object.fromEntries(this.ticks) });
  }

  /** @param {string} how @param {string} of */
  act(how, of) {
    this.ticks.clear();
    this.report?.("acted", { how, of });
  }
}

/** @type {WeakMap<object, Groups>} */
const there = new WeakMap();

/** What Streamlit calls at the first drawing and whenever the data have changed. @param {any} element */
export default function ({ data, parentElement, setTriggerValue }) {
  const own = there.get(parentElement) ?? new Groups(parentElement);
  there.set(parentElement, own);
  own.adopt(data, setTriggerValue);
}
