/**
 * The drawn piano: its keys, what the player holds, what the accompanist sounds, the letters of the computer keys.
 */
import { PianoLayout, isBlack } from "./piano-layout.js";
import { Surface } from "./surface.js";

const BLACK_HEIGHT = 0.62;

export class KeyboardView {
  constructor(canvas, palette, letterOf) {
    this.surface = new Surface(canvas);
    this.palette = palette;
    this.letterOf = letterOf;
    this.drawn = ""; // what the picture shows, as text
    this.#layOut();
  }

  pitchAt(x, y) {
    const depth = y / this.surface.height;
    const pitch = this.layout.pitchAt(x, depth);
    return pitch === null ? null : { pitch, depth: Math.min(1, isBlack(pitch) ? depth / BLACK_HEIGHT : depth) };
  }

  draw(player, band) {
    if (this.version !== this.surface.version) this.#layOut();
    const { layout } = this;
    const shown = (pitches) => new Set([...pitches].map((pitch) => layout.shown(pitch)));
    const [mine, theirs] = [shown(player), shown(band)];
    if (!this.#differs(mine, theirs)) return;
    const { context, width, height } = this.surface;
    context.clearRect(0, 0, width, height);
    for (let pitch = layout.low; pitch <= layout.high; pitch += 1) if (!isBlack(pitch)) this.#key(pitch, mine, theirs);
    for (let pitch = layout.low; pitch <= layout.high; pitch += 1) if (isBlack(pitch)) this.#key(pitch, mine, theirs);
  }

  /** Whether another picture is due: a piano that nobody plays must cost nothing. */
  #differs(mine, theirs) {
    const letters = this.layout.whites.map(this.letterOf);
    const due = [this.version, this.palette.version, [...mine].sort(), [...theirs].sort(), letters].join(";");
    const differs = due !== this.drawn;
    this.drawn = due;
    return differs;
  }

  #layOut() {
    this.version = this.surface.version;
    this.layout = new PianoLayout(this.surface.width);
  }

  #key(pitch, mine, theirs) {
    const { context, height } = this.surface;
    const { x, width, black } = this.layout.key(pitch);
    const tall = black ? height * BLACK_HEIGHT : height;
    const colour = mine.has(pitch) ? "player" : theirs.has(pitch) ? "band" : black ? "black-key" : "white-key";
    const gap = black ? 0 : 0.5;
    context.beginPath();
    context.roundRect(x + gap, 0, width - 2 * gap, tall - 1, [0, 0, width * 0.16, width * 0.16]);
    context.fillStyle = this.palette.get(colour);
    context.fill();
    if (!black) {
      context.strokeStyle = this.palette.get("key-line");
      context.lineWidth = 1;
      context.stroke();
    }
    this.#label(pitch, { x, width, tall, black, lit: mine.has(pitch) || theirs.has(pitch) });
  }

  #label(pitch, { x, width, tall, black, lit }) {
    const { context } = this.surface;
    const letter = this.letterOf(pitch);
    const size = Math.min(22, Math.max(9, width * 0.5));
    context.textAlign = "center";
    context.fillStyle = lit ? this.palette.get("ground") : black ? "#d8dade" : "#5c6470";
    if (letter && width > 8) {
      context.font = `600 ${size}px ${this.palette.text}`;
      context.fillText(letter.toUpperCase(), x + width / 2, tall - (black ? 10 : 11 + size));
    }
    if (pitch % 12 === 0) {
      context.font = `${Math.min(18, Math.max(11, 0.8 * size))}px ${this.palette.text}`;
      context.fillText(`C${pitch / 12 - 1}`, x + width / 2, tall - 9);
    }
  }
}
