/**
 * The scheduler: places on the audio clock, ahead of time, what its sources want to sound.
 *
 * A source answers `events(from, to)` (audio seconds) with what overlaps that stretch: {key, at, until, part, pitches,
 * velocity}. At each wake-up the wishes are compared with what is placed: new events are placed, vanished ones
 * cancelled (or released if they sound), moved ends moved. Wake-ups may be as late as the horizon is long
 * without any sound moving. The scheduler knows no tempo, no chords and no timer; `sync` is its clock.
 */
export const HORIZON = 0.35; // seconds
const LATE = 0.03; // an event that should have begun this long ago still begins, at once

export class Scheduler {
  /** `play(part, pitch, velocity, at)` -> a note with release, hold and cancel, or null. */
  constructor(play, horizon = HORIZON) {
    this.play = play;
    this.horizon = horizon;
    this.placed = new Map(); // source -> Map(key -> {event, notes, released})
    this.late = 0;
  }

  add(source) {
    this.placed.set(source, new Map());
  }

  /** Stops asking a source and ends what it has sounding. */
  remove(source, now) {
    for (const entry of this.placed.get(source)?.values() ?? []) withdraw(entry, now);
    this.placed.delete(source);
  }

  /** After a silence from outside: what has not begun is placed again at the next wake-up. */
  forget(now) {
    for (const placed of this.placed.values())
      for (const [key, { event }] of placed) if (event.at > now) placed.delete(key);
  }

  /** Brings what is placed in line with what is wanted from `now` to the horizon. */
  sync(now) {
    for (const [source, placed] of this.placed) {
      const wanted = new Map(source.events(now, now + this.horizon).map((event) => [event.key, event]));
      for (const [key, entry] of placed) this.#revise(placed, key, entry, wanted.get(key), now);
      for (const [key, event] of wanted) if (!placed.has(key)) this.#place(placed, key, event, now);
    }
  }

  #place(placed, key, event, now) {
    if (event.at < now - LATE || event.at > now + this.horizon) return;
    if (event.at < now) this.late += 1;
    const at = Math.max(event.at, now);
    const notes = event.pitches.map((pitch) => this.play(event.part, pitch, event.velocity, at)).filter(Boolean);
    const entry = { event: { ...event, until: Infinity }, notes };
    placed.set(key, entry);
    this.#moveEnd(entry, event.until, now);
  }

  #revise(placed, key, entry, wish, now) {
    const begun = entry.event.at <= now;
    if (wish && (begun || Math.abs(wish.at - entry.event.at) < 1e-4)) {
      this.#moveEnd(entry, wish.until, now);
      return;
    }
    if (entry.event.until > now) withdraw(entry, now);
    placed.delete(key); // one that was only moved is placed again where it now belongs
  }

  /** A release inside the horizon is placed, one beyond it waits for a later wake-up. */
  #moveEnd(entry, until, now) {
    const { event, notes } = entry;
    if (Math.abs(until - event.until) < 1e-4 || event.until <= now) return;
    if (until <= now + this.horizon) {
      event.until = until;
      for (const note of notes) note.release(Math.max(until, now));
    } else if (event.until < Infinity) {
      event.until = Infinity;
      for (const note of notes) note.hold();
    }
  }
}

function withdraw({ event, notes }, now) {
  for (const note of notes) {
    if (event.at > now) note.cancel();
    else note.release(now);
  }
}
