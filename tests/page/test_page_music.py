"""The page's pure music: voicings, rhythms, the clock, the plan, the pace of questions."""

import itertools
import random
from typing import Any

import pytest

QUALITIES = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10), "dim": (0, 3, 6), "sus4": (0, 5, 7), "6": (0, 4, 7, 9), "7b9": (0, 4, 7, 10, 1),
    "9": (0, 4, 7, 10, 2), "5": (0, 7),
}  # fmt: skip
ROOTS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
STYLES = ("close", "open", "drop-2", "shell")

Chord = dict[str, Any]


def chord(root: int, quality: str, bass: int | None = None) -> Chord:
    tones = [(root + interval) % 12 for interval in QUALITIES[quality]]
    return {"symbol": ROOTS[root] + quality, "pitches": [48 + tone for tone in tones], "bass": 36 + (bass or root) % 12}


def voiced(bench: Any, chords: list[Chord], style: str, octave: int = 0) -> list[dict[str, Any]]:
    """Each chord voiced after the one before."""
    script = """async ([chords, style, octave]) => {
      const { voice } = await import("/static/js/music/voicing.js");
      let last = null;
      return chords.map((chord) => (last = voice(chord, style, last, octave)));
    }"""
    found: list[dict[str, Any]] = bench.evaluate(script, [chords, style, octave])
    return found


def progression(seed: int, length: int = 60) -> list[Chord]:
    draw = random.Random(seed)
    return [chord(draw.randrange(12), draw.choice(list(QUALITIES))) for _ in range(length)]


@pytest.mark.parametrize("style", STYLES)
def test_voicings_keep_to_the_chord_and_to_the_hand(bench: Any, style: str) -> None:
    chords = [chord(root, quality) for root, quality in itertools.product(range(12), QUALITIES)]
    for asked, got in zip(chords, voiced(bench, chords, style), strict=True):
        tones = {pitch % 12 for pitch in asked["pitches"]}
        heard = {pitch % 12 for pitch in got["upper"]}
        root = asked["bass"] % 12
        assert heard <= tones, asked
        assert got["bass"] % 12 == root
        assert 28 <= got["bass"] <= 53
        assert all(38 <= pitch <= 76 for pitch in got["upper"]), (asked, got)
        assert got["upper"] == sorted(set(got["upper"]))
        third = {(root + i) % 12 for i in (3, 4)} & tones
        assert third <= heard, f"{asked['symbol']} without its third"
        if {(root + i) % 12 for i in (10, 11)} & tones:
            assert {(root + i) % 12 for i in (10, 11)} & heard, f"{asked['symbol']} without its seventh"


def test_the_styles_are_what_they_are_called(bench: Any) -> None:
    seventh = [chord(0, "maj7")]
    close, drop2, shell, open_ = (
        voiced(bench, seventh, style)[0]["upper"] for style in ("close", "drop-2", "shell", "open")
    )
    assert max(close) - min(close) < 12
    assert 12 < max(drop2) - min(drop2) <= 24
    assert max(open_) - min(open_) > 12
    assert len(shell) == 3
    assert {pitch % 12 for pitch in shell} == {0, 4, 11}


@pytest.mark.parametrize("style", ["close", "open", "drop-2"])
def test_voices_move_little(bench: Any, style: str) -> None:
    found = voiced(bench, progression(1), style)
    moves = []
    for before, after in itertools.pairwise(found):
        nearest = [min(abs(pitch - other) for other in before["upper"]) for pitch in after["upper"]]
        moves.append(sum(nearest) / len(nearest))
    assert sum(moves) / len(moves) < 1.8
    assert max(moves) < 5


def test_the_same_chord_again_stays_where_it_is_and_octaves_shift_all(bench: Any) -> None:
    again = voiced(bench, [chord(2, "m7")] * 3, "close")
    assert again[1]["upper"] == again[2]["upper"]
    low, high = (voiced(bench, [chord(2, "m7")], "close", octave)[0] for octave in (-1, 1))
    assert [pitch + 24 for pitch in low["upper"]] == high["upper"]


@pytest.mark.parametrize("pattern", ["held", "beats", "bassAndChord", "offbeats", "charleston", "arpeggio"])
@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "5/4", "1/4"])
def test_every_rhythm_marks_the_change_and_stays_inside_the_chord(bench: Any, pattern: str, meter: str) -> None:
    script = """async ([pattern, meter, onset, duration]) => {
      const { strikes } = await import("/static/js/music/comping.js");
      const { parseMeter } = await import("/static/js/music/metre.js");
      return strikes({onset, duration}, {bass: 36, upper: [52, 55, 60]}, parseMeter(meter), pattern);
    }"""
    for onset, duration in ((0.0, 4.0), (1.75, 0.25), (2.5, 7.0)):
        rows = bench.evaluate(script, [pattern, meter, onset, duration])
        longer = bench.evaluate(script, [pattern, meter, onset, duration + 2])
        assert rows[0]["onset"] == onset
        assert all(onset <= row["onset"] < row["end"] <= onset + duration + 1e-6 for row in rows)
        onsets = [row["onset"] for row in rows]
        assert onsets == sorted(set(onsets))
        kept = [(row["onset"], row["pitches"]) for row in longer[: len(rows)]]
        assert kept == [(row["onset"], row["pitches"]) for row in rows], "a longer chord keeps its strikes"


def test_beats_and_seconds_agree_through_tempo_changes(bench: Any) -> None:
    script = """async () => {
      const { Timeline } = await import("/static/js/music/timeline.js");
      const line = new Timeline(10, 120);
      const before = line.time(-2);
      line.change(60, 11);
      line.change(240, 13);
      line.change(30, 12);          // a change of mind: the one planned for 13 is forgotten
      const beats = Array.from({ length: 400 }, (_, i) => i / 16 - 4);
      return { before, error: Math.max(...beats.map((b) => Math.abs(line.beat(line.time(b)) - b))),
               at: [11, 12, 14].map((t) => line.beat(t)) };
    }"""
    found = bench.evaluate(script)
    assert found["before"] == 9
    assert found["error"] < 1e-9
    assert found["at"] == pytest.approx([2, 3, 4])


def test_a_tempo_changed_in_the_count_in_moves_beat_0_and_nothing_jumps(bench: Any) -> None:
    script = """async () => {
      const { Timeline } = await import("/static/js/music/timeline.js");
      const line = new Timeline(10, 60);
      line.change(120, 8);
      const map = [{ beat: 0, tempo: 60 }, { beat: 4, tempo: 120 }, { beat: 6, tempo: 30 }];
      const whole = Timeline.of(5, map);
      return { now: line.beat(8), zero: line.time(0), whole: [0, 4, 6, 7].map((beat) => whole.time(beat)) };
    }"""
    found = bench.evaluate(script)
    assert (found["now"], found["zero"]) == (-2, 9)
    assert found["whole"] == [5, 9, 10, 12]


JAM = """async () => {
  const { Jam } = await import("/static/js/jam/jam.js");
  const { WebSocket } = globalThis;
  const sockets = [];
  let clock = 0;
  performance.now = () => clock;
  globalThis.WebSocket = class {
    sent = [];
    constructor() { sockets.push(this); }
    send(text) { this.sent.push(JSON.parse(text)); }
    close() {}
  };
  const jam = new Jam({ url: "ws://nowhere/", choices: () => ({ listen: 0, tempo: 120 }), dress: () => null, seed: 1 });
  const say = (message) => sockets.at(-1).onmessage({ data: JSON.stringify(message) });
  try {
    jam.open();
    STEPS
  } finally {
    jam.connection.close();
    globalThis.WebSocket = WebSocket;
    delete performance.now;
  }
}"""


def test_a_slow_tempo_is_no_dead_server(bench: Any) -> None:
    steps = """
    const states = [];
    sockets[0].onopen();
    say({ type: "started", session: "s", resumed: false, model: "m" });
    for (let beat = 0; beat < 4; beat += 1) {
      jam.step(beat, beat);                    // asks
      clock += beat < 3 ? 4000 : 6000;         // the last answer is long in coming
      jam.step(beat + 0.1, beat + 0.1);
      states.push(jam.connection.state);
      if (beat < 3) say({ type: "late", request: beat + 1 });
      clock += 60_000;                         // a beat a minute
    }
    return states;"""
    assert bench.evaluate(JAM.replace("STEPS", steps)) == ["open", "open", "open", "lost"]


def test_who_was_turned_down_asks_again_with_other_settings(bench: Any) -> None:
    steps = """
    sockets[0].onopen();
    say({ type: "error", code: "unknown_model", message: "There is no model 'x'.", hint: "", fatal: false });
    jam.set("temperature");
    const asked = sockets[0].sent.map(({ type }) => type);
    say({ type: "started", session: "s", resumed: false, model: "m" });
    jam.set("model");
    return [asked, sockets[0].sent.slice(2).map(({ type }) => type)];"""
    assert bench.evaluate(JAM.replace("STEPS", steps)) == [["start", "start"], ["set"]]


def test_no_jam_is_too_long_to_be_taken_up_again(bench: Any) -> None:
    steps = """
    for (let beat = 0; beat < 4000; beat += 1) {
      jam.performance.noteOn(60, 80, beat);
      jam.performance.noteOff(60, beat + 0.5);
    }
    const chords = Array.from({ length: 1000 }, (_, i) =>
      ({ onset: 4 * i, duration: 4, symbol: i % 2 ? "C" : "F", pitches: [], bass: null, struck: true }));
    jam.plan.apply({ frame: 0, frames: 16000, committed: 16000, chords });
    jam.step(4000, 4000);
    sockets[0].onopen();
    return sockets[0].sent[0].history;"""
    history = bench.evaluate(JAM.replace("STEPS", steps))
    for part in ("notes", "chords"):
        assert 4000 - 140 < history[part][0]["onset"] < 4000 - 64, "more than the window of the network, and no more"
        assert history[part][-1]["onset"] > 4000 - 5


def run_plan(bench: Any, steps: str) -> Any:
    script = """async () => {
      const { Plan } = await import("/static/js/jam/plan.js");
      const plan = new Plan((chord) => chord.symbol);
      const c = (onset, duration, symbol, struck = true) =>
        ({onset, duration, symbol, pitches: [], bass: null, struck});
      const flat = () => plan.chords.map((x) => [x.onset, x.duration, x.symbol]);
      STEPS
    }"""
    return bench.evaluate(script.replace("STEPS", steps))


def test_a_plan_replaces_what_is_to_come_and_never_what_has_begun(bench: Any) -> None:
    rows = run_plan(
        bench,
        """
      plan.apply({frame: 0, frames: 16, committed: 8, chords: [c(0, 2, "C"), c(2, 2, "F")]});
      const first = flat();
      plan.apply({frame: 4, frames: 16, committed: 8, chords: [c(1, 1, "C", false), c(2, 3, "G")]}, 1);
      const second = flat();
      plan.apply({frame: 4, frames: 8, committed: 0, chords: [c(1, 2, "D")]}, 2.3);   // came much too late
      return [first, second, flat(), plan.plannedUntil, plan.between(0.5, 1.5).length, plan.after(0)?.symbol];
    """,
    )
    assert rows[0] == [[0, 2, "C"], [2, 2, "F"]]
    assert rows[1] == [[0, 2, "C"], [2, 3, "G"]]
    assert rows[2] == [[0, 2, "C"], [2, 0.5, "G"], [2.5, 0.5, "D"]]
    assert rows[3:] == [3, 1, "G"]


def test_where_no_plan_comes_the_last_chord_goes_on_for_a_while(bench: Any) -> None:
    rows = run_plan(
        bench,
        """
      plan.apply({frame: 0, frames: 16, committed: 8, chords: [c(0, 2, "C"), c(2, 2, "F")]});
      plan.prolong(3.9);
      const early = flat();
      plan.prolong(5);
      plan.prolong(5.6);
      const held = flat();
      plan.apply({frame: 20, frames: 4, committed: 0, chords: [c(5, 1, "G")]}, 5.1);
      const next = flat();
      plan.prolong(99);
      const longest = flat().at(-1);
      plan.apply({frame: 56, frames: 8, committed: 0, chords: [c(14, 1, "D")]});
      plan.prolong(17);      // the plan ends in silence
      return [early, held, next, longest, flat().at(-1)];
    """,
    )
    assert rows[0] == [[0, 2, "C"], [2, 2, "F"]]
    assert rows[1] == [[0, 2, "C"], [2, pytest.approx(3.6), "F"]]
    assert rows[2] == [[0, 2, "C"], [2, 3.25, "F"], [5.25, 0.75, "G"]]
    assert rows[3] == [5.25, 8.75, "G"]
    assert rows[4] == [14, 1, "D"]


def test_a_repeated_chord_is_struck_again_only_when_the_plan_says_so(bench: Any) -> None:
    rows = run_plan(
        bench,
        """
      plan.apply({frame: 0, frames: 8, committed: 8, chords: [c(0, 2, "C")]});
      plan.apply({frame: 8, frames: 8, committed: 8, chords: [c(2, 2, "C", true)]});
      const struck = flat();
      plan.apply({frame: 16, frames: 8, committed: 8, chords: [c(4, 2, "C", false)]});
      return [struck, flat()];
    """,
    )
    assert rows[0] == [[0, 2, "C"], [2, 2, "C"]]
    assert rows[1] == [[0, 2, "C"], [2, 4, "C"]]


def test_questions_keep_their_pace(bench: Any) -> None:
    script = """async () => {
      const { Pacing } = await import("/static/js/jam/pacing.js");
      const pace = new Pacing();
      const asked = [];
      for (let i = 0; i < 400; i += 1) {           // 4 beats in steps of a 100th beat, no answers, news from beat 2 on
        const beat = i / 100;
        if (beat >= 1 && beat < 1.005) pace.answered(pace.request, beat);
        if (pace.due(beat, beat >= 2, 0)) asked.push([pace.ask(beat, 0), beat]);
        if (beat >= 3) pace.answered(pace.request, beat);
      }
      return asked;
    }"""
    asked = bench.evaluate(script)
    assert [request for request, _ in asked] == list(range(1, len(asked) + 1))
    beats = [beat for _, beat in asked]
    assert beats[:3] == [0, 1, 2], "once a beat without news"
    assert len([beat for beat in beats if 2 < beat < 3]) == 0, "two are open: no third"
    assert [beat for beat in beats if beat > 3] == pytest.approx([3.01, 3.25, 3.5, 3.75], abs=0.02), (
        "a frame with news asks"
    )


def test_symbols_are_readable(bench: Any) -> None:
    script = """async (names) => {
      const { pretty, spoken } = await import("/static/js/music/symbols.js");
      return names.map((name) => [pretty(name), spoken(name)]);
    }"""
    names = ["C", "Bbm7b5/Ab", "F#dim7", "Gmaj7", "C6/9", "N.C.", "Ebsus4", "Dm"]
    shown = bench.evaluate(script, names)
    assert [row[0] for row in shown] == ["C", "B♭m7♭5/A♭", "F♯°7", "Gmaj7", "C6/9", "N.C.", "E♭sus4", "Dm"]
    assert shown[7][1] == "D minor"
    assert shown[1][1] == "B flat minor 7 flat 5 over A flat"
