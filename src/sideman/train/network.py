"""From a recipe to the network it asks for: chord list, kind, sizes, and which switches go together."""

from pathlib import Path

import msgspec

from sideman.errors import UnreadableFile, WrongValue
from sideman.models.build import Model, ModelFile, build, load_checkpoint
from sideman.models.offline import OfflineConfig
from sideman.models.online import OnlineConfig
from sideman.models.reward import RewardConfig
from sideman.models.transformer import StackConfig
from sideman.music.reference_names import reference_vocabulary
from sideman.music.vocabulary import Vocabulary, own_vocabulary
from sideman.train.recipe import DataConfig, Recipe


def vocabulary_of(data: DataConfig) -> Vocabulary:
    """Our own chord list, or the reference's names from a JSON file. Raises UnreadableFile, UnknownChord."""
    if data.vocabulary == "own":
        return own_vocabulary()
    try:
        names = msgspec.json.decode(Path(data.vocabulary).read_bytes(), type=list[str])
    except (OSError, msgspec.DecodeError) as error:
        hint = "Give a JSON list of names, or 'own'."
        raise UnreadableFile(f"Cannot read chord names from {data.vocabulary}: {error}.", hint) from None
    return reference_vocabulary(names)


def describe(recipe: Recipe, vocabulary: Vocabulary) -> ModelFile:
    """The network of a recipe, sized to its vocabulary. Raises WrongValue for switches that exclude each other."""
    model = recipe.model
    own = recipe.data.vocabulary == "own"
    if recipe.stage in ("contrastive", "discriminative"):
        return _describe_reward(recipe, vocabulary, own)
    _check_stack("model.stack", model.stack, causal=True)
    if recipe.stage == "online":
        if model.stack.cross:
            raise WrongValue("model.stack.cross is for offline models: an online one has no encoder to look at.")
        online = OnlineConfig(vocabulary.size, model.stack, model.form, model.tied)
        return ModelFile(
            kind="online", part=recipe.part, online=online, chords=() if own else vocabulary.names,
            spelling="own" if own else "reference",
        )  # fmt: skip
    encoder = model.encoder or msgspec.structs.replace(model.stack, causal=False, cross=False)
    _check_offline(encoder, model.stack, model.aligned)
    offline = OfflineConfig(vocabulary.size, encoder, model.stack, model.form, model.tied, model.aligned)
    return ModelFile(
        kind="offline", part=recipe.part, offline=offline, chords=() if own else vocabulary.names,
        spelling="own" if own else "reference",
    )  # fmt: skip


def begin_from(folder: Path, file: ModelFile) -> tuple[ModelFile, Model]:
    """What is stored in `folder`, whose network must be the one `file` describes; a sheet model may be given a clock.
    Raises UnknownModel, WrongValue."""
    stored, model = load_checkpoint(folder)
    if file.sheet is not None and file.sheet.clock and stored.sheet == msgspec.structs.replace(file.sheet, clock=False):
        stored = msgspec.structs.replace(stored, sheet=file.sheet)
        given = build(stored)
        given.load_state_dict(model.state_dict(), strict=False)  # a clock that says nothing is what it begins as
        model = given.eval()
    if stored.network != file.network:
        raise WrongValue(
            f"start: {folder} holds another network than the recipe describes.",
            f"Compare the recipe's model and data.vocabulary with {folder / 'model.json'}.",
        )
    return stored, model


def _describe_reward(recipe: Recipe, vocabulary: Vocabulary, own: bool) -> ModelFile:
    model = recipe.model
    _check_stack("model.stack", model.stack, causal=False)
    if model.stack.cross:
        raise WrongValue("model.stack.cross is for offline models: a reward network has encoders alone.")
    if model.rhythm and model.pitch_classes:
        raise WrongValue("A network for rhythm knows no pitches.", "Set one of model.rhythm and model.pitch_classes.")
    aligned = model.aligned and recipe.stage == "discriminative"
    return ModelFile(
        kind=recipe.stage, part=recipe.part, chords=() if own else vocabulary.names,
        reward=RewardConfig(vocabulary.size, model.stack, model.rhythm, model.pitch_classes, aligned),
        spelling="own" if own else "reference",
    )  # fmt: skip


def _check_stack(name: str, stack: StackConfig, causal: bool) -> None:
    if stack.causal != causal:
        why = "it writes from left to right" if causal else "it reads everything at once"
        raise WrongValue(f"{name}.causal must be {str(causal).lower()}: {why}.")
    if stack.positions == "rotary" and (stack.rotary_width % 2 or stack.rotary_width > stack.head_width):
        raise WrongValue(
            f"{name}.rotary_width is {stack.rotary_width}: pairs of the {stack.head_width} dims of a head rotate.",
            f"Give an even number up to {stack.head_width}.",
        )


def _check_offline(encoder: StackConfig, decoder: StackConfig, aligned: bool) -> None:
    _check_stack("model.encoder", encoder, causal=False)
    if encoder.cross:
        raise WrongValue("model.encoder.cross must be false: the encoder has nothing else to look at.")
    if aligned == decoder.cross:
        raise WrongValue(
            "An offline model is either aligned or has cross-attention.",
            "Set one of model.aligned and model.stack.cross.",
        )
    if decoder.cross and encoder.width != decoder.width:
        raise WrongValue("Cross-attention needs an encoder as wide as the decoder.", "Give both the same width.")
