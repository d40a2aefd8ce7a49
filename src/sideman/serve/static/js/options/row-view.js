/**
 * One progression: what it is, and its chords where they stand. It knows what it shows; hands are the rows' business.
 */
import { pretty, rootOf } from "../music/symbols.js";
import { button, element } from "../view/elements.js";
import { barAt } from "./bars.js";
import { isKept } from "./keeps.js";
import { place } from "./timeline-view.js";
import { numeral, percent, summary, told } from "./wording.js";

const LETTER = 0.46; // rem that a letter of a small symbol takes, more or less
const fifths = (root) => (root * 7) % 12; // neighbours in the circle of fifths get neighbouring colours

export class RowView {
  /** `hear()`; `grip`: what takes the row out as a file. */
  constructor(row, index, bars, { hear, grip }) {
    Object.assign(this, { row, bars });
    this.item = element("li", "row");
    this.item.dataset.row = index;
    this.play = button("", hear, `Play option ${index + 1}`);
    this.play.className = "round";
    const head = element("div", "row-head");
    const facts = element("p", "row-facts");
    facts.append(this.#score(), this.#harmony());
    head.append(this.play, element("strong", "rank", String(index + 1)), facts, element("p", "why", summary(row)), grip);
    this.track = element("div", "track");
    this.track.setAttribute("role", "listbox");
    this.track.setAttribute("aria-orientation", "horizontal");
    this.track.setAttribute("aria-multiselectable", "true");
    this.track.setAttribute("aria-label", `Option ${index + 1}`);
    this.cells = row.chords.map((chord, i) => this.#cell(chord, i));
    this.track.append(...this.cells);
    this.item.append(head, this.track);
  }

  /** Shows what is kept, chosen ({from, to, at} indices or null), and whether it plays. */
  mark(kept, chosen, playing) {
    this.item.toggleAttribute("data-current", chosen !== null);
    this.play.classList.toggle("on", playing);
    this.cells.forEach((cell, i) => {
      const chord = this.row.chords[i];
      const held = isKept(kept, chord);
      const inside = chosen !== null && i >= chosen.from && i <= chosen.to;
      cell.classList.toggle("kept", held);
      cell.setAttribute("aria-selected", inside);
      cell.setAttribute("aria-label", told(chord, barAt(this.bars, chord.onset), held));
      cell.tabIndex = i === (chosen?.at ?? 0) ? 0 : -1;
    });
  }

  /** Where a beat is so many pixels wide: symbols that have no room stand in two lines, or upright. */
  fit(beat) {
    const letter = LETTER * parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.cells.forEach((cell, i) => {
      const symbol = cell.firstElementChild;
      const { letters, longest } = symbol.dataset;
      const room = (this.row.chords[i].duration * beat - 6) / letter; // but for the edges and the space between two cells
      symbol.classList.toggle("stacked", room < letters && room >= longest);
      symbol.classList.toggle("upright", room < longest);
      symbol.style.setProperty("--letters", room < letters ? longest : letters);
    });
  }

  /** Lights the chord that sounds at a beat; null: none. */
  light(beat) {
    const { chords } = this.row;
    const index = beat === null ? -1 : chords.findLastIndex(({ onset, duration }) => onset <= beat + 1e-6 && beat < onset + duration);
    if (index === this.lit) return;
    this.cells[this.lit]?.classList.remove("sounding");
    this.cells[index]?.classList.add("sounding");
    this.lit = index;
  }

  #score() {
    const score = element("span", "score");
    score.title = "What the score is made of: " + Object.entries(this.row.scores ?? {}).map(([name, value]) => `${name} ${percent(value)}`).join(", ");
    score.append(element("span", "unseen", "Score"), element("b", "", String(Math.round(100 * this.row.score))));
    score.style.setProperty("--share", this.row.score);
    return score;
  }

  #harmony() {
    const fact = element("span", "soft", `${percent(this.row.note_in_chord)} in chord`);
    fact.title = "Share of the melody that is a tone of the chord under it";
    return fact;
  }

  /** The symbol, which may break before its bass; `longest` has the letters of the longer part. */
  #symbol(text) {
    const parts = text.split(/(?=\/)/);
    const symbol = element("span", "symbol");
    symbol.append(...parts.flatMap((part, i) => (i > 0 ? [element("wbr", ""), part] : [part])));
    Object.assign(symbol.dataset, { letters: text.length, longest: Math.max(...parts.map(({ length }) => length)) });
    symbol.style.setProperty("--all", text.length);
    return symbol;
  }

  #cell(chord, index) {
    const cell = place(element("div", "chord"), chord.onset, chord.duration);
    cell.dataset.chord = index;
    cell.setAttribute("role", "option");
    const root = rootOf(chord.symbol);
    if (root !== null) cell.style.setProperty("--hue", 30 * fifths(root) + 25);
    const symbol = this.#symbol(pretty(chord.symbol));
    cell.title = symbol.textContent;
    const lock = element("span", "lock");
    lock.title = "Keep this chord (L); Shift keeps all up to here";
    cell.append(symbol, element("span", "numeral", numeral(chord.numeral)), lock);
    return cell;
  }
}
