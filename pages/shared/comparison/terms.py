"""What the leaderboard's figures mean, as scoring has them."""

from pricer.evaluation.scoring import Scoring, Thresholds


def terms_of(scoring: Scoring) -> dict[str, str]:
    """Every figure's name and its explanation."""
    limits, counts = scoring.thresholds, scoring.no_answer == "train median"
    clipped = "Guesses are clipped to $1 to $999." if scoring.clipped else "Guesses are taken as they are, not clipped."
    no_answer = (
        "Where a model gave no answer, the median price of its train counts as its guess."
        if counts
        else "Items on which a model gave no answer are left out."
    )
    good = f"${limits.good_dollars:g} or less than {limits.good_share:.0%}"
    fair = f"${limits.fair_dollars:g} or less than {limits.fair_share:.0%}"
    rule = " by the first notebook's rule" if limits == Thresholds() else ""
    among = "; no-answers are among them" if counts else ""
    return {
        "Error": f"Mean distance between guess and price, in dollars. {clipped} {no_answer}",
        "95% interval": "Where the error would lie with other exam items of the same market, 19 times in 20. Items "
        "that are near-duplicates of each other count as one.",
        "Within 20%": "Share of guesses that are at most 20% of the price off.",
        "Median error": "Half of the guesses are closer than this.",
        "RMSLE": "Root mean square of the differences of ln(1 + dollars): being off by a factor counts the same for a "
        "cheap and a dear product. 0.1 is about 10%.",
        "R²": "Share of the variance of prices that the guesses explain; 0 is a guess of the mean, below 0 is worse.",
        "Hits": f"Share of good guesses{rule}: less than {good} off.",
        "Against the first": "How much more it errs than the first on the same items; tie where the 95% interval of "
        "that difference holds zero. A run without a place was asked too little to be ranked: there stands on how many "
        "items it was compared, and open where these are too few to tell.",
        "RMSE": "Root mean square of the errors, in dollars: a few large errors weigh more than many small ones.",
        "MAPE": "Mean of the errors as shares of their prices: being $5 off a $5 product counts as 100%.",
        "Bias": "Mean of guess less price: above zero where guesses are too dear on average.",
        "Fair": f"Share of guesses that are less than {fair} off, and not hits.",
        "Poor": f"Share of all other guesses{among}.",
        "Answered": "Share of the items asked that got a price at all.",
        "Error of answers": "Mean error of the answers alone. A model that refuses what is hard looks better here.",
    }
