/**
 * The instruments by name, and one part's hands on one of them.
 *
 * Called from the main thread only; everything takes the audio time at which it belongs.
 */
import { electricPiano } from "./epiano.js";
import { organ } from "./organ.js";
import { pad } from "./pad.js";
import { pluckedString } from "./pluck.js";

export const INSTRUMENTS = {
  epiano: { label: "Electric piano", play: electricPiano },
  organ: { label: "Organ", play: organ },
  pluck: { label: "Plucked string", play: pluckedString },
  pad: { label: "Pad", play: pad },
  none: { label: "None", play: null },
};

const MOST_VOICES = 48;

/** Plays one part through one mixer channel. */
export class Hands {
  constructor(ctx, channel, name = "epiano") {
    this.ctx = ctx;
    this.channel = channel;
    this.name = name;
    this.voices = new Set();
  }

  /** Starts a note; returns its Voice, or null when the instrument is "none". */
  play(pitch, velocity, at) {
    const { play } = INSTRUMENTS[this.name];
    if (!play) return null;
    this.#forgetEnded();
    const voice = play(this.ctx, this.channel, pitch, velocity, at);
    this.voices.add(voice);
    return voice;
  }

  /** Ends everything, also what has not begun. */
  silence() {
    for (const voice of this.voices) voice.cancel();
    this.voices.clear();
  }

  #forgetEnded() {
    const now = this.ctx.currentTime;
    for (const voice of this.voices) if (voice.endsAt <= now) this.voices.delete(voice);
    for (const voice of this.voices) {
      if (this.voices.size < MOST_VOICES) break;
      voice.cancel();
      this.voices.delete(voice);
    }
  }
}
