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

  /** A tempo map {beat, tempo}, its first row from beat 0 on. */
  static of(zero, tempos) {
    const line = new Timeline(zero, tempos[0].tempo);
    for (const { beat, tempo } of tempos.slice(1)) line.change(tempo, line.time(beat));
    return line;
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
    const beat = this.beat(from);
    this.pieces = this.pieces.filter((p) => p.time < from - 1e-9);
    // Before beat 0 there is but one tempo, so a change there moves beat 0.
    if (this.pieces.length === 0) this.pieces = [{ beat: 0, time: from - (beat * 60) / tempo, tempo }];
    else this.pieces.push({ beat, time: from, tempo });
  }

  #last(test) {
    return this.pieces.findLast(test) ?? this.pieces[0];
  }
}
