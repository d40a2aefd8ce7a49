"""Players who jam at the same time hear what each would hear alone, however many threads plan for them."""

import time

from jamming import START, beats_of, messages, random_chords, random_notes
from msgspec.structs import replace

from sideman.jam.messages import Plan
from sideman.jam.scheduler import Scheduler
from sideman.jam.seat import Seat

PLAYERS, BEATS = 4, 20


def heard(models, players, threads=1):
    """Player -> what every plan promises him, when these players jam together through one scheduler."""
    scheduler = Scheduler(lambda: 0.0, threads)  # nobody is late, however busy this machine is
    told = {player: [] for player in players}
    seats = {}
    for player in players:
        start = replace(
            START, seed=player, lookahead=2.0 + player, listen=float(player), temperature=0.7 + 0.2 * player
        )
        online, offline = models[player % 2], models[2]
        seats[player] = Seat.open(f"p{player}", start, online, offline, scheduler.clock, told[player].append)
        scheduler.join(seats[player])
    scripts = {
        player: list(messages((random_chords if player % 2 else random_notes)(BEATS, player), beats_of(BEATS)))
        for player in players
    }
    for beat in range(BEATS):
        for player in players:
            scheduler.post(seats[player], scripts[player][beat])
        deadline = time.monotonic() + 60
        while any(sum(isinstance(m, Plan) for m in told[player]) <= beat for player in players):
            assert time.monotonic() < deadline
            time.sleep(0.001)
    scheduler.close()
    return {
        player: [(m.frame, m.committed, m.chords, m.notes, m.heard) for m in told[player] if isinstance(m, Plan)]
        for player in players
    }


def test_together_is_apart(tiny_bundles, tiny_melody):
    """Every other one plays chords with a partner who plays the melody."""
    models = tiny_bundles["online"], tiny_melody, tiny_bundles["offline"]
    together = heard(models, range(PLAYERS), threads=3)
    for player in range(PLAYERS):
        assert heard(models, [player])[player] == together[player]
    assert any(chords for _, _, chords, *_ in together[0])
    assert any(notes for *_, notes, _ in together[1])
