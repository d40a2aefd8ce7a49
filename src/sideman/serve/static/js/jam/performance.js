/**
 * What the player has played, in beats: the log that is sent, and the notes that make the take. Pure state.
 */
export class Performance {
  constructor() {
    this.notes = []; // finished and sounding: {onset, duration: beats or null, pitch, velocity}
    this.events = []; // {on, pitch, beat, velocity}, in the order heard; upbeats are before 0
    this.pedals = []; // {down, beat}
    this.held = new Map(); // pitch -> its note
    this.pedalDown = false;
    this.known = -Infinity; // everything before this beat has been told
  }

  noteOn(pitch, velocity, beat) {
    if (this.held.has(pitch)) this.noteOff(pitch, beat);
    const note = { onset: beat, duration: null, pitch, velocity };
    this.notes.push(note);
    this.held.set(pitch, note);
    this.events.push({ on: true, pitch, beat: this.#honest(beat), velocity });
  }

  noteOff(pitch, beat) {
    const note = this.held.get(pitch);
    if (!note) return;
    this.held.delete(pitch);
    note.duration = Math.max(beat - note.onset, 0.05);
    this.events.push({ on: false, pitch, beat: this.#honest(beat), velocity: 0 });
  }

  /** Where the sustain pedal is; half-pedalling says that over and over. */
  pedal(down, beat) {
    if (down === this.pedalDown) return;
    this.pedalDown = down;
    this.pedals.push({ down, beat: this.#honest(beat) });
  }

  /** Ends whatever is held. */
  finish(beat) {
    for (const pitch of [...this.held.keys()]) this.noteOff(pitch, beat);
  }

  /** The notes as plain data; those still held end at `beat`. */
  history(beat) {
    return this.notes.map(({ onset, duration, pitch, velocity }) => ({
      onset,
      duration: duration ?? Math.max(beat - onset, 0.05),
      pitch,
      velocity,
    }));
  }

  /** A message has said that all before `known` was told; a straggler is told as of then. */
  #honest(beat) {
    return Math.max(beat, this.known);
  }
}
