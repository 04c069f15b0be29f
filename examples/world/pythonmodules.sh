# The tests of Python's $modules: all must pass, but for those that $spawn (pythontests.py) names. How many ran, and how many Python left out, is the output.
for module in $modules; do
    # with a terminal of its own, as somebody who runs them has
    if ! python3.11 $spawn $module > $module.log < /dev/null; then
        tail -n 200 $module.log
        echo "$module fails"
        failed=yes
    fi
    grep -E '(^| )skipped ' $module.log || true
    tr -d '\r' < $module.log | grep '^of '$module: | tee -a results
done
[ -z "$failed" ]
cp results $out
