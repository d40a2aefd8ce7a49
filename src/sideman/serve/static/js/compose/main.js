/**
 * Puts the compose page together: what is asked for, the studio, the engraver, the player, the views.
 */
import { button, save, whileBusy } from "../view/elements.js";
import "../view/tabs.js";
import { entryAt, startOf } from "./cursor.js";
import { Engraver } from "./engraver.js";
import { FormView } from "./form-view.js";
import { PiecesView } from "./pieces-view.js";
import { Player } from "./player.js";
import { FILES, engravedPage, playable, scoreFile, sheetModels } from "./routes.js";
import { SheetView } from "./sheet-view.js";
import { split, wholeLines } from "./sheet-text.js";
import { StatusView } from "./status-view.js";
import { Studio } from "./studio.js";
import { TextView } from "./text-view.js";
import { Wishes } from "./wishes.js";

const MORE = 8; // bars offered beyond a whole piece
const byId = (id) => document.getElementById(id);

const wishes = new Wishes();
const studio = new Studio(wishes);
const player = new Player(wishes);
const sheet = new SheetView(byId("sheet"));
const engraver = new Engraver(setWidth);
const form = new FormView(document, wishes);
const text = new TextView({ area: byId("abc"), error: byId("abc-error"), back: byId("abc-back") }, studio);
const files = Object.entries(FILES).map(([kind, { label, engraved = false }]) => {
  const control = button(label, () => whileBusy(control, () => download(kind)), `Download ${label}`);
  Object.assign(control.dataset, { file: kind, engraved });
  return control;
});
byId("files").append(...files);
new PiecesView(byId("pieces"), byId("pieces-empty"), studio, async (piece) => {
  studio.open(piece);
  await listen();
});
new StatusView(
  {
    write: byId("write"), phase: byId("phase"), progress: byId("progress"), notice: byId("notice"), listen: byId("listen"),
    title: byId("score-title"), facts: byId("facts"), goOn: byId("go-on"), files,
    hint: byId("hint"), noEngraver: byId("no-engraver"), noEngraverWhy: byId("no-engraver-why"),
  },
  { studio, player, engraver },
);

byId("write").addEventListener("click", () => (studio.draft ? studio.stop() : studio.write()));
byId("listen").addEventListener("click", () => listen());
sheet.addEventListener("play", () => listen());

/** The server's account of how the open piece sounds and where that stands; asked once for each text and width. */
let heard = { abc: null, width: null, score: null };

async function account({ abc }) {
  const width = engraver.drawnWidth ?? setWidth();
  if (heard.abc !== abc || heard.width !== width) heard = { abc, width, score: await playable(abc, width) };
  return heard.score;
}

/** Plays the open piece from the chosen bar, or stops. */
async function listen() {
  const { piece } = studio;
  if (player.source || !piece) return player.stop();
  byId("listen").setAttribute("aria-busy", "true");
  try {
    const score = await account(piece);
    const from = sheet.chosen === null ? 0 : startOf(score.cursor, sheet.chosen);
    if (await player.play(score, from)) studio.clear("sound");
    else studio.tell("The browser holds the sound back. Press Play again.", "sound");
  } catch (error) {
    studio.tell(error.message, "sound");
  } finally {
    byId("listen").removeAttribute("aria-busy");
  }
}

async function download(kind) {
  const { abc, title } = studio.piece;
  try {
    if (kind === "svg") await saveDrawings(abc, title);
    else save(await scoreFile(abc, kind), title, FILES[kind].ending);
    studio.clear("file");
  } catch (error) {
    studio.tell(error.message, "file");
  }
}

/** SVG knows no pages: a file each. */
async function saveDrawings(abc, title) {
  for (let page = 1, last = 1; page <= last; page += 1) {
    const { svg, pages } = await engravedPage(abc, page);
    last = pages;
    save(new Blob([svg], { type: "image/svg+xml" }), pages > 1 ? `${title} ${page}` : title, "svg");
  }
}

studio.addEventListener("text", ({ detail }) => {
  player.stop();
  if (detail.replaced) {
    text.complain(null);
    sheet.choose(null);
    if (studio.draft) engraver.clear();
  }
  const { draft } = studio;
  const whole = draft ? wholeLines(draft.text) : studio.text;
  if (draft ? split(whole).bars.length > 0 : whole.trim() !== "") engraver.draw(whole, draft !== null);
  else {
    engraver.clear();
    sheet.clear();
  }
});

engraver.addEventListener("drawn", ({ detail: { pages, from, abc, growing } }) => {
  if (growing !== (studio.draft !== null) || (!growing && abc !== studio.text)) return; // what it belongs to is gone
  text.complain(null);
  sheet.replace(pages, from);
  if (growing) sheet.toEnd();
  else offerGoOn();
});
engraver.addEventListener("failed", ({ detail: { error, growing } }) => {
  if (engraver.missing) sheet.clear();
  else if (!growing) text.complain(error.message); // half a piece may be unreadable
});

const [keep, more] = [byId("keep"), byId("more")];

/** Offers to keep up to the chosen bar and make up for the rest, or to keep all and add some. Bars are called what is
 * written over them: a pickup is none. */
function offerGoOn() {
  if (studio.draft) return;
  const { first } = sheet;
  const bars = Math.max(1, split(studio.text).bars.length || sheet.bars.length);
  const kept = sheet.chosen === null ? bars : sheet.chosen + 1;
  Object.assign(keep, { min: first, max: bars - 1 + first, value: kept - 1 + first });
  more.value = kept < bars ? bars - kept : MORE;
}
sheet.addEventListener("choose", offerGoOn);
studio.addEventListener("change", offerGoOn);
byId("go-on").addEventListener("submit", (event) => {
  event.preventDefault();
  const kept = Number(keep.value) + 1 - sheet.first;
  studio.goOn(kept, kept + Number(more.value));
});

/** CSS pixels a page of the score is set for: notes grow with the letters of the page. */
function setWidth() {
  const letters = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  return Math.round(Math.min(4000, Math.max(300, byId("sheet").clientWidth / letters)));
}

new ResizeObserver(() => {
  const { drawnWidth } = engraver;
  if (drawnWidth === null || Math.abs(setWidth() - drawnWidth) < 0.1 * drawnWidth) return; // it is scaled
  player.stop();
  if (!studio.draft && studio.text) engraver.draw(studio.text);
}).observe(byId("sheet"));

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let drawing = false;

function draw() {
  drawing = player.source !== null;
  if (!drawing) {
    sheet.rest();
    byId("bar").textContent = "";
    return;
  }
  const second = player.position;
  const { cursor } = player.score;
  const bar = cursor[Math.max(0, entryAt(cursor, second))]?.bar ?? 0;
  const number = bar + sheet.first;
  byId("bar").textContent = number > 0 ? `Bar ${number} of ${keep.max}` : "Pickup";
  sheet.draw(player.score, Math.max(0, second), calm.matches);
  requestAnimationFrame(draw);
}
player.addEventListener("change", () => {
  if (!drawing) draw();
});

async function offerModels() {
  try {
    form.know(await sheetModels());
    if (form.models.length === 0) studio.tell("No model that writes sheet music is there. sideman models list says what is.", "server");
  } catch (error) {
    studio.tell(error.message, "server");
  }
}

const newest = studio.pieces.list()[0];
if (newest) studio.open(newest);
offerModels();

window.sideman = { studio, player, settings: wishes, sheet, engraver };
