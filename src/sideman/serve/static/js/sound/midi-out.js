/**
 * MIDI output: chords to a synthesizer or DAW, stamped ahead so that the browser and not this page keeps the time.
 *
 * What has been handed over cannot be taken back, so messages leave only shortly before they are due.
 */
const AHEAD = 0.15; // seconds
const SHORTEST_MS = 1;

export class MidiOut {
  constructor(bridge) {
    this.bridge = bridge;
    this.port = null;
    this.channel = 0;
    this.notes = new Set();
  }

  /** Sends to a port (or null) on a channel 1..16 from now on; what sounded on the old one ends. */
  choose(port, channel) {
    if (port === this.port && channel - 1 === this.channel) return;
    this.silence();
    this.port = port;
    this.channel = channel - 1;
  }

  /** A note at audio time `at`; the same hands on it as on a Voice. Null without a port. */
  play(pitch, velocity, at) {
    if (!this.port) return null;
    const note = { pitch, velocity, at, until: Infinity, begun: false, stamp: 0 };
    this.notes.add(note);
    return {
      release: (time) => (note.until = Math.max(time, at)),
      hold: () => (note.until = Infinity),
      cancel: () => (note.begun ? (note.until = at) : this.notes.delete(note)),
    };
  }

  /** Hands over what is due soon. */
  flush(now) {
    for (const note of this.notes) {
      if (!note.begun && note.at <= now + AHEAD) this.#begin(note);
      if (note.begun && note.until <= now + AHEAD) this.#end(note, note.until);
    }
  }

  /** Ends everything at once. */
  silence() {
    for (const note of this.notes) if (note.begun) this.#end(note, note.at);
    this.notes.clear();
    this.#send(0xb0, 123, 0, performance.now());
  }

  #begin(note) {
    // The same key struck again: its old note ends first, or its end would cut off the new one.
    for (const other of this.notes)
      if (other !== note && other.begun && other.pitch === note.pitch) this.#end(other, Math.min(other.until, note.at));
    note.begun = true;
    note.stamp = Math.max(this.bridge.pageAt(note.at), performance.now());
    this.#send(0x90, note.pitch, note.velocity, note.stamp);
  }

  #end(note, at) {
    // The bridge between the clocks moves a little; an end before its beginning would leave the note sounding for good.
    this.#send(0x80, note.pitch, 0, Math.max(this.bridge.pageAt(at), note.stamp + SHORTEST_MS));
    this.notes.delete(note);
  }

  /** At page time `stamp`. */
  #send(status, first, second, stamp) {
    if (this.port?.state !== "connected") return;
    try {
      this.port.send([status | this.channel, first, second], stamp);
    } catch {
      // unplugged between the look and the word; the port list will say so
    }
  }
}
