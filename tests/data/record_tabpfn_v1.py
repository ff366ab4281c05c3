"""Record what the original code of TabPFN v1 computes: `python record_tabpfn_v1.py UNPACKED OUT`.

UNPACKED is the folder of the unpacked source distribution `tabpfn-0.1` (see ``ARCHIVE`` in
`autogluon_causalmix.backbones.tabpfn_v1`); its code is imported here and nowhere else. For three
tables, ten configurations each, the file OUT gets what the original hands to its network and what
comes back: of a tiny network with random weights, which stand in the file too, and of the published
weights. All in double precision: in single precision the parameter of the power transform is
determined to three digits only.
"""

import sys
import types
import typing
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_iris

WIDTH, HIDDEN, DEPTH, VIEWS, CONTEXT, QUERY = 16, 24, 2, 10, 40, 15
Tables = dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]


def tables() -> Tables:
    """Return flowers, tumours, and numbers with heavy tails, a constant and a two-valued column."""
    rng, rows = np.random.default_rng(0), CONTEXT + QUERY
    flowers = load_iris(return_X_y=True)
    tumours = load_breast_cancer(return_X_y=True)
    heavy = np.column_stack(
        [
            rng.standard_t(1.5, size=(rows, 3)),
            rng.lognormal(sigma=1.5, size=(rows, 2)),
            np.full(rows, 3.0),
            rng.integers(0, 2, size=rows),
        ]
    )
    label = (heavy[:, 0] > 0) + 2 * (heavy[:, 3] > 1) + rng.integers(0, 2, size=rows)
    chosen = {
        name: rng.permutation(len(y))[:rows]
        for name, (_, y) in (("flowers", flowers), ("tumours", tumours))
    }
    return {
        "flowers": (flowers[0][chosen["flowers"]], flowers[1][chosen["flowers"]]),
        "tumours": (tumours[0][chosen["tumours"]], tumours[1][chosen["tumours"]]),
        "heavy tails": (heavy, np.unique(label, return_inverse=True)[1]),
    }


def original(folder: Path) -> tuple[types.ModuleType, types.ModuleType]:
    """Import the original's network and its prediction code, without what they do not need here."""
    sys.path.insert(0, str(folder))
    for name in ("tabpfn", "tabpfn.scripts", "tabpfn.priors"):
        package = types.ModuleType(name)
        package.__path__ = [str(folder / name.replace(".", "/"))]
        sys.modules[name] = package
    sys.modules["seaborn"] = types.ModuleType("seaborn")
    builder = types.ModuleType("tabpfn.scripts.model_builder")
    builder.load_model = None  # type: ignore[attr-defined]
    sys.modules["tabpfn.scripts.model_builder"] = builder
    # The original takes everything from this module by a star, which torch has narrowed since.
    old = torch.nn.modules.transformer
    old.Optional = typing.Optional  # type: ignore[attr-defined]
    old.__all__ = list(vars(old))
    from tabpfn import transformer
    from tabpfn.scripts import transformer_prediction_interface

    return transformer, transformer_prediction_interface


class Recorder(torch.nn.Module):
    """Calls a network, and keeps what goes in and what comes out."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        self.calls: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

    def forward(self, given: tuple[object, torch.Tensor, torch.Tensor], **more: int) -> object:
        """Return the network's logits (rows, views, 10)."""
        _, rows, labels = given
        out = self.network((None, rows.double(), labels.double()), **more)
        self.calls.append((rows, labels, out))
        return out


def main(folder: Path, out: Path) -> None:
    """Run the original and write the arrays."""
    transformer, interface = original(folder)
    torch.manual_seed(0)

    def network(width: int, hidden: int, depth: int) -> torch.nn.Module:
        made: torch.nn.Module = transformer.TransformerModel(
            torch.nn.Linear(100, width), 10, width, 4, hidden, depth, 0.0,
            y_encoder=torch.nn.Linear(1, width),
        )  # fmt: skip
        return made

    tiny = network(WIDTH, HIDDEN, DEPTH)
    for weight in tiny.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    published = network(512, 1024, 12)
    checkpoint = next(folder.rglob("prior_diff_real_checkpoint_n_0_epoch_42.cpkt"))
    state = torch.load(checkpoint, "cpu", weights_only=True)[0]
    named = {name.removeprefix("module."): weight for name, weight in state.items()}
    published.load_state_dict({k: v for k, v in named.items() if k != "criterion.weight"})
    arrays: dict[str, NDArray[np.generic]] = {
        f"weights/{name}": weight.numpy() for name, weight in tiny.state_dict().items()
    }
    for name, (x, y) in tables().items():
        arrays |= {f"{name}/x": x, f"{name}/y": y}
        for kind, net in (("tiny", tiny), ("published", published)):
            recorder = Recorder(net)
            torch.manual_seed(1)
            rows = torch.as_tensor(x)[:, None]
            labels = torch.as_tensor(y)[:, None].float()
            probabilities = interface.transformer_predict(
                recorder.double(), rows, labels, CONTEXT, inference_mode=True,
                feature_shift_decoder=True, N_ensemble_configurations=VIEWS,
            )  # fmt: skip
            [(seen, classes, logits)] = recorder.calls
            arrays[f"{name}/{kind}/logits"] = logits.numpy()
            arrays[f"{name}/{kind}/probabilities"] = probabilities[0].numpy()
        arrays[f"{name}/seen"] = seen.numpy()[:, :, : x.shape[1]]
        assert not seen[:, :, x.shape[1] :].any(), "the rest are zeros"
        arrays[f"{name}/labels"] = classes.numpy()
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
