/**
 * A recorded melody as a source of the scheduler.
 */
export class NoteSource {
  constructor(timeline, notes) {
    this.timeline = timeline;
    this.notes = [...notes].sort((a, b) => a.onset - b.onset);
  }

  events(from, to) {
    const { timeline } = this;
    const [first, last] = [timeline.beat(from), timeline.beat(to)];
    return this.notes
      .filter(({ onset, duration }) => onset + duration > first && onset < last)
      .map((note) => ({
        key: note,
        at: timeline.time(note.onset),
        until: timeline.time(note.onset + note.duration),
        part: "melody",
        pitches: [note.pitch],
        velocity: note.velocity ?? 80,
      }));
  }

  /** Pitches that sound at a beat. */
  at(beat) {
    return this.notes.filter((note) => note.onset <= beat && beat < note.onset + note.duration).map((n) => n.pitch);
  }
}
