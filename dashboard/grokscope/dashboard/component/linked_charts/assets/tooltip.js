// @ts-check
// What is read off at one place of the x-axis: a table beside the pointer. Names are other people's text, so
// everything is put in as text and nothing as markup.

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} color
 * @property {number[]} dash
 * @property {string[]} cells
 */

const APART = 14;

export class Tooltip {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.element = parent.appendChild(made("div", "tooltip"));
    this.element.setAttribute("aria-hidden", "true");
  }

  /** @param {string} head @param {string[]} columns @param {Row[]} rows @param {string} foot @param {string[]} [lines] */
  fill(head, columns, rows, foot, lines = []) {
    const table = made("table");
    const names = table.appendChild(made("tr"));
    ["", "", ...columns].forEach((name) => names.appendChild(made("th", "", name)));
    for (const row of rows) {
      const tr = table.appendChild(made("tr"));
      tr.appendChild(made("td")).append(swatch(row.color, row.dash));
      tr.appendChild(made("td", "name", row.name));
      row.cells.forEach((cell) => tr.appendChild(made("td", "number", cell)));
    }
    const said = lines.map((line) => made("div", "event", line));
    this.element.replaceChildren(...said, made("div", "head", head), ...(rows.length ? [table] : []), made("div", "foot", foot));
  }

  /** Stand beside the pointer, within the window. @param {number} x @param {number} y */
  place(x, y) {
    this.element.style.display = "block";
    const { width, height } = this.element.getBoundingClientRect();
    const left = x + APART + width > innerWidth ? x - APART - width : x + APART;
    const top = Math.min(Math.max(4, y - height / 2), Math.max(4, innerHeight - height - 4));
    this.element.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`;
  }

  hide() {
    this.element.style.display = "none";
  }
}

/** @param {string} tag @param {string} [kind] @param {string} [text] @returns {HTMLElement} */
export function made(tag, kind = "", text = "") {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (text) element.textContent = text;
  return element;
}

/** A short piece of a line, as it is drawn. @param {string} color @param {number[]} dash */
export function swatch(color, dash) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const set = (/** @type {Element} */ on, /** @type {Record<string, string>} */ values) =>
    Object.entries(values).forEach(([name, value]) => on.setAttribute(name, value));
  set(svg, { width: "22", height: "10", "aria-hidden": "true" });
  set(line, { x1: "1", x2: "21", y1: "5", y2: "5", stroke: color, "stroke-width": "3", "stroke-dasharray": dash.join(" ") });
  svg.append(line);
  return svg;
}
