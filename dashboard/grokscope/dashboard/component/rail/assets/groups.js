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

const FORGOTTEN_MS = 5000;

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
    this.actions = [this.action("alone"), this.action("compared_with")];
    this.element.append(this.label, this.mark, this.count, this.only, this.more, this.inside);
    this.box.onchange = () => this.list.tick(this.row.key, this.box.checked);
    this.only.onclick = () => this.list.act("alone", this.row.key);
    this.more.onclick = () => this.open(this.inside.hidden);
    this.open(false);
  }

  /** @param {Row} row @param {boolean} isOne Whether there is no other. */
  show(row, isOne) {
    const before = this.row;
    this.row = row;
    this.look.src = row.look;
    this.name.textContent = this.label.title = row.name;
    this.count.textContent = row.count;
    this.mark.hidden = !row.baseline;
    this.only.setAttribute("aria-label", `Only ${row.name}`);
    this.only.title = row.alone ? "Show all groups" : "Show only this group";
    this.more.title = `${row.name}: only this, baseline, runs`;
    this.more.setAttribute("aria-label", this.more.title);
    this.fit(isOne);
    if (!this.inside.hidden && JSON.stringify([before.runs, before.rest]) !== JSON.stringify([row.runs, row.rest])) this.fill();
    else this.say();
  }

  /** @param {boolean} isOne */
  fit(isOne) {
    this.box.checked = this.list.ticks.get(this.row.key) ?? this.row.shown;
    this.box.disabled = this.only.hidden = isOne;
    for (const button of this.actions) button.hidden = isOne;
  }

  /** Say what its buttons do now and where its links lead; they stay, since one of them may have the focus. */
  say() {
    const [alone, compared] = this.actions;
    alone.textContent = this.row.alone ? "Show all groups" : "Show only this group";
    compared.textContent = this.row.baseline ? "Compare with the best group again" : "Compare others with this group";
    for (const link of this.inside.querySelectorAll("a")) link.href = `${this.list.data.run}${encodeURIComponent(link.dataset.id)}`;
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    this.inside.hidden = !isOpen;
    this.more.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.fill();
  }

  fill() {
    const { runs, rest } = this.row;
    const links = runs.map(([label, id]) => this.link(label, id));
    this.inside.replaceChildren(...this.actions, ...links, ...(rest ? [made("p", "", rest)] : []));
    this.say();
  }

  /** @param {string} how */
  action(how) {
    const button = made("button");
    button.onclick = () => this.list.act(how, this.row.key);
    return button;
  }

  /** @param {string} label @param {string} id */
  link(label, id) {
    const link = made("a", "", label);
    link.dataset.id = id;
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
    // As it was: the server has nothing to draw anew for that, so nobody would take it off the list.
    if (this.groups.get(key)?.row.shown === isShown) setTimeout(() => this.ticks.delete(key), FORGOTTEN_MS);
  }

  /** @param {string} how @param {string} of */
  act(how, of) {
    const groups = Object.fromEntries(this.ticks); // one that the server has not heard of yet goes along
    if (how === "alone") this.ticks.clear(); // it sets all of them
    this.report?.("acted", { how, of, groups });
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
