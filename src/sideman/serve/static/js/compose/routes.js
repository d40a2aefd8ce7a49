/**
 * The server's routes for sheet music. Every failure is an Error whose message is one clear line.
 */
import { ask, lineOf } from "../server.js";

export const BROKEN = "The connection broke off. What was written until then is kept.";

export const FILES = {
  pdf: { label: "PDF", ending: "pdf", engraved: true },
  musicxml: { label: "MusicXML", ending: "musicxml" },
  midi: { label: "MIDI", ending: "mid" },
  wav: { label: "WAV", ending: "wav" },
  mp3: { label: "MP3", ending: "mp3" },
  abc: { label: "ABC", ending: "abc" },
  svg: { label: "SVG", ending: "svg", engraved: true },
};

/** The models that write: [{name, default, prompts: [{period, composer, instrumentation}]}]. */
export async function sheetModels() {
  return (await (await ask("/v1/compose/models")).json()).models;
}

/** The events of a piece being written, as they come; ends early with the signal. */
export async function* composing(request, signal) {
  const answer = await ask("/v1/compose", request, { accept: "application/x-ndjson", signal });
  for await (const line of lines(answer.body.pipeThrough(new TextDecoderStream()).getReader())) {
    const event = JSON.parse(line);
    if (event.type === "error") throw new Error(lineOf(event.error));
    yield event;
  }
}

async function* lines(reader) {
  let text = "";
  for (;;) {
    const { value, done } = await read(reader);
    if (done) return;
    text += value;
    const parts = text.split("\n");
    text = parts.pop();
    yield* parts.filter(Boolean);
  }
}

async function read(reader) {
  try {
    return await reader.read();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(BROKEN);
  }
}

/** A piece as a file: a Blob. */
export async function scoreFile(abc, format) {
  return (await score(abc, format)).blob();
}

/** A piece as interleaved ABC, one line a bar. */
export async function interleaved(abc) {
  return (await score(abc, "abc")).text();
}

/** What sounds when, and where on pages of that width: {title, seconds, pages, parts, notes, cursor}. */
export async function playable(abc, width) {
  return (await score(abc, "play", { width })).json();
}

/** One page as SVG text, and how many there are. `width`: how many CSS pixels wide it is set; null: a sheet of paper. */
export async function engravedPage(abc, page, width = null, signal = null) {
  const answer = await score(abc, "svg", { page, ...(width && { width }) }, signal);
  return { svg: await answer.text(), pages: Number(answer.headers.get("X-Pages")) || 1 };
}

const score = (abc, format, more = {}, signal = null) => ask("/v1/score", { abc, format, ...more }, { accept: "*/*", signal });
