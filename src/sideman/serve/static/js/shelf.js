/**
 * What is kept in this browser until its owner deletes it: plain data with `id` and `startedAt`.
 *
 * Each thing has a key of its own, so two tabs do not overwrite one another. Emits "change".
 */
export class Shelf extends EventTarget {
  constructor(prefix, storage = localStorage) {
    super();
    this.prefix = prefix;
    this.storage = storage;
    this.unsaved = new Map(); // what the browser would not store stays in memory
    addEventListener("storage", ({ key }) => {
      if (key === null || key.startsWith(prefix)) this.#changed();
    });
  }

  /** Newest first. */
  list() {
    const keys = Object.keys(this.storage).filter((key) => key.startsWith(this.prefix));
    const stored = keys.map((key) => this.#read(key)).filter((each) => each && !this.unsaved.has(each.id));
    return [...stored, ...this.unsaved.values()].sort((a, b) => b.startedAt - a.startedAt);
  }

  /** Keeps it (again); false if it can only be kept until the page is closed. */
  keep(thing) {
    try {
      this.storage.setItem(this.prefix + thing.id, JSON.stringify(thing));
      this.unsaved.delete(thing.id);
    } catch {
      this.unsaved.set(thing.id, thing);
    }
    this.#changed();
    return !this.unsaved.has(thing.id);
  }

  delete(id) {
    this.storage.removeItem(this.prefix + id);
    this.unsaved.delete(id);
    this.#changed();
  }

  #read(key) {
    try {
      return JSON.parse(this.storage.getItem(key));
    } catch {
      return null; // not written by us
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** A name nothing else has. */
export function newId() {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; // without TLS there is no crypto.randomUUID
}
