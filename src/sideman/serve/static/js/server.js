/**
 * The server's plain routes for a jam: models, options, takes. Every failure is an Error whose message is one clear line.
 */
const token = new URLSearchParams(location.search).get("token");

// What helps a player where the server's hint is for programs.
const HINTS = { unauthorized: "Open the address that sideman jam has printed: the token is part of it." };

/** An error of the server in one line. */
export function lineOf({ code, message, hint }) {
  return [message, HINTS[code] ?? hint].filter(Boolean).join(" ");
}

/** A path of this server as a WebSocket address. */
export function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (token) url.searchParams.set("token", token);
  return url.href;
}

/** The models that can play along: {name, part}, those that play chords first. */
export async function jamModels() {
  const { models } = await (await ask("/v1/models")).json();
  const online = models.filter(({ kind }) => kind === "online");
  return [...online.filter(({ part }) => part === "chord"), ...online.filter(({ part }) => part === "melody")];
}

/** Other harmonisations of a take's melody. */
export async function otherHarmonisations(take, n = 5) {
  const notes = take.notes.map(({ onset, duration, pitch }) => ({ onset, duration, pitch }));
  const body = { melody: { notes, meter: take.meter, tempo: take.tempo }, n, seed: Math.floor(Math.random() * 2 ** 31) };
  return (await (await ask("/v1/options", body)).json()).options;
}

export const FILE_KINDS = {
  midi: { label: "MIDI", accept: "audio/midi", ending: "mid" },
  musicxml: { label: "MusicXML", accept: "application/vnd.recordare.musicxml+xml", ending: "musicxml" },
  json: { label: "JSON", accept: "application/json", ending: "json" },
  log: { label: "Jam log", ending: "jsonl" }, // for sideman jam --replay
};

/** A take as a file: a Blob. */
export async function takeFile(take, kind) {
  if (kind === "log") return jamLog(take.session);
  const { title, tempo, meter } = take;
  const tempos = take.tempos.slice(1).map(({ beat, tempo: bpm }) => ({ onset: beat, tempo: bpm }));
  const notes = take.notes.map(({ onset, duration, pitch, velocity }) => ({ onset, duration, pitch, velocity }));
  const chords = take.chords.map(({ onset, duration, symbol, pitches }) => ({ onset, duration, symbol, pitches }));
  const answer = await ask("/v1/takes", { title, tempo, tempos, meter, notes, chords }, { accept: FILE_KINDS[kind].accept });
  return answer.blob();
}

async function jamLog(session) {
  try {
    return await (await ask(`/v1/jam/${session}/log`)).blob();
  } catch (error) {
    if (error.status !== 404) throw error;
    throw new Error("The server has forgotten this jam. Started with --log FOLDER it keeps every log there.");
  }
}

/** The server's answer to a GET, or to a POST of a body (a form as it is, anything else as JSON). What it refuses is an Error with its `status` and `code`. */
export async function ask(path, body = null, { accept = "application/json", signal = null } = {}) {
  const headers = { Accept: accept };
  if (token) headers.Authorization = `Bearer ${token}`;
  const form = body instanceof FormData;
  if (body && !form) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method: body ? "POST" : "GET", headers, signal, body: form ? body : body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached. Start it again with: sideman jam");
  }
  if (!answer.ok) throw await complaint(answer);
  return answer;
}

async function complaint(answer) {
  const { status } = answer;
  try {
    const { error } = await answer.json();
    return Object.assign(new Error(lineOf(error)), { status, code: error.code });
  } catch {
    return Object.assign(new Error(`The server refused (${status}).`), { status });
  }
}
