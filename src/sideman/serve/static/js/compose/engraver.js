/**
 * Has the server draw the score: the newest text wins, one question at a time, and while a piece grows only the pages
 * that can have changed.
 *
 * Emits "drawn" {pages, from, abc, growing}: SVG elements of the pages from number `from` (0 is the first) on, which
 * replace all that was there from it on; "failed" {error, abc, growing}; "idle" when all that was wished for is drawn
 * or has failed. With `missing` the server cannot draw at all.
 */
import { engravedPage } from "./routes.js";
import { safeSvg } from "./safe-svg.js";

const PAUSE = 400; // ms between two drawings of a piece that grows

export class Engraver extends EventTarget {
  /** `width()`: CSS pixels a page is to be set for. */
  constructor(width) {
    super();
    this.width = width;
    this.missing = null; // the server's line about it
    this.wish = null;
    this.known = 0; // pages of what is drawn
    this.drawnWidth = null; // what they were set for
    this.busy = false;
  }

  /** Draws the text as soon as what is being drawn is there. */
  draw(abc, growing = false) {
    if (this.missing) return;
    this.wish = { abc, growing, from: growing ? Math.max(0, this.known - 1) : 0 };
    if (!growing) this.stopper?.abort();
    if (!this.busy) this.#work();
  }

  /** Forgets what is drawn: another piece. */
  clear() {
    this.wish = null;
    this.known = 0;
    this.stopper?.abort();
  }

  async #work() {
    this.busy = true;
    while (this.wish) {
      const wish = this.wish;
      this.wish = null;
      await this.#one(wish);
      if (wish.growing && this.wish?.growing) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    this.busy = false;
    this.#emit("idle");
  }

  async #one(wish) {
    const { abc, growing, from } = wish;
    this.stopper = new AbortController();
    try {
      const pages = await this.#pages(abc, from, this.stopper.signal);
      this.known = from + pages.length;
      this.#emit("drawn", { pages, from, abc, growing });
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.code === "missing_extra") this.missing = error.message;
      this.#emit("failed", { error, abc, growing });
    }
  }

  async #pages(abc, from, signal) {
    const pages = [];
    const width = this.width();
    this.drawnWidth = width;
    for (let page = from + 1, last = page; page <= last; page += 1) {
      const answer = await engravedPage(abc, page, width, signal);
      last = answer.pages;
      pages.push(safeSvg(answer.svg));
    }
    return pages;
  }

  #emit(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
