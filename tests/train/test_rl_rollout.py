"""Rollouts: what was played by the cached way is what one pass over the whole sequence says."""

import numpy as np
import pytest
import torch
from toy_music import toy_pack

from sideman.models.build import ModelFile, build
from sideman.models.decode import uniform
from sideman.models.offline import OfflineConfig
from sideman.models.online import OnlineConfig
from sideman.models.transformer import StackConfig
from sideman.music.grammar import part_mask
from sideman.music.vocabulary import BOS, PAD, own_vocabulary
from sideman.train.batches import Source, interleaved_form, single_form
from sideman.train.recipe import DataConfig
from sideman.train.rl import ppo
from sideman.train.rl.rollout import (
    FORBIDDEN,
    Grammar,
    Rollout,
    Scene,
    anchor_logits,
    before,
    chosen,
    play,
    policy_logits,
    policy_states,
)
from sideman.train.rl.rules import Alphabet

V = own_vocabulary()
CPU = torch.device("cpu")
STACK = StackConfig(width=32, depth=2, heads=2, head_width=16, ff_width=64, rotary_width=16, dropout=0.0)


@pytest.fixture(scope="module", params=["chord", "melody"])
def scene(request: pytest.FixtureRequest) -> Scene:
    source = Source(toy_pack(), V, DataConfig(pack="", window_frames=96, form_dropout=0.0), "train")
    made = Scene.of(source.draw(1, 0, 6), request.param, CPU)
    assert not made.mask.all()  # some rows are shorter
    return made


@pytest.fixture(scope="module")
def policy():
    torch.manual_seed(0)
    return build(ModelFile("online", online=OnlineConfig(V.size, STACK))).eval()


@pytest.fixture(scope="module", params=[True, False], ids=["grammar", "unfiltered"])
def rollout(request, policy, scene) -> tuple[Grammar | None, Rollout]:
    grammar = Grammar(V, scene.part, CPU) if request.param else None
    return grammar, play(policy, scene, grammar, uniform(3, *scene.heard.shape))


def test_cached_is_recomputed(policy, rollout):
    grammar, made = rollout
    states = policy_states(policy, made.scene, made.played)
    logits = policy_logits(policy, states, made.played, grammar)
    mask = made.scene.mask
    assert torch.allclose(states[mask], made.states[mask], atol=1e-4)
    assert torch.allclose(chosen(logits, made.played)[mask], made.log_probs[mask], atol=1e-4)
    policy.train()  # the fused formulas of training
    with torch.enable_grad():
        trained = policy_logits(policy, policy_states(policy, made.scene, made.played), made.played, grammar)
    policy.eval()
    assert torch.allclose(chosen(trained, made.played)[mask].detach(), made.log_probs[mask], atol=1e-4)


def test_actions_are_the_even_places_of_the_interleaved_sequence(policy, rollout, scene):
    grammar, made = rollout
    rows, frames = scene.heard.shape
    tokens = np.full((rows, 2 * frames + 1), PAD)
    tokens[:, 0] = BOS
    tokens[:, 1::2], tokens[:, 2::2] = made.played.numpy(), scene.heard.numpy()
    form = torch.from_numpy(interleaved_form(scene.form.numpy()))
    with torch.no_grad():
        whole = policy(torch.from_numpy(tokens), form).log_softmax(-1)
        if grammar is not None:
            whole = grammar.forbid(whole[:, :-1:2], before(made.played)).repeat_interleave(2, 1)
            whole = whole - whole.logsumexp(-1, keepdim=True)
    actions = whole[:, 0 : 2 * frames : 2].gather(-1, made.played[..., None])[..., 0]
    assert torch.allclose(actions[scene.mask], made.log_probs[scene.mask], atol=1e-4)


def test_nothing_is_played_beyond_the_end(rollout):
    _, made = rollout
    assert ((made.played == PAD) | made.scene.mask).all()


def test_the_grammar_holds_and_is_that_of_the_engine(policy, scene):
    grammar = Grammar(V, scene.part, CPU)
    made = play(policy, scene, grammar, uniform(3, *scene.heard.shape))
    previous = before(made.played)[scene.mask].numpy()
    allowed = torch.from_numpy(part_mask(V, scene.part, previous))
    assert torch.equal(made.logits[scene.mask] > FORBIDDEN / 2, allowed)
    assert allowed.gather(1, made.played[scene.mask][:, None]).all()


def test_unfiltered_sampling_may_break_it(policy, scene):
    made = play(policy, scene, None, uniform(3, *scene.heard.shape))
    allowed = torch.from_numpy(part_mask(V, scene.part, before(made.played)[scene.mask].numpy()))
    assert not allowed.gather(1, made.played[scene.mask][:, None]).all()


def test_samples_follow_the_distribution(policy, scene):
    """The first token of 4,000 rollouts to one piece: onsets as often as their probability says."""
    one = scene.rows(slice(0, 1)).repeated(4000)
    first = Scene(one.part, one.heard[:, :1], one.truth[:, :1], one.form[:, :1], one.mask[:, :1])
    made = play(policy, first, Grammar(V, scene.part, CPU), uniform(0, *first.heard.shape))
    on = Alphabet.of(V, scene.part).on
    share = float(made.logits[0, 0].softmax(-1)[on : on + 80].sum())
    drawn = float(((made.played >= on) & (made.played < on + 80)).float().mean())
    assert drawn == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("aligned", [True, False], ids=["aligned", "cross-attention"])
def test_the_anchor_is_the_offline_model(aligned: bool, rollout):
    grammar, made = rollout
    torch.manual_seed(1)
    encoder = StackConfig(width=32, depth=2, heads=2, head_width=16, ff_width=64, rotary_width=16, dropout=0.0,
                          causal=False)  # fmt: skip
    decoder = StackConfig(width=32, depth=2, heads=2, head_width=16, ff_width=64, rotary_width=16, dropout=0.0,
                          cross=not aligned)  # fmt: skip
    anchor = build(ModelFile("offline", offline=OfflineConfig(V.size, encoder, decoder, aligned=aligned))).eval()
    given = anchor_logits(anchor, made.scene, made.played, grammar)
    row = 0  # a row by itself, by numpy's layouts, without padding
    frames = int(made.scene.mask[row].sum())
    read = torch.cat((torch.tensor([1]), made.scene.heard[row, :frames], torch.tensor([2])))[None]
    written = torch.cat((torch.tensor([1]), made.played[row, : frames - 1]))[None]
    form = torch.from_numpy(single_form(made.scene.form[row : row + 1, :frames].numpy()))
    with torch.no_grad():
        alone = anchor(read, written, form)[0]
    allowed = given[row, :frames] > FORBIDDEN / 2
    assert torch.allclose(given[row, :frames][allowed], alone[allowed], atol=1e-4)
    # Forward KL by its definition, probability by probability.
    p, q = made.logits[row, :frames].double().softmax(-1), given[row, :frames].double().softmax(-1)
    direct = torch.where(p > 0, p * (p.clamp(min=1e-300).log() - q.clamp(min=1e-300).log()), 0.0).sum(-1)
    assert torch.allclose(ppo.kl(made.logits, given)[row, :frames].double(), direct, atol=1e-4)
