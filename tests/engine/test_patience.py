"""When to stop, and which weights are kept."""

import numpy as np
import pytest

from skbackprop._engine.patience import Patience


def test_patience_counts_epochs_without_improvement_by_tol():
    patience = Patience(tol=0.1, n_iter_no_change=2)
    verdicts = [patience.plateau(score) for score in (0.0, 0.2, 0.25, 0.1, np.nan)]
    assert verdicts == [False, False, False, False, True]
    assert patience.best_score == 0.25


@pytest.mark.parametrize(("latest", "expected"), [(True, [0, 1, 2, 0, 1, 2]), (False, [0, 1, 2, 3, 4, 5])])
def test_many_small_steps_make_a_large_one_but_not_in_scikit_learn(latest, expected):
    patience, counts = Patience(tol=0.1, n_iter_no_change=9, latest=latest), []
    for score in (0.0, 0.04, 0.08, 0.12, 0.16, 0.2):
        patience.plateau(score)
        counts.append(patience.count)
    assert counts == expected
    assert patience.best_score == 0.2


def test_patience_keeps_a_copy_of_the_best_weights():
    patience, theta = Patience(0.0, 10), np.array([1.0])
    for score, value in [(0.5, 1.0), (0.9, 2.0), (0.1, 3.0)]:
        theta[0] = value
        patience.plateau(score, theta)
    assert patience.best_theta[0] == 2.0


def test_of_equal_scores_patience_keeps_the_latest_weights():
    patience, theta = Patience(0.0, 10), np.array([1.0])
    for score, value in [(0.5, 1.0), (0.5, 2.0), (0.4, 3.0)]:
        theta[0] = value
        patience.plateau(score, theta)
    assert patience.best_theta[0] == 2.0


def test_equal_scores_are_an_improvement_as_long_as_the_loss_falls():
    patience, counts = Patience(tol=0.01, n_iter_no_change=9), []
    for score, loss in [(1, 1.0), (1, 0.98), (1 - 1e-7, 0.975), (1, 0.97), (1, 0.969), (0.9, 0.1), (1, 0.96)]:
        patience.plateau(score, None, loss)
        counts.append(patience.count)
    # The loss counts from one improvement to the next, not from one epoch to the next.
    assert counts == [0, 0, 1, 0, 1, 2, 0]
    first = Patience(tol=0.01, n_iter_no_change=9, best_score=1.0, reference_score=1.0, reference_loss=1.0, latest=False)
    first.plateau(1.0, None, 0.5)
    assert first.count == 1


@pytest.mark.parametrize(
    ("first", "fall", "latest", "stopped_in"),
    [
        # In ten epochs by 0.12, up to epoch 32; and by 0.08.
        (1.0, 0.012, True, 33),
        (1.0, 0.008, True, 14),
        # It may be negative, as Poisson's may; scikit-learn does not look at it.
        (-2.0, 0.024, True, 33),
        (-2.0, 0.016, True, 14),
        (1.0, 0.012, False, 14),
    ],
)
def test_scores_are_on_no_plateau_while_the_training_loss_falls_fast(first, fall, latest, stopped_in):
    patience = Patience(tol=0.01, n_iter_no_change=12, latest=latest)
    losses = [first - fall * min(epoch, 30) for epoch in range(50)]
    verdicts = [patience.plateau(-epoch, None, loss) for epoch, loss in enumerate(losses)]
    assert verdicts.index(True) + 1 == stopped_in
    assert patience.best_score == 0
    # Less patience than it takes to see that.
    patience = Patience(tol=0.01, n_iter_no_change=2, latest=latest)
    assert [patience.plateau(-epoch, None, loss) for epoch, loss in enumerate(losses[:4])] == [False, False, False, True]
