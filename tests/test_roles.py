import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from pricer.catalogue.roles import BANDS, EXAM, POOL, SEALED, VALIDATION, Roles, assign_roles
from pricer.draws import ROLE_STREAM, SAMPLE_STREAM, draw
from pricer.items import item_key


def market(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys, groups (some of two or three items) and long-tailed prices."""
    random = np.random.default_rng(seed)
    keys = np.array([item_key(f"{seed}-{place}") for place in range(count)], dtype=np.uint64)
    groups = keys[np.minimum(np.arange(count), np.arange(count) // 3 * 3 + random.integers(0, 3, count))]
    return keys, groups, np.clip(np.exp(random.normal(3.4, 1.3, count)), 0.5, 999.49)


def roles_of(count: int) -> tuple[Roles, tuple]:
    arrays = market(count)
    return assign_roles(*arrays), arrays


def test_the_sizes_are_those_of_the_design():
    roles, (_, _, prices) = roles_of(9_457)
    assert (roles.natural_rank >= 0).sum() == 1_418
    band_sizes = np.histogram(prices, bins=BANDS)[0]
    assert (roles.balanced_rank >= 0).sum() == np.minimum(141, band_sizes // 5).sum()
    assert roles.count(VALIDATION) == 472
    assert sum(roles.count(role) for role in (EXAM, VALIDATION, SEALED, POOL)) == 9_457


def test_a_large_market_gives_ten_thousand_exam_and_five_thousand_validation_items():
    roles, _ = roles_of(120_000)
    assert (roles.natural_rank >= 0).sum() == 10_000 and roles.count(VALIDATION) == 5_000


@given(st.integers(1, 300))
def test_no_train_or_validation_item_shares_a_group_with_the_exam(count):
    roles, (_, groups, _) = roles_of(count)
    exam, validation = set(groups[roles.role == EXAM]), set(groups[roles.role == VALIDATION])
    pool = set(groups[roles.role == POOL])
    assert not exam & validation and not (exam | validation) & pool


def test_a_planted_near_duplicate_of_an_exam_item_is_sealed():
    keys, _, prices = market(1_000)
    alone = assign_roles(keys, keys, prices)
    groups = keys.copy()
    twin = np.flatnonzero(alone.role == POOL)[0]
    groups[twin] = keys[np.flatnonzero(alone.role == EXAM)[0]]
    assert assign_roles(keys, groups, prices).role[twin] == SEALED


def test_the_natural_exam_is_the_items_with_the_smallest_draws():
    roles, (keys, _, _) = roles_of(500)
    in_order = keys[np.argsort(draw(keys, ROLE_STREAM, 0))]
    ranked = keys[np.argsort(np.where(roles.natural_rank < 0, 10**9, roles.natural_rank))]
    assert (ranked[:75] == in_order[:75]).all()


def test_every_prefix_of_the_balanced_exam_is_balanced():
    roles, (_, _, prices) = roles_of(9_457)
    order = np.argsort(np.where(roles.balanced_rank < 0, 10**9, roles.balanced_rank))
    assert np.histogram(prices[order[:80]], bins=BANDS)[0].tolist() == [10] * 8


def test_validation_follows_the_markets_law_in_every_band():
    keys, _, prices = market(60_000)
    validation = prices[assign_roles(keys, keys, prices).role == VALIDATION]
    expected = np.histogram(prices, bins=BANDS)[0] / len(prices) * len(validation)
    counts = np.histogram(validation, bins=BANDS)[0]
    assert chisquare(counts, expected).pvalue > 0.001 and expected.min() > 5


def test_the_order_of_the_items_changes_no_role():
    keys, groups, prices = market(2_000)
    order = np.random.default_rng(5).permutation(2_000)
    straight, shuffled = assign_roles(keys, groups, prices), assign_roles(keys[order], groups[order], prices[order])
    assert (shuffled.role == straight.role[order]).all()
    assert (shuffled.balanced_rank == straight.balanced_rank[order]).all()


def test_the_exam_is_independent_of_the_sample():
    keys, _, _ = market(100_000)
    early = draw(keys, ROLE_STREAM, 0) < 0.2, draw(keys, SAMPLE_STREAM, 0) < 0.2
    expected = early[0].mean() * early[1].mean()
    assert abs((early[0] & early[1]).mean() - expected) < 4 * np.sqrt(expected / 100_000)
