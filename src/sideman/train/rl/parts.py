"""The networks a recipe names, from their checkpoints; whatever does not fit is said before anything is trained."""

from pathlib import Path
from typing import TypeVar

import msgspec

from sideman.errors import UnreadableFile, WrongValue
from sideman.models.build import Model, ModelFile, build, load_checkpoint
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.models.reward import ContrastiveModel, DiscriminativeModel
from sideman.models.transformer import StackConfig
from sideman.music.vocabulary import PartName, Vocabulary
from sideman.train.checkpoint import checkpoint_in
from sideman.train.recipe import recipe_of
from sideman.train.rl.judges import NetworkTerm
from sideman.train.rl.recipe import NetworkReward

Network = TypeVar("Network", bound=Model)


def load_policy(path: str, vocabulary: Vocabulary, part: PartName) -> tuple[ModelFile, OnlineModel]:
    """The online model to start from, without dropout. Raises SidemanError."""
    file, model = _load("start", path, vocabulary, OnlineModel, "online")
    _check_part("start", path, file, part)
    assert file.online is not None
    quiet = msgspec.structs.replace(file.online, stack=_quiet(file.online.stack))
    file = msgspec.structs.replace(file, online=quiet)
    policy = build(file)
    assert isinstance(policy, OnlineModel)
    policy.load_state_dict(model.state_dict())
    return file, policy


def load_anchor(path: str, vocabulary: Vocabulary, part: PartName) -> OfflineModel:
    """The offline model to stay near to, frozen. Raises SidemanError."""
    file, model = _load("anchor", path, vocabulary, OfflineModel, "offline")
    _check_part("anchor", path, file, part)
    return model.requires_grad_(False)


def load_terms(networks: tuple[NetworkReward, ...], vocabulary: Vocabulary) -> list[NetworkTerm]:
    """The reward networks, frozen, under names that differ. Raises SidemanError."""
    terms: list[NetworkTerm] = []
    kinds = (ContrastiveModel, DiscriminativeModel)
    named = [(number, network, path) for number, network in enumerate(networks) for path in network.paths]
    for number, network, path in named:
        file, model = _load(f"networks.{number}.path", path, vocabulary, kinds, "contrastive or discriminative")
        name = file.kind + ("_rhythm" if file.reward is not None and file.reward.rhythm else "")
        alike = sum(term.name.rstrip("0123456789_") == name for term in terms)
        name = f"{name}_{alike + 1}" if alike else name
        assert isinstance(model, kinds)
        terms.append(NetworkTerm(name, model.requires_grad_(False), network.weight, network.windows))
    return terms


def _load(field: str, path: str, vocabulary: Vocabulary, kinds: type[Network] | tuple[type[Network], ...],
          stage: str) -> tuple[ModelFile, Network]:  # fmt: skip
    folder = checkpoint_in(Path(path))
    if not any((folder / name).exists() for name in ("model.json", "bundle.json")):
        maker = recipe_of(Path(path).name, Path("recipes")) or "RECIPE.yaml"
        raise UnreadableFile(
            f"{field}: there is no checkpoint in {path} (model.json is missing).",
            f"A recipe of stage {stage} makes it: sideman train {maker}.",
        )
    file, model = load_checkpoint(folder)
    if not isinstance(model, kinds):
        raise WrongValue(f"{field}: {path} holds a network of kind {file.kind}, not {stage}.")
    theirs = file.vocabulary
    if theirs.names != vocabulary.names:
        raise WrongValue(
            f"{field}: {path} knows {theirs.chords} chords by other numbers than the {vocabulary.chords} of "
            "data.vocabulary, so its tokens mean something else.",
            "Train all networks of a run with the same data.vocabulary.",
        )
    return file, model


def _check_part(field: str, path: str, file: ModelFile, part: PartName) -> None:
    if file.part != part:
        raise WrongValue(
            f"{field}: {path} plays the {file.part} part, and the recipe's part is {part}.",
            f"Set part: {file.part}, or give a network that was trained with part: {part}.",
        )


def _quiet(stack: StackConfig) -> StackConfig:
    return msgspec.structs.replace(stack, dropout=0.0, attention_dropout=0.0)
