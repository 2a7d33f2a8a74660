"""Programs measured in turn, round by round: what is compared was seen in the same minute."""
import statistics
import sys


def turns(count, cases, subjects_of):
    """(case, subject) in the order in which they are to be run; subjects_of: a case to what is measured in it."""
    steps = count * sum(len(subjects_of(case)) for case in cases)
    done = 0
    for number in range(count):
        for case in cases:
            order = list(subjects_of(case))
            turn = number % len(order)  # nobody is always the first after another
            for subject in order[turn:] + order[:turn]:
                yield case, subject
                done += 1
                print(f"\r{done}/{steps}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def ratio(mine, theirs):
    """The median of the ratios within each round, where the machine was in one mood; None: there is none."""
    ratios = [one / other for one, other in zip(mine, theirs) if one is not None and other]
    return statistics.median(ratios) if ratios else None
