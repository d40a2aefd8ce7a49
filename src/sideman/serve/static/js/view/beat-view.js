/**
 * Bar number and a dot for each pulse of the bar.
 */
import { position, pulses } from "../music/metre.js";

export class BeatView {
  constructor(label, dots) {
    this.label = label;
    this.dots = dots;
    this.shown = "";
  }

  /** At rest shows the metre's dots, none lit. */
  draw(meter, beat = null) {
    const count = pulses(meter).length;
    if (this.dots.children.length !== count)
      this.dots.replaceChildren(...Array.from({ length: count }, () => document.createElement("span")));
    const at = beat === null ? null : position(beat, meter);
    const shown = at ? `${at.bar} ${at.pulse}` : "";
    if (shown === this.shown) return;
    this.shown = shown;
    this.label.textContent = at === null ? "Bar –" : at.bar < 0 ? "Count-in" : `Bar ${at.bar + 1}`;
    [...this.dots.children].forEach((dot, i) => dot.classList.toggle("lit", at?.pulse === i));
  }
}
