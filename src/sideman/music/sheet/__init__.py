"""Sheet music as text: interleaved ABC, its reduction and completion, transposition, and patches of characters."""
