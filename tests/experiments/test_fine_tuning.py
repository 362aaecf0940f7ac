"""End-to-end fine-tuning: the probe it starts from, what training changes, and how the learning rate is selected."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from taskrel_core import DATASETS
from taskrel_core.analysis.accuracy import select_learning_rate
from taskrel_core.experiments.fine_tuning import PROBE_C, FineTuning, _parts, fit_probe

SMALL = FineTuning("digits", "random_net", lr=1e-3, n=240, n_test=350, epochs=3)


def test_training_beats_the_probe_it_starts_from():
    row = replace(SMALL, epochs=6).compute()
    assert row["probe"] == replace(SMALL, epochs=1).compute()["probe"]
    assert row["fine_tuned"] > row["probe"] + 2 * row["probe_se"]
    assert row["n_train"] == 200
    assert row["n_tested"] == 350
    assert row["fine_tuned_se"] == pytest.approx(
        np.sqrt(row["fine_tuned"] * (1 - row["fine_tuned"]) / 350), rel=1e-12
    )


def test_a_seed_gives_the_same_again_and_another_seed_another():
    state = torch.random.get_rng_state()
    first, second, other = (replace(SMALL, seed=s).compute() for s in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    same = ("fine_tuned", "validation", "probe", "probe_validation")
    assert [first[k] for k in same] == [second[k] for k in same]
    assert [first[k] for k in same] != [other[k] for k in same]


def test_no_learning_leaves_the_probe():
    row = replace(SMALL, lr=1e-12).compute()
    assert (row["fine_tuned"], row["validation"]) == (row["probe"], row["probe_validation"])


def test_parts_share_no_image_and_the_test_part_stays():
    a, _ = _parts(SMALL)
    b, _ = _parts(replace(SMALL, seed=5))
    assert np.array_equal(a["test"], b["test"])
    seen = {image.tobytes() for image in a["train"]}
    test = {image.tobytes() for image in DATASETS["digits"].load("test")[0]}
    train_part = {image.tobytes() for image in DATASETS["digits"].load("train")[0]}
    repeated = test & train_part  # the data set's own doubles
    assert not (seen & {image.tobytes() for image in a["test"]}) - repeated
    assert len(a["train"]) + len(a["validation"]) == 240


@pytest.mark.parametrize("k", [2, 3])
def test_the_probe_is_logistic_regression_on_standardised_features(k):
    rng = np.random.default_rng(k)
    y = np.arange(60) % k
    z = torch.tensor(5 * rng.normal(size=(60, 4)) + y[:, None] + 7, dtype=torch.float32)
    z[:, 3] = 2.5  # a constant column says nothing
    head, converged = fit_probe(z, y, k)
    x = z.double().numpy()[:, :3]
    x = (x - x.mean(0)) / x.std(0)
    expected = LogisticRegression(C=PROBE_C, max_iter=1000).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(torch.softmax(head(z), 1).detach().numpy(), expected, atol=1e-4)
    assert converged


def test_classes_that_the_sample_lacks_are_never_predicted():
    z = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    head, _ = fit_probe(z, np.arange(30) % 2 * 2, 4)
    assert set(head(z).argmax(1).tolist()) <= {0, 2}


def test_held_back_samples_choose_the_learning_rate_not_the_test_part():
    rows = pd.DataFrame(
        [
            {"lr": 1e-3, "seed": 0, "validation": 0.5, "fine_tuned": 0.9, "fine_tuned_se": 0.01},
            {"lr": 1e-4, "seed": 0, "validation": 0.6, "fine_tuned": 0.4, "fine_tuned_se": 0.01},
            {"lr": 1e-4, "seed": 1, "validation": 0.1, "fine_tuned": 0.6, "fine_tuned_se": 0.01},
        ]
    ).assign(target="t", encoder="e", probe=0.3, n_train=10, seconds=1.0)
    best = select_learning_rate(rows).iloc[0]
    assert (best["lr"], best["fine_tuned"], best["seeds"]) == (1e-4, pytest.approx(0.5), 2)
    assert best["fine_tuned_se"] == pytest.approx(0.1)  # between seeds, larger than that of the test sample


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"encoder": "pca"}, "encoder must have a trainable trunk, got 'pca'"),
        ({"lr": -1.0}, "lr must be finite and above 0, got -1.0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        (
            {"n": 1},
            "n must leave images of two classes to train on, one in 6 being held back, got n = 1; give a larger n",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(change, error):
    with pytest.raises(ValueError, match=error):
        replace(SMALL, **change).compute()
