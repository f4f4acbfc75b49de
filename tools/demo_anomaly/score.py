"""How well the scores of readings tell strange ones from ordinary ones. For the report: nothing learns from it."""


def auc(scores: list, strange: list) -> float:
    """The share of pairs of a strange and an ordinary reading in which the strange one scores higher; ties count half."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    positives = sum(strange)
    ranks, at = 0.0, 0
    while at < len(order):
        end = at
        while end < len(order) and scores[order[end]] == scores[order[at]]:
            end += 1
        ranks += sum(strange[row] for row in order[at:end]) * (at + 1 + end) / 2
        at = end
    return (ranks - positives * (positives + 1) / 2) / (positives * (len(scores) - positives))


def f1(flagged: list, strange: list) -> float:
    right = sum(f and s for f, s in zip(flagged, strange))
    return 2 * right / (sum(flagged) + sum(strange)) if right else 0.0
