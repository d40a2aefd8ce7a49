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
    return this.notes
      .map((note, index) => ({
        key: index,
        at: timeline.time(note.onset),
        until: timeline.time(note.onset + note.duration),
        part: "melody",
        pitches: [note.pitch],
        velocity: note.velocity ?? 80,
      }))
      .filter((event) => event.until > from && event.at < to);
  }

  /** Pitches that sound at a beat. */
  at(beat) {
    return this.notes.filter((note) => note.onset <= beat && beat < note.onset + note.duration).map((n) => n.pitch);
  }
}
