/**
 * What is coming: blocks that fall onto their keys, symbols down the side; what is promised solid, what is likely faint.
 */
import { strikesOf } from "../jam/chord-source.js";
import { barBeats, position, pulseBeats } from "../music/metre.js";
import { pretty } from "../music/symbols.js";
import { Surface } from "./surface.js";

const FAINT = 0.38;
const NARROW = 640; // CSS pixels

export class FallingView {
  constructor(canvas, palette) {
    this.surface = new Surface(canvas);
    this.palette = palette;
    this.empty = -1; // version of the surface that is known to be clear
  }

  /** `layout` places the keys; `scene` is {stage, beat, beats shown, showChords} or null at rest. */
  draw(layout, scene) {
    const { context, width, height, version } = this.surface;
    if (!scene && this.empty === version) return;
    context.clearRect(0, 0, width, height);
    this.empty = scene ? -1 : version;
    if (!scene) return;
    this.#lanes(layout);
    const y = (beat) => height - ((beat - scene.beat) / scene.beats) * height;
    this.#bars(scene, y);
    if (scene.stage.melody) this.#melody(layout, scene, y);
    if (scene.beat < 0) this.#count(scene);
    if (!scene.showChords) return;
    const chords = scene.stage.plan.between(scene.beat, scene.beat + scene.beats);
    for (const chord of chords) this.#blocks(layout, scene, chord, scene.stage.plan, y);
    const { lead } = scene.stage;
    for (const note of lead?.between(scene.beat, scene.beat + scene.beats) ?? []) this.#blocks(layout, scene, note, lead, y);
    let below = Infinity; // labels may not run into each other
    for (const chord of chords) below = this.#symbol(scene, chord, y, below);
  }

  #lanes(layout) {
    const { context, height } = this.surface;
    context.fillStyle = this.palette.get("line");
    for (let pitch = layout.low; pitch <= layout.high; pitch += 1)
      if (pitch % 12 === 0) context.fillRect(Math.round(layout.key(pitch).x), 0, 1, height);
  }

  /** The count-in, large: which pulse of the bar it is. */
  #count({ stage, beat }) {
    const { context, width, height } = this.surface;
    const size = Math.min(0.5 * height, 260);
    context.font = `650 ${size}px ${this.palette.display}`;
    context.fillStyle = this.palette.get("player");
    context.textAlign = "center";
    context.fillText(position(beat, stage.meter).pulse + 1, width / 2, height / 2 + 0.36 * size);
  }

  #bars({ stage, beat, beats }, y) {
    const { context, width } = this.surface;
    const bar = barBeats(stage.meter);
    const pulse = pulseBeats(stage.meter);
    for (let i = Math.ceil(beat / pulse); i * pulse < beat + beats; i += 1) {
      const onBar = Math.abs((i * pulse) / bar - Math.round((i * pulse) / bar)) < 1e-6;
      context.globalAlpha = onBar ? 1 : 0.45;
      context.fillStyle = this.palette.get("line");
      context.fillRect(0, Math.round(y(i * pulse)), width, onBar ? 2 : 1);
    }
    context.globalAlpha = 1;
  }

  #blocks(layout, { stage, beat }, chord, { committedUntil }, y) {
    for (const strike of strikesOf(chord, stage.meter)) {
      if (strike.end < beat) continue;
      // A chord may be promised only in part: the promise ends where it ends.
      const split = Math.min(strike.end, Math.max(strike.onset, committedUntil));
      for (const pitch of new Set(strike.pitches.map((each) => layout.shown(each)))) {
        this.#block(layout, pitch, y(split), y(strike.onset), "band", 1);
        this.#block(layout, pitch, y(strike.end), y(split), "band", FAINT);
      }
    }
  }

  #melody(layout, { stage, beat, beats }, y) {
    for (const note of stage.melody.notes) {
      if (note.onset > beat + beats || note.onset + note.duration < beat) continue;
      this.#block(layout, note.pitch, y(note.onset + note.duration), y(note.onset), "player", 1);
    }
  }

  #block(layout, pitch, top, bottom, colour, alpha) {
    if (bottom - top < 1) return;
    const { context, height } = this.surface;
    const { x, width } = layout.key(pitch);
    const inset = width > 12 ? 1.5 : 0.5;
    context.globalAlpha = alpha;
    context.fillStyle = this.palette.get(colour);
    context.beginPath();
    context.roundRect(x + inset, top + 1, width - 2 * inset, Math.min(bottom, height + 8) - top - 2, Math.min(5, width / 4));
    context.fill();
    context.globalAlpha = 1;
  }

  /** Draws one symbol beside its onset (or at the bottom while it sounds); returns the top of its label. */
  #symbol({ stage, beat }, chord, y, below) {
    const { context, width, height } = this.surface;
    const size = Math.max(20, Math.min(64, width / 34, height / 7));
    const pad = size * 0.32;
    const bottom = Math.min(y(chord.onset), height) - 4;
    const top = bottom - size - 2 * pad + 6;
    if (bottom > below + 1) return below;
    const text = pretty(chord.symbol);
    const promised = chord.onset < stage.plan.committedUntil - 1e-6;
    context.font = `600 ${size}px ${this.palette.display}`;
    const wide = context.measureText(text).width + 2 * pad;
    const left = width < NARROW ? width - 8 - wide : 8; // where the piano has fewest chords
    context.globalAlpha = promised ? 0.94 : 0.8;
    context.fillStyle = this.palette.get("panel");
    context.beginPath();
    context.roundRect(left, top, wide, bottom - top, 8);
    context.fill();
    context.strokeStyle = this.palette.get(promised ? "band" : "line");
    context.lineWidth = 1.5;
    context.stroke();
    context.globalAlpha = 1;
    context.fillStyle = this.palette.get(promised || chord.onset <= beat ? "ink" : "soft");
    context.textAlign = "left";
    context.fillText(text, left + pad, bottom - pad - size * 0.06);
    return top;
  }
}
