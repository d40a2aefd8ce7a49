/**
 * The server's plain routes: models, options, takes. Every failure is an Error whose message is one clear line.
 */
const token = new URLSearchParams(location.search).get("token");

/** A path of this server as a WebSocket address. */
export function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (token) url.searchParams.set("token", token);
  return url.href;
}

/** The models that can play along, by name. */
export async function jamModels() {
  const { models } = await (await ask("/v1/models")).json();
  return models.filter((model) => model.kind === "online").map((model) => model.name);
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
  json: { label: "JSON log", accept: "application/json", ending: "json" },
};

/** A take as a file: a Blob. */
export async function takeFile(take, kind) {
  const { title, tempo, meter } = take;
  const notes = take.notes.map(({ onset, duration, pitch, velocity }) => ({ onset, duration, pitch, velocity }));
  const chords = take.chords.map(({ onset, duration, symbol, pitches }) => ({ onset, duration, symbol, pitches }));
  const answer = await ask("/v1/takes", { title, tempo, meter, notes, chords }, FILE_KINDS[kind].accept);
  return answer.blob();
}

async function ask(path, body = null, accept = "application/json") {
  const headers = { Accept: accept };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The server cannot be reached. Start it again with: sideman jam");
  }
  if (!answer.ok) throw new Error(await complaint(answer));
  return answer;
}

async function complaint(answer) {
  try {
    const { message, hint } = (await answer.json()).error;
    return [message, hint].filter(Boolean).join(" ");
  } catch {
    return `The server refused (${answer.status}).`;
  }
}
