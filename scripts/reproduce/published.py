"""What papers and reports publish: the rows of their tables, and how each network was trained."""

import dataclasses
import typing
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table.

    label: its name there.
    published: {set: PSNR in dB}; the row is scored on these sets.
    package: of the method, "" for a classical baseline.
    settings: of the training, as dict; for a baseline its name under "baseline".
    length: of the published training, in crops, and how it is told in words.
    noise: of the training and of the scores.
    is_rounded: whether PSNR is that of pictures rounded to 8 bits.
    source: whose figure it is, where the table cites it.
    """

    label: str
    published: dict[str, float]
    package: str
    settings: dict[str, typing.Any]
    length: int = 0
    trained: str = ""
    noise: str = "gauss25"
    is_rounded: bool = True
    source: str = ""

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return self.settings.get("channels", 3)

    @property
    def is_blind(self) -> bool:
        """Whether the network is a blind-spot network, which learns most from single crops."""
        return self.package == "ssdn_tf" and self.settings.get("pipeline") not in ("n2c", "n2n")


def _rows(package, length, trained, rows, is_rounded=True, source="", **shared):
    """Rows of one method: {label: (published, settings)}."""
    return [
        Row(
            *(label, published, package, shared | settings, length, trained),
            noise=settings.get("noise", "gauss25"),
            is_rounded=is_rounded,
            source=source,
        )
        for label, (published, settings) in rows.items()
    ]


def _bm3d(published, **settings):
    return Row("BM3D", published, "", {"baseline": "bm3d", **settings})


def _noise2void():
    """Noise2Void as published by its authors, whom both tables cite."""
    return _rows(
        "n2v_tf",
        12_000_000,
        "not published",
        {"Noise2Void": ({"bsd68": 27.71}, {"config": "n2v-bsd68"})},
        is_rounded=False,
        source="Krull 2019",
        channels=1,
    )


# A first version of the report clipped the noise, as its program does unless told otherwise; then
# sigma could not be estimated, and Table 1 is without.
COMP = "200,000 iterations of 4 crops"
CLIPPED = "gauss25_clipped"
WORKSHOP = "1.2 million crops of 256x256"
TABLES = {
    "comp6248": [
        _bm3d({"kodak": 31.81, "bsd300": 30.40}),
        *_rows(
            "ssdn_tf",
            800_000,
            COMP,
            {
                "N2C": ({"kodak": 32.19, "bsd300": 31.22}, {"pipeline": "n2c"}),
                "N2N": ({"kodak": 32.16, "bsd300": 31.20}, {"pipeline": "n2n"}),
                "SSDN mean only": (
                    {"kodak": 30.00, "bsd300": 28.56},
                    {"pipeline": "blindspot_mean"},
                ),
                "SSDN sigma unknown": (
                    {"kodak": 31.61, "bsd300": 30.55},
                    {"noise_params": "per_image"},
                ),
                "SSDN sigma known": ({"kodak": 32.12, "bsd300": 31.13}, {}),
            },
        ),
        *_rows(
            "n2v_tf",
            800_000,
            COMP,
            {"N2V": ({"kodak": 31.03, "bsd300": 30.24}, {"config": "comp6248-n2v-gauss25"})},
        ),
    ],
    # With and without clipping, which the report argues about where sigma is estimated.
    "clipping": [
        *_rows(
            "ssdn_tf",
            800_000,
            COMP,
            {
                f"sigma {params} {noise}": (
                    {"kodak": float("nan")},
                    {"noise": noise, "noise_params": params},
                )
                for params in ("known", "global", "per_image")
                for noise in ("gauss25", CLIPPED)
            },
        )
    ],
    "workshop": [
        _bm3d({"kodak": 31.82, "bsd300": 30.34, "set14": 30.50}),
        _bm3d({"bsd68": 28.59}, channels=1),
        *(
            row
            for channels, sets in ((3, ("kodak", "bsd300", "set14")), (1, ("bsd68",)))
            for row in _rows(
                "ssdn_tf",
                1_200_000,
                WORKSHOP,
                {
                    label: ({name: figures[name] for name in sets}, settings)
                    for label, figures, settings in (
                        (
                            "Full",
                            {"kodak": 32.39, "bsd300": 30.99, "bsd68": 29.27, "set14": 31.20},
                            {"pipeline": "workshop"},
                        ),
                        (
                            "Per-component",
                            {"kodak": 31.54, "bsd300": 29.87, "bsd68": 29.27, "set14": 30.54},
                            {"pipeline": "workshop", "diagonal_covariance": True},
                        ),
                        (
                            "L2",
                            {"kodak": 30.58, "bsd300": 28.61, "bsd68": 27.76, "set14": 29.51},
                            {"pipeline": "blindspot_mean"},
                        ),
                        (
                            "N2N",
                            {"kodak": 32.39, "bsd300": 31.03, "bsd68": 29.30, "set14": 31.17},
                            {"pipeline": "n2n"},
                        ),
                        (
                            "N2C",
                            {"kodak": 32.41, "bsd300": 31.04, "bsd68": 29.31, "set14": 31.17},
                            {"pipeline": "n2c"},
                        ),
                    )
                    # One channel has no covariances to leave out.
                    if not (label == "Per-component" and channels == 1)
                },
                channels=channels,
                as_workshop=True,
                grey="luminance" if channels == 1 else "mean",
            )
        ),
        *_noise2void(),
    ],
    "bsd68": [
        _bm3d({"bsd68": 28.59}, channels=1),
        *_rows(
            "n2n_tf",
            1_200_000,
            "not published",
            {
                "Traditional (clean targets)": ({"bsd68": 29.06}, {"targets": "clean"}),
                "Noise2Noise": ({"bsd68": 28.86}, {}),
            },
            channels=1,
        ),
        *_noise2void(),
    ],
}
SOURCES = {"workshop": "Laine 2019a", "comp6248": "COMP6248 2020", "bsd68": "Krull 2019"}
FINAL = {"SSDN sigma known, Laine 2019": {"kodak": 32.45, "bsd300": 31.03}}
SPELT_OUT = {
    "Full": "SSDN full covariance",
    "Per-component": "SSDN without covariances",
    "L2": "SSDN mean only",
    "Traditional (clean targets)": "U-Net, clean targets",
}


def at_sigma_25(datasets: Iterable[str]) -> dict[str, dict[str, float]]:
    """{method and source: {set: published PSNR}} with Gaussian noise of sigma 25, for some sets."""
    found: dict[str, dict[str, float]] = {}
    for table, source in SOURCES.items():
        for row in TABLES[table]:
            assert row.noise == "gauss25"
            label = f"{SPELT_OUT.get(row.label, row.label)}, {row.source or source}"
            found.setdefault(label, {}).update(row.published)
    chosen = {
        label: {name: psnr[name] for name in datasets if name in psnr}
        for label, psnr in (FINAL | found).items()
    }
    return {label: psnr for label, psnr in chosen.items() if psnr}
