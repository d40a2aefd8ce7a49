"""A bundle: one trained network as ONNX graphs with everything needed to use it, no torch.

Folder: `bundle.json` (BundleFile), `step.onnx` (one pass of the decoder over new tokens), for offline
models `encoder.onnx`, for sheet models `patches.onnx` and `chars.onnx` instead, and `card.md`. Graph contract, B rows,
S new tokens, P cache slots, R read positions:

    step:  tokens int64 [B, S], positions int64 [B, S], filled int64 [B], read int64 [R],
           past_i float [B, H, P, d], i < 2*depth, and
           online: form int64 [B, S, 3]; offline: condition float [B, S, D]; with cross-attention:
           memory_i float [1, H, M, d], i < 2*depth, the same for all rows
        -> logits float [B, R, V], present_i float [B, H, P, d]
    encoder:  melody int64 [B, T+2], form int64 [B, T+2, 3]
        -> condition float [B, T+1, D]; with cross-attention memory_i float [B, H, T+2, d]
    patches:  patches int64 [B, S, 16], positions int64 [B, S], filled int64 [B], past_i
        -> states float [B, S, C], present_i
    chars:  states float [B, K, C], K = 1 at the beginning of a patch and 0 in it, ids int64 [B, S],
           positions int64 [B, K+S], filled int64 [B], past_i
        -> logits float [B, K+S, 128], present_i
    Of a network with a clock, as music.sheet.clock has it: patches: clock int64 [B, S, 7] behind each patch;
    chars: clock int64 [B, K+S, 7] before the patch and behind each id.

`past_{2l}` holds the keys of layer l, `past_{2l+1}` its values; slots from `filled` on are not looked at, and
there must be S of them. `present_i` is `past_i` with the new rows written at `filled`: bound to the same memory
nothing is copied. `stream.Stream` and `sheet_stream.SheetStream` own the cache. The memory is keys and values in the
same order.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from sideman.errors import UnknownModel
from sideman.music.reference_names import Spelling, stored_vocabulary
from sideman.music.vocabulary import BOS, EOS, Vocabulary

Floats = NDArray[np.float32]
Memory = tuple[Floats, ...]
STEP, ENCODER, PATCHES, CHARS = "step.onnx", "encoder.onnx", "patches.onnx", "chars.onnx"
GRAPHS = {"online": (STEP,), "offline": (STEP, ENCODER), "sheet": (PATCHES, CHARS)}
# A short window that moved by a quarter would move all the time.
SHORT_HOP = 32


class BundleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`bundle.json`. `files`: sha256 of each graph; `checkpoint`: sha256 of the weights they were exported from;
    `chords`: names in id order, empty for our own list; `spelling`: whose grammar reads them; `window`: frames (of a
    sheet model patches) the network hears at most, those it was trained on or fewer; `depth`, `heads`, `head_width`: of
    the patch decoder in a sheet model; `cross`: the decoder looks at the melody through cross-attention;
    `follows_turns`: where the melody has turned to another key it hears only what came since (music.turns);
    `prompts`: (period, composer, instrumentation) that a sheet model knows;
    `network`: sizes and switches of the network, for those who train it further."""

    name: str
    kind: Literal["online", "offline", "sheet"]
    part: Literal["chord", "melody", "score"]
    precision: Literal["int8", "fp32"]
    depth: int
    heads: int
    head_width: int
    parameters: int
    files: dict[str, str]
    checkpoint: str
    window: int = 256
    chords: tuple[str, ...] = ()
    trained: dict[str, str | int | float] = {}
    spelling: Spelling = "own"
    cross: bool = False
    follows_turns: bool = False
    prompts: tuple[tuple[str, str, str], ...] = ()
    network: dict[str, Any] = {}


@dataclass(frozen=True, eq=False)
class Bundle:
    """An opened bundle. ONNX Runtime sessions are thread-safe; open them through the properties. `threads`: of a pass;
    `most`: of one beside which no other is computed."""

    folder: Path
    file: BundleFile
    threads: int
    most: int

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return stored_vocabulary(self.file.chords, self.file.spelling)

    @property
    def hop(self) -> int:
        """Frames that are forgotten at once when the window is full: a quarter of it, half of a short one."""
        return max(1, self.file.window // 4, min(self.file.window // 2, SHORT_HOP))

    @cached_property
    def step(self) -> ort.InferenceSession:
        return _session(self.folder / STEP, self.threads)

    @cached_property
    def step_alone(self) -> ort.InferenceSession:
        """`step` on all threads there are: the same logits, sooner, unless somebody else needs the cores."""
        return self.step if self.most == self.threads else _session(self.folder / STEP, self.most)

    @cached_property
    def patches(self) -> ort.InferenceSession:
        return _session(self.folder / PATCHES, self.threads)

    @cached_property
    def chars(self) -> ort.InferenceSession:
        return _session(self.folder / CHARS, self.threads)

    @cached_property
    def encoder(self) -> ort.InferenceSession:
        return _session(self.folder / ENCODER, self.threads)

    def encode(self, melody: NDArray[np.integer], form: NDArray[np.integer]) -> Floats:
        """Conditions float [T+1, D] for a melody of frame tokens [T] with form [T, 3] (aligned offline bundles).

        Row t conditions the chord of frame t (the last row the end). Melodies longer than the window are
        read in windows that overlap by half; each frame is taken from the window it lies most central in.
        """
        frames, window = len(melody), self.file.window
        out: Floats | None = None
        for start, first in windows(frames, window):
            (part,) = self._encode(melody[start : start + window], form[start : start + window])
            if out is None:
                out = np.empty((frames + 1, part.shape[2]), np.float32)
            out[first : start + window + 1] = part[0, first - start :]
        assert out is not None
        return out

    def remember(self, melody: NDArray[np.integer], form: NDArray[np.integer]) -> Memory:
        """The memory of a melody of frame tokens [T], at most a window, with form [T, 3] (cross-attention bundles)."""
        return self._encode(melody, form)

    def _encode(self, melody: NDArray[np.integer], form: NDArray[np.integer]) -> Memory:
        tokens = np.concatenate([[BOS], melody, [EOS]]).astype(np.int64)
        places = np.zeros((len(tokens), 3), np.int64)
        places[1:-1] = form
        return tuple(self.encoder.run(None, {"melody": tokens[None], "form": places[None]}))


def windows(frames: int, window: int) -> list[tuple[int, int]]:
    """(start, first) of the windows a long melody is read in: they overlap by half, and frames from `first` up to
    that of the next window are taken from one, as they lie most central in it."""
    starts = [0] if frames <= window else [*range(0, frames - window, window // 2), frames - window]
    firsts = [(before + window + start) // 2 for before, start in pairwise(starts)]
    return list(zip(starts, [0, *firsts], strict=True))


def load_bundle(folder: Path, threads: int = 0, most: int | None = None) -> Bundle:
    """Open a bundle to be computed with on `threads` (0 = one a core), alone on `most` (None = no more than those).
    Raises UnknownModel where it is missing, damaged or truncated."""
    try:
        file = msgspec.json.decode((folder / "bundle.json").read_bytes(), type=BundleFile)
    except (FileNotFoundError, NotADirectoryError):
        raise UnknownModel(f"There is no model in {folder}.", "See what there is with: sideman models list") from None
    except msgspec.DecodeError as error:
        raise UnknownModel(f"The model in {folder} is damaged: bundle.json: {error}.", _REINSTALL) from None
    for name in GRAPHS[file.kind]:
        if fingerprint(folder / name) != file.files.get(name, "unknown"):
            raise UnknownModel(
                f"The model in {folder} is damaged: {name} is not the file that was exported.", _REINSTALL
            )
    return Bundle(folder, file, threads, threads if most is None else most)


_REINSTALL = "Reinstall sideman, or export the model again."


def fingerprint(path: Path) -> str:
    """sha256 of a file, empty when it is missing."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(path, options, providers=ort.get_available_providers())
    except Exception as error:  # the runtime's error types are not public
        raise UnknownModel(
            f"The model file {path} cannot be opened: {str(error).splitlines()[0]}", _REINSTALL
        ) from None
