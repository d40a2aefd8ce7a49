/**
 * What lies on the desk: the melody, the progressions offered for it, the chords that stay. Every change can be undone, and
 * the browser keeps it all.
 *
 * `doc`: {melody, rows, kept, answer, stale}. A row is an option of the answer with an `id`; `answer` is the rest of it; `stale`
 * says that the melody has changed since. Emits "change" after every change.
 */
import { newId } from "../shelf.js";
import { emptyMelody } from "./melody.js";

const KEY = "sideman.options.desk.1";
const DEEPEST = 200;
const PAUSE = 250; // ms

const EMPTY = { melody: emptyMelody(), rows: [], kept: [], answer: null, stale: false };

export class Desk extends EventTarget {
  /** `first`: the melody that lies there when nothing does. */
  constructor(first, storage = localStorage) {
    super();
    this.storage = storage;
    this.doc = this.#stored() ?? { ...EMPTY, melody: first };
    this.past = [];
    this.future = [];
    this.timer = null;
    addEventListener("pagehide", () => this.#store());
  }

  change(patch) {
    this.past = [...this.past, this.doc].slice(-DEEPEST);
    this.future = [];
    this.#show({ ...this.doc, ...patch });
  }

  /** A new melody; what was offered for another one goes. */
  begin(melody) {
    this.change({ ...EMPTY, melody });
  }

  /** Other notes, tempo or metre: the progressions stay, for what they were offered for. */
  rewrite(patch) {
    this.change({ melody: { ...this.doc.melody, ...patch }, stale: this.doc.rows.length > 0 });
  }

  /** The server's answer; a row that came with the melody stays behind it. */
  lay({ options, ...answer }) {
    const own = this.doc.rows.filter((row) => row.own);
    this.change({ rows: [...options.map((option) => ({ ...option, id: newId() })), ...own], answer, stale: false });
  }

  undo() {
    if (this.past.length === 0) return;
    this.future.push(this.doc);
    this.#show(this.past.pop());
  }

  redo() {
    if (this.future.length === 0) return;
    this.past.push(this.doc);
    this.#show(this.future.pop());
  }

  #show(doc) {
    this.doc = doc;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#store(), PAUSE);
    this.dispatchEvent(new Event("change"));
  }

  #store() {
    clearTimeout(this.timer);
    try {
      this.storage.setItem(KEY, JSON.stringify(this.doc));
    } catch {
      // a full or forbidden store costs only the memory of what lay here
    }
  }

  #stored() {
    try {
      const doc = JSON.parse(this.storage.getItem(KEY));
      return Array.isArray(doc?.melody?.notes) && Array.isArray(doc.rows) ? { ...EMPTY, ...doc } : null;
    } catch {
      return null; // not written by us
    }
  }
}
