/**
 * The score on the page: what the server drew, the bar that is chosen, the cursor and the notes under it.
 *
 * Emits "choose" when the user chooses a bar (`chosen`, from 0, or null), "play" when they ask to hear it.
 */
import { element } from "../view/elements.js";
import { placeAt } from "./cursor.js";

const AIR = 10; // pixels above and below the staves
const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

export class SheetView extends EventTarget {
  /** `sheet`: the box that scrolls. */
  constructor(sheet) {
    super();
    this.sheet = sheet;
    this.paper = element("div", "paper");
    this.mark = element("div", "bar-mark");
    this.cursor = element("div", "cursor");
    this.paper.append(this.mark, this.cursor);
    sheet.append(this.paper);
    this.chosen = null;
    this.places = null; // geometry of the entries, until something moves
    this.sounding = [];
    new ResizeObserver(() => this.#moved()).observe(this.paper);
    this.paper.addEventListener("click", (event) => this.#onClick(event));
    sheet.addEventListener("keydown", (event) => this.#onKey(event));
    this.clear();
  }

  get empty() {
    return this.paper.querySelector(".page") === null;
  }

  /** What is drawn, by number from 0. */
  get bars() {
    return [...this.paper.querySelectorAll(".measure[data-bar]")];
  }

  /** The number that is written over the first bar: 0 for a pickup, else 1. */
  get first() {
    return Number(this.bars[0]?.dataset.number ?? 1);
  }

  clear() {
    this.replace([], 0);
    this.choose(null);
    this.rest();
  }

  /** Puts SVG pages in the place of all there was from page `from` (0 is the first) on. */
  replace(pages, from) {
    for (const old of [...this.paper.querySelectorAll(".page")].slice(from)) old.remove();
    for (const svg of pages) {
      const page = element("div", "page");
      page.append(svg);
      this.paper.insertBefore(page, this.mark);
    }
    this.sounding = [];
    this.#moved();
  }

  /** Lets the newest bar be seen. */
  toEnd() {
    this.sheet.scrollTop = this.sheet.scrollHeight;
  }

  choose(bar) {
    this.chosen = bar;
    this.#showChosen();
  }

  /** Draws the cursor of a score being played ({cursor, seconds}) at a second. `calm`: it stands still between entries. */
  draw(score, second, calm = false) {
    this.places ??= this.#placed(score.cursor);
    if (this.places.length === 0) return;
    const at = calm ? this.places[Math.max(0, placeAt(this.places, second, 0).index)].start : second;
    const { index, x, top, bottom } = placeAt(this.places, at, score.seconds);
    this.cursor.hidden = false;
    this.cursor.style.transform = `translate(${x}px, ${top}px)`;
    this.cursor.style.height = `${bottom - top}px`;
    if (this.places[index] === this.lit) return;
    this.lit = this.places[index];
    this.#light(this.lit.elements);
    this.#follow(top, bottom);
  }

  /** Nothing is being played. */
  rest() {
    this.cursor.hidden = true;
    this.places = null;
    this.lit = null;
    this.#light([]);
  }

  #light(elements) {
    for (const each of this.sounding) each.classList.remove("sounding");
    for (const each of elements) each.classList.add("sounding");
    this.sounding = elements;
  }

  #follow(top, bottom) {
    const { scrollTop, clientHeight } = this.sheet;
    const { offsetTop } = this.paper;
    if (top + offsetTop >= scrollTop && bottom + offsetTop <= scrollTop + clientHeight) return;
    this.sheet.scrollTo({ top: top + offsetTop - 0.1 * clientHeight, behavior: "smooth" });
  }

  /** The entries whose bar is drawn, with where they are on the paper. */
  #placed(entries) {
    const bars = new Map(this.bars.map((bar) => [Number(bar.dataset.bar), this.#box(bar)]));
    return entries.filter(({ bar }) => bars.has(bar)).map(({ start, bar, ids }) => {
      const { left, right, top, bottom } = bars.get(bar);
      const elements = ids.map((id) => this.paper.querySelector(`#${CSS.escape(id)}`)).filter(Boolean);
      const heads = elements.map((each) => this.#rect(each.querySelector(".notehead") ?? each));
      const x = heads.length > 0 ? Math.min(...heads.map((head) => (head.left + head.right) / 2)) : left + AIR;
      return { start, x, top, bottom, right, elements };
    });
  }

  /** A bar from its left to its right end and over all its staves, whatever sticks out of them. */
  #box(bar) {
    const lines = [...bar.querySelectorAll(".staff > path")];
    const rects = (lines.length > 0 ? lines : [bar]).map((line) => this.#rect(line));
    const edge = (name, pick) => pick(...rects.map((rect) => rect[name]));
    const [top, bottom] = [edge("top", Math.min) - AIR, edge("bottom", Math.max) + AIR];
    return { left: edge("left", Math.min), right: edge("right", Math.max), top, bottom };
  }

  /** Where something is on the paper. */
  #rect(drawn) {
    const origin = this.paper.getBoundingClientRect();
    const { left, right, top, bottom } = drawn.getBoundingClientRect();
    return { left: left - origin.left, right: right - origin.left, top: top - origin.top, bottom: bottom - origin.top };
  }

  #onClick({ clientX, clientY }) {
    const origin = this.paper.getBoundingClientRect();
    const [x, y] = [clientX - origin.left, clientY - origin.top];
    const inside = ({ left, right, top, bottom }) => left <= x && x <= right && top <= y && y <= bottom;
    const hit = this.bars.find((bar) => inside(this.#box(bar)));
    this.#chosenByUser(hit && Number(hit.dataset.bar) !== this.chosen ? Number(hit.dataset.bar) : null);
  }

  #onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in STEPS) this.#chosenByUser(this.#stepped(STEPS[event.key]));
    else if (event.key === "Escape") this.#chosenByUser(null);
    else if (event.key === " " || event.key === "Enter") this.dispatchEvent(new Event("play"));
    else return;
    event.preventDefault();
  }

  #stepped(step) {
    const last = this.bars.length - 1;
    if (last < 0) return null;
    const from = this.chosen ?? (step > 0 ? -1 : last + 1);
    return Math.min(last, Math.max(0, from + step));
  }

  #chosenByUser(bar) {
    this.choose(bar);
    if (bar !== null && !this.mark.hidden) this.#follow(this.mark.offsetTop, this.mark.offsetTop + this.mark.offsetHeight);
    this.dispatchEvent(new Event("choose"));
  }

  #showChosen() {
    const bar = this.bars.find((each) => Number(each.dataset.bar) === this.chosen);
    this.mark.hidden = !bar;
    if (!bar) return;
    const { left, right, top, bottom } = this.#box(bar);
    Object.assign(this.mark.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  }

  #moved() {
    this.places = null;
    this.lit = null;
    this.#showChosen();
  }
}
