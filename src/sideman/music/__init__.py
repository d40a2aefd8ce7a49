"""What music is made of: pitches, chords, notes, songs, metre, frames and vocabularies (numpy only)."""
