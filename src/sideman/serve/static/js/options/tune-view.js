/**
 * The head of the timeline: which melody, its tempo and metre, where melodies come from (examples, the last take, a file, keys).
 */
import { Takes } from "../jam/takes.js";
import { METRES } from "../compose/wishes.js";
import { barsOf } from "./bars.js";
import { EXAMPLES } from "./examples.js";
import { emptyMelody, endOf, inMetre, nameOf, ofTake } from "./melody.js";

const [OWN, TAKE] = ["own", "take"];

export class TuneView {
  /** `parts`: title, facts, melodies, open, file, tempo, meter. */
  constructor(parts, { desk, adviser, player }) {
    Object.assign(this, { parts, desk, adviser, player });
    this.takes = new Takes();
    parts.melodies.addEventListener("change", () => this.#choose(parts.melodies.value));
    parts.open.addEventListener("click", () => parts.file.click());
    parts.file.addEventListener("change", () => {
      const [file] = parts.file.files;
      parts.file.value = "";
      if (file) this.adviser.open(file);
    });
    parts.tempo.addEventListener("change", () => this.#setTempo(Number(parts.tempo.value)));
    parts.meter.addEventListener("change", () => desk.rewrite(inMetre(parts.meter.value, desk.doc.melody.pickup)));
    this.takes.addEventListener("change", () => this.#offer());
    desk.addEventListener("change", () => this.draw());
    this.#dropping();
    this.#offer();
    this.draw();
  }

  draw() {
    const { melody } = this.desk.doc;
    const { title, facts, tempo, meter } = this.parts;
    title.textContent = melody.title || (melody.notes.length > 0 ? "Your melody" : "Draw a melody");
    facts.textContent = this.#facts(melody);
    tempo.value = Math.round(melody.tempo);
    const known = METRES.includes(melody.meter) ? METRES : [...METRES, melody.meter];
    if (known.length !== meter.options.length || meter.value !== melody.meter)
      meter.replaceChildren(...known.map((each) => new Option(each, each, false, each === melody.meter)));
  }

  #facts({ notes, meter_changes: changes = [], key, pickup, ...melody }) {
    if (notes.length === 0) return "Click into the grid, play it in, or drop a file";
    const bars = barsOf({ ...melody, pickup, meter_changes: changes }, endOf(notes)).filter(({ number }) => number > 0).length;
    const pitches = notes.map(({ pitch }) => pitch);
    const range = `${nameOf(Math.min(...pitches))}–${nameOf(Math.max(...pitches))}`;
    return [key, `${bars} ${bars === 1 ? "bar" : "bars"}`, `${notes.length} ${notes.length === 1 ? "note" : "notes"}`, range].filter(Boolean).join(" · ");
  }

  #setTempo(tempo) {
    if (!(tempo >= 10 && tempo <= 300)) return this.draw();
    this.desk.rewrite({ tempo, tempo_changes: [] });
  }

  #offer() {
    const rows = Object.entries(EXAMPLES).map(([name, { title }]) => new Option(title, name));
    const take = this.takes.list()[0];
    const more = take ? [new Option(take.title, TAKE)] : [];
    this.parts.melodies.replaceChildren(new Option("Melodies …", ""), new Option("Draw your own", OWN), ...more, ...rows);
  }

  #choose(name) {
    this.parts.melodies.value = "";
    this.player.stop();
    if (name === OWN) this.desk.begin(emptyMelody());
    else if (name === TAKE) this.desk.begin(ofTake(this.takes.list()[0]));
    else if (name in EXAMPLES) this.desk.begin(emptyMelody(EXAMPLES[name]));
  }

  /** Files may be dropped anywhere. */
  #dropping() {
    const holds = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
    let depth = 0;
    const show = (more) => {
      depth = Math.max(0, depth + more);
      document.body.toggleAttribute("data-dropping", depth > 0);
    };
    addEventListener("dragenter", (event) => holds(event) && show(1));
    addEventListener("dragleave", (event) => holds(event) && show(-1));
    addEventListener("dragover", (event) => holds(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      show(-depth);
      this.adviser.open(event.dataTransfer.files[0]);
    });
  }
}
