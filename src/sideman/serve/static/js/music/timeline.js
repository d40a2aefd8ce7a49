/**
 * The one map between beats and audio seconds: straight pieces, each with its own tempo. Pure.
 *
 * A sound's time is always computed from a piece's origin, so nothing adds up and nothing drifts.
 */
export class Timeline {
  /** Beat 0 falls on audio time `zero`; beats before it (the count-in) run at the same tempo. */
  constructor(zero, tempo) {
    this.pieces = [{ beat: 0, time: zero, tempo }];
  }

  get tempo() {
    return this.pieces.at(-1).tempo;
  }

  /** Audio seconds of a beat. */
  time(beat) {
    const piece = this.#last((p) => p.beat <= beat);
    return piece.time + ((beat - piece.beat) * 60) / piece.tempo;
  }

  /** The beat at audio time `time`. */
  beat(time) {
    const piece = this.#last((p) => p.time <= time);
    return piece.beat + ((time - piece.time) * piece.tempo) / 60;
  }

  /** A new tempo from audio time `from` on; a change planned for later than that is forgotten. */
  change(tempo, from) {
    const at = Math.max(from, this.pieces[0].time);
    const beat = this.beat(at);
    this.pieces = this.pieces.filter((p) => p.time < at - 1e-9);
    this.pieces.push({ beat, time: at, tempo });
  }

  #last(test) {
    return this.pieces.findLast(test) ?? this.pieces[0];
  }
}
