"""One player's live session: what was heard, what is promised, and the plan for what comes."""
