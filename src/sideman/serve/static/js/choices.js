/**
 * What the user has chosen, by name: kept within bounds, and kept in this browser.
 *
 * Emits "change" with `detail` = the name that changed.
 */
export const number = (initial, min, max, step) => ({ kind: "number", initial, min, max, step });
/** A number that may be left open: "". */
export const open = (initial, min, max, step) => ({ ...number(initial, min, max, step), open: true });
export const choice = (initial, values = null) => ({ kind: "choice", initial, values });
export const flag = (initial) => ({ kind: "flag", initial });

export class Choices extends EventTarget {
  /** `rows`: name -> what may be chosen. `key`: where the browser keeps it. */
  constructor(rows, key, storage = localStorage) {
    super();
    this.rows = rows;
    this.key = key;
    this.storage = storage;
    this.values = Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row.initial]));
    for (const [name, value] of Object.entries(this.#stored()))
      if (name in rows) this.values[name] = fit(rows[name], value) ?? this.values[name];
  }

  get(name) {
    return this.values[name];
  }

  /** Takes the value, brought within its bounds; what is no value at all is ignored. True if it is another. */
  set(name, value) {
    const fitting = fit(this.rows[name], value);
    if (fitting === null || fitting === this.values[name]) return false;
    this.values[name] = fitting;
    this.settle(name);
    this.#store();
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
    return true;
  }

  /** What else has to move along with `name`, before anybody is told. */
  settle() {}

  #stored() {
    try {
      return JSON.parse(this.storage.getItem(this.key)) ?? {};
    } catch {
      return {}; // unreadable: begin with what is sane
    }
  }

  #store() {
    try {
      this.storage.setItem(this.key, JSON.stringify(this.values));
    } catch {
      // a full or forbidden store costs only the memory of what was chosen
    }
  }
}

function fit({ kind, min, max, step, values, open: mayBeOpen }, value) {
  if (kind === "flag") return Boolean(value);
  if (kind === "choice") return !values || values.includes(String(value)) ? String(value) : null;
  const given = Number(value);
  if (value === "") return mayBeOpen ? "" : null;
  if (!Number.isFinite(given)) return null;
  const steps = Math.round((Math.min(max, Math.max(min, given)) - min) / step);
  return Number((min + steps * step).toFixed(4));
}
