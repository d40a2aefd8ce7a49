"""Files to songs and back: MIDI, MusicXML, ABC, JSON, text charts, pictures."""
