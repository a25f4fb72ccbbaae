"""count - add up the results of meson test runs.

    count.py TESTLOG.json...    prints PASSED FAILED

A test that speaks TAP counts once for each of its lines, any other test once.
What is skipped has not been checked, so it counts as failed; so does a TAP
test that ended badly without saying which line it was.
"""

import json
import re
import sys


def tap(text):
    good = bad = 0
    for line in text.splitlines():
        match = re.match(r"(not )?ok\b(.*)", line)
        if match and (match.group(1) or re.search(r"# skip", match.group(2), re.I)):
            bad += 1
        elif match:
            good += 1
    return good, bad


def count(test):
    good, bad = tap(test.get("stdout", "")) if "--tap" in test["command"] else (0, 0)
    whole = test["result"] in ("OK", "EXPECTEDFAIL")
    if not good and not bad:
        return (1, 0) if whole else (0, 1)
    return good, bad or int(not whole)


def main():
    passed = failed = 0
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as log:
            for line in log:
                good, bad = count(json.loads(line))
                passed, failed = passed + good, failed + bad
    print(passed, failed)


main()
