/**
 * The room in which melody and rows stand one above the other: how wide a beat is, bar lines, bar numbers, the loop, the cursor.
 *
 * Emits "fit" when the width of a beat has changed.
 *
 * Whatever stands in it says where by `--at` and `--len` in beats; the width of a beat is the style's `--beat`.
 */
import { element } from "../view/elements.js";
import { barAt, barsAround, barsOf, beatsOf } from "./bars.js";
import { endOf } from "./melody.js";

const LEAST = { fine: 20, coarse: 24 }; // CSS pixels a beat
const OWN_BARS = 8; // shown of a melody that is being drawn, and always one more than it has

/** Puts an element where it stands in time. */
export function place(part, at, length) {
  part.style.setProperty("--at", at);
  if (length !== undefined) part.style.setProperty("--len", length);
  return part;
}

export class TimelineView extends EventTarget {
  /** `parts`: timeline (it scrolls), wide, ruler, loop, cursor. */
  constructor(parts, { desk, selection, dials }) {
    super();
    Object.assign(this, { parts, desk, selection, dials });
    this.least = matchMedia("(pointer: coarse)").matches ? LEAST.coarse : LEAST.fine;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.drawn = "";
    desk.addEventListener("change", () => this.draw());
    selection.addEventListener("change", ({ detail }) => detail === "loop" && this.#showLoop());
    dials.addEventListener("change", ({ detail }) => detail === "zoom" && this.#fit());
    new ResizeObserver(() => this.#fit()).observe(parts.timeline);
    this.#handle(parts.ruler);
    this.draw();
  }

  draw() {
    const { melody, rows } = this.desk.doc;
    const end = endOf(melody.notes, ...rows.map(({ chords }) => chords));
    const bar = beatsOf(melody.meter);
    const bars = barsOf(melody, melody.title ? end : Math.max(end + bar, OWN_BARS * bar));
    const text = JSON.stringify(bars);
    if (text === this.drawn) return;
    this.drawn = text;
    this.bars = bars;
    const last = bars.at(-1);
    this.beats = last.onset + last.length;
    this.parts.wide.style.setProperty("--beats", this.beats);
    this.parts.wide.style.setProperty("--first", bars.find(({ number }) => number === 1)?.onset ?? 0);
    const lines = bars.map(({ onset }) => place(element("i", "bar-line"), onset));
    for (const old of this.parts.wide.querySelectorAll(".bar-line")) old.remove();
    this.parts.wide.prepend(...lines);
    this.parts.ruler.replaceChildren(...bars.map((bar, i) => this.#number(bar, i)));
    this.#fit();
    this.#showLoop();
  }

  /** The beat at a point of the screen. */
  beatAt(clientX) {
    return (clientX - this.parts.wide.getBoundingClientRect().left) / this.width;
  }

  /** Shows the beat that is heard, and scrolls along with it; null: nothing plays. */
  showBeat(beat) {
    const { cursor, timeline } = this.parts;
    cursor.hidden = beat === null;
    if (beat === null) return;
    const shown = this.calm.matches ? barAt(this.bars, beat).onset : beat;
    cursor.style.setProperty("--at", shown);
    const x = shown * this.width;
    if (x < timeline.scrollLeft || x > timeline.scrollLeft + timeline.clientWidth - 2 * this.width)
      timeline.scrollTo({ left: Math.max(0, x - this.width), behavior: this.calm.matches ? "auto" : "smooth" });
  }

  /** Scrolls so that a stretch can be seen. */
  reveal(at, length) {
    const { timeline } = this.parts;
    const [left, right] = [at * this.width, (at + length) * this.width];
    if (left < timeline.scrollLeft) timeline.scrollLeft = left - this.width;
    else if (right > timeline.scrollLeft + timeline.clientWidth) timeline.scrollLeft = right - timeline.clientWidth + this.width;
  }

  /** Takes the bars around some chords as the loop, or lets go of them. */
  loopAround(from, to) {
    const wished = barsAround(this.bars, from, to);
    const { loop } = this.selection;
    const same = loop && wished && loop.from === wished.from && loop.to === wished.to;
    this.selection.setLoop(same ? null : wished);
  }

  #number({ onset, length, number }, index) {
    const mark = place(element("button", "bar-mark-number", String(Math.max(0, number) || "")), onset, length);
    mark.type = "button";
    mark.tabIndex = index === 0 ? 0 : -1;
    mark.setAttribute("aria-label", number > 0 ? `Go round in bar ${number}` : "Go round in the pickup");
    return mark;
  }

  #fit() {
    const { timeline, wide } = this.parts;
    const fitting = Math.max(this.least, (timeline.clientWidth - 1) / this.beats);
    this.width = fitting * this.dials.get("zoom");
    wide.style.setProperty("--beat", `${this.width}px`);
    this.dispatchEvent(new Event("fit"));
  }

  #showLoop() {
    const { loop: band, ruler } = this.parts;
    const { loop } = this.selection;
    band.hidden = loop === null;
    if (loop) place(band, loop.from, loop.to - loop.from);
    [...ruler.children].forEach((mark, i) => {
      const { onset } = this.bars[i];
      mark.setAttribute("aria-pressed", Boolean(loop) && onset >= loop.from && onset < loop.to);
    });
  }

  /** Click or Enter: a bar; drag, or Shift: more of them; the only one again: none. */
  #handle(ruler) {
    let first = null;
    const indexOf = (target) => [...ruler.children].indexOf(target.closest("button"));
    const take = (index, extend) => {
      const { loop } = this.selection;
      const bar = this.bars[index];
      const [from, to] = [bar.onset, bar.onset + bar.length];
      if (extend && loop) return this.selection.setLoop({ from: Math.min(from, loop.from), to: Math.max(to, loop.to) });
      return this.loopAround(from, to - 1e-3);
    };
    ruler.addEventListener("pointerdown", ({ target, button }) => (first = button === 0 ? indexOf(target) : null));
    ruler.addEventListener("pointerup", ({ clientX, shiftKey }) => {
      const bar = barAt(this.bars, this.beatAt(clientX));
      const last = this.bars.indexOf(bar);
      if (first === null || first < 0) return;
      if (last === first) take(first, shiftKey);
      else this.selection.setLoop(barsAround(this.bars, this.bars[Math.min(first, last)].onset, this.bars[Math.max(first, last)].onset + 1e-3));
      first = null;
    });
    ruler.addEventListener("keydown", (event) => {
      const index = indexOf(event.target);
      if (event.key === "Enter" || event.key === " ") take(index, event.shiftKey);
      else if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.#step(index, event.key === "ArrowLeft" ? -1 : 1, event.shiftKey && take);
      else return;
      event.preventDefault();
    });
  }

  #step(index, step, take) {
    const marks = this.parts.ruler.children;
    const next = Math.min(marks.length - 1, Math.max(0, index + step));
    marks[index].tabIndex = -1;
    marks[next].tabIndex = 0;
    marks[next].focus();
    this.reveal(this.bars[next].onset, this.bars[next].length);
    if (take) take(next, true);
  }
}
