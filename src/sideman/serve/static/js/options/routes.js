/**
 * The server's routes for options. Every failure is an Error whose message is one clear line.
 */
import { ask } from "../server.js";

export const FILES = {
  midi: { label: "MIDI", ending: "mid" },
  musicxml: { label: "MusicXML", ending: "musicxml" },
  text: { label: "Chart", ending: "txt" },
  ireal: { label: "iReal style", ending: "html" },
  abc: { label: "ABC", ending: "abc" },
};

const plain = ({ onset, duration, symbol }) => ({ onset, duration, symbol });

/** The models that know a whole melody or play along with one: their names. */
export async function chordModels() {
  const { models } = await (await ask("/v1/models")).json();
  return models.filter(({ part }) => part === "chord").map(({ name }) => name);
}

/** Ranked progressions: the whole answer. */
export async function offer(melody, fields, signal = null) {
  return (await ask("/v1/options", { ...fields, melody: question(melody) }, { signal })).json();
}

/** Other chords for the one at a beat. */
export async function alternatives(melody, chords, onset, fields, signal = null) {
  const body = { ...fields, melody: question(melody), chords: chords.map(plain), onset };
  return (await (await ask("/v1/alternatives", body, { signal })).json()).alternatives;
}

/** The song in a file: {song, remarks}. */
export async function readSong(file, signal = null) {
  const form = new FormData();
  form.append("file", file, file.name);
  return (await ask("/v1/songs", form, { signal })).json();
}

/** A melody with chords as a file: a Blob. */
export async function songFile(melody, chords, format, signal = null) {
  const song = { ...question(melody), chords: chords.map(plain) };
  return (await ask("/v1/songs", { song, format }, { accept: "*/*", signal })).blob();
}

/** The melody without the chords it came with. */
function question({ chords, ...melody }) {
  return melody;
}
