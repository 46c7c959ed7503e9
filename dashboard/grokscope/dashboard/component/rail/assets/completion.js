// @ts-check
// A list of how the query in the search field can go on. What may follow is told by the server, which knows the
// grammar and the names; they are other people's text, so everything is put in as text and nothing as markup.

/** @typedef {[text: string, kind: string, start: number, end: number]} Offer */
/** @typedef {{field: string, text: string, offers: Offer[]}} Data Of the text that the offers are for. */
/** @typedef {(name: string, value: unknown) => void} Report */

const PAUSE_MS = 120;
const AGAIN_MS = [2000, 4000, 8000, 16000];
const LIST = "rail_completion_list";
const NO_SPACE_AFTER = /[(]$/;

class Completion {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.parent = parent;
    this.root = parent.appendChild(document.createElement("div"));
    this.root.className = "completion";
    this.list = document.createElement("ul");
    this.list.id = LIST;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "How the query can go on");
    this.offers = /** @type {Offer[]} */ ([]);
    this.active = -1;
    this.timer = 0;
    this.asked = "";
    this.data = /** @type {Data | undefined} */ (undefined);
    this.report = /** @type {Report | undefined} */ (undefined);
    this.field = "";
    this.ended = new AbortController();
    const options = { capture: true, signal: this.ended.signal };
    // On the document: the field is Streamlit's, which may put another in its place.
    document.addEventListener("input", (event) => this.typed(event), options);
    document.addEventListener("keydown", (event) => this.pressed(event), options);
    document.addEventListener("focusout", (event) => this.isField(event.target) && this.close(), options);
  }

  /** @param {Data} data @param {Report} report */
  adopt(data, report) {
    this.data = data;
    this.field = data.field;
    this.report = report;
    const input = this.input();
    if (!input) return;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("autocomplete", "off");
    if (document.activeElement !== input || !input.value) return this.close();
    const isMeant = input.value === data.text;
    if (isMeant) clearTimeout(this.timer);
    else if (this.asked !== input.value) this.askAfter(PAUSE_MS, input); // typed before this script was here
    if (isMeant && data.offers.length) this.open(input, data.offers);
    else this.close();
  }

  /** Ask, and again if no answer comes: a page that is drawn anew may lose a question.
   * @param {number} pause @param {HTMLInputElement} input @param {number} [times] */
  askAfter(pause, input, times = 0) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (document.activeElement !== input || !this.data || !this.report) return;
      if (input.value === this.data.text) return this.adopt(this.data, this.report); // answers what it did before
      this.asked = input.value;
      this.report("typed", [input.value, input.selectionStart ?? 0]);
      if (times < AGAIN_MS.length) this.askAfter(AGAIN_MS[times], input, times + 1);
    }, pause);
  }

  /** @returns {HTMLInputElement | null} */
  input() {
    return document.querySelector(`.${CSS.escape(this.field)} input`);
  }

  /** @param {EventTarget | null} target */
  isField(target) {
    return target !== null && target === this.input();
  }

  /** @param {Event} event */
  typed(event) {
    if (!this.isField(event.target)) return;
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.value) return this.askAfter(PAUSE_MS, input);
    clearTimeout(this.timer);
    this.close();
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (!this.isField(event.target)) return;
    if (event.key === "Escape" || (event.key === "Enter" && this.active < 0)) clearTimeout(this.timer);
    if (!this.offers.length) return;
    const count = this.offers.length;
    const isTaken = ["Enter", "Tab"].includes(event.key) && this.active >= 0;
    if (event.key === "ArrowDown") this.choose((this.active + 1) % count);
    else if (event.key === "ArrowUp") this.choose((this.active <= 0 ? count : this.active) - 1);
    else if (isTaken) this.take(this.active);
    else if (event.key !== "Escape") {
      if (event.key === "Enter") this.close();
      return;
    } else this.close();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {HTMLInputElement} input @param {Offer[]} offers */
  open(input, offers) {
    this.offers = offers;
    this.active = -1;
    this.list.replaceChildren(...offers.map((offer, place) => this.item(offer, place)));
    this.root.append(this.list);
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-controls", LIST);
    input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.offers = [];
    this.active = -1;
    this.list.remove();
    const input = this.input();
    input?.setAttribute("aria-expanded", "false");
    input?.removeAttribute("aria-activedescendant");
  }

  /** @param {Offer} offer @param {number} place */
  item([text, kind], place) {
    const item = document.createElement("li");
    item.id = `${LIST}_${place}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    for (const [name, said] of [["offer", text], ["kind", kind]]) {
      const part = item.appendChild(document.createElement("span"));
      part.className = name;
      part.textContent = said;
    }
    item.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the field keeps the focus
      this.take(place);
    });
    return item;
  }

  /** @param {number} place */
  choose(place) {
    this.active = place;
    [...this.list.children].forEach((item, one) => item.setAttribute("aria-selected", String(one === place)));
    const item = this.list.children[place];
    item?.scrollIntoView({ block: "nearest" });
    if (item) this.input()?.setAttribute("aria-activedescendant", item.id);
    else this.input()?.removeAttribute("aria-activedescendant");
  }

  /** Put an offer into the field, as if it had been typed. @param {number} place */
  take(place) {
    const input = this.input();
    const offer = this.offers[place];
    if (!input || !offer) return;
    const [text, , start, end] = offer;
    const before = `${input.value.slice(0, start)}${text}${NO_SPACE_AFTER.test(text) ? "" : " "}`;
    const value = before + input.value.slice(end).trimStart();
    this.close();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(input, value);
    input.setSelectionRange(before.length, before.length);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  end() {
    this.ended.abort();
    clearTimeout(this.timer);
    this.close();
    this.root.remove();
  }
}

/** @type {Completion | undefined} There is one search; a page drawn anew has another place for its list. */
let current;

/** Streamlit calls this at the first drawing and whenever the data have changed. @param {any} component */
export default function ({ data, parentElement, setTriggerValue }) {
  if (current?.parent !== parentElement) {
    current?.end();
    current = new Completion(parentElement);
  }
  current.adopt(data, setTriggerValue);
}
