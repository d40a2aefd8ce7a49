"""Bodies that work, as the description and the page at /docs show them."""

EXAMPLE = {
    "melody": {
        "notes": [
            {"onset": onset, "duration": 1.0, "pitch": pitch}
            for onset, pitch in enumerate((60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60))
        ],
        "meter": "4/4",
        "tempo": 120,
    },
    "n": 3,
    "keep": [{"onset": 0, "duration": 4, "symbol": "C"}],
}
ALTERNATIVES_EXAMPLE = {
    "melody": EXAMPLE["melody"],
    "chords": [
        {"onset": onset, "duration": 4, "symbol": symbol}
        for onset, symbol in ((0, "C"), (4, "F"), (8, "G7"), (12, "C"))
    ],
    "onset": 4,
    "n": 4,
}
# What curl sends as a form.
FORMS = [
    "-F file=@melody.mid -F n=3",
    '-F file=@melody.musicxml -F \'keep={"onset": 0, "duration": 4, "symbol": "C"}\' '
    "-H 'Accept: audio/midi' -o options.mid",
]

TAKE_EXAMPLE = {
    "title": "First try",
    "tempo": 100,
    "meter": "4/4",
    "notes": [{"onset": 0.0, "duration": 0.9, "pitch": 64, "velocity": 90}],
    "chords": [{"onset": 0.0, "duration": 4.0, "symbol": "C"}],
}
COMPOSE_EXAMPLE = {"bars": 8, "key": "G", "meter": "3/4", "seed": 1}
SCORE_EXAMPLE = {"abc": "X:1\nL:1/4\nM:3/4\nK:G\nG A B|d3|]\n", "format": "svg", "page": 1}
SONG_EXAMPLE = {
    "song": {
        "notes": [{"onset": 0.0, "duration": 4.0, "pitch": 64}],
        "chords": [{"onset": 0.0, "duration": 4.0, "symbol": "Cmaj7"}],
    },
    "format": "musicxml",
}
PLAY_EXAMPLE = {
    "model": "online",
    "notes": [{"on": True, "pitch": 60, "frame": 0}, {"on": False, "pitch": 60, "frame": 14}],
    "chordTokens": [],
    "frame": 16,
    "lookahead": 16,
    "commitahead": 16,
    "silenceTill": 0,
    "temperature": 0.8,
    "introSet": True,
}
