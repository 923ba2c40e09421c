"""scripts.reproduce.shipped_models: the table for people has ours, and what others published."""

from scripts.reproduce import published, shipped_models
from scripts.reproduce.at_sigmas import KEY, SCORES


def row(dataset, sigma, psnr):
    empty = dict.fromkeys((*KEY, *SCORES), "")
    scores = {"psnr": psnr, "ssim": "0.8"}
    return empty | {"method": "photo", "dataset": dataset, "images": "24", "sigma": sigma} | scores


def test_published_figures_stand_below_ours(tmp_path):
    rows = [row("kodak", "25", "31.9664"), row("set12", "50", "27")]
    shipped_models._write(rows, tmp_path / "table.md")
    ours, theirs, footnote = (tmp_path / "table.md").read_text().split("\n\n")
    assert "| kodak (24) | photo |  | 31.97 (0.800) |  |  |  |" in ours.splitlines()
    assert "| set12 (24) | photo |  |  | 27.00 (0.800) |  |  |" in ours.splitlines()
    assert "| SSDN sigma known, Laine 2019 | 32.45 |" in theirs.splitlines()
    assert "Krull" not in theirs  # for BSD68 alone
    assert "--pad_clean" in footnote


def test_nothing_is_published_for_a_set_of_ones_own(tmp_path):
    shipped_models._write([row("mine", "25", "30")], tmp_path / "table.md")
    assert (tmp_path / "table.md").read_text().count("\n") == 3
    assert not published.at_sigma_25(["mine"])


def test_a_figure_that_two_tables_cite_is_there_once():
    found = published.at_sigma_25(["bsd68"])
    assert found["Noise2Void, Krull 2019"] == {"bsd68": 27.71}
    assert not [label for label in found if label.startswith("Noise2Void, Laine")]
