"""Named collections to one cache: fetch, convert, split, pack, statistics."""
