# Python's own tests of what a kernel serves: all of a module's pass, but for those that pythontests.py names. How many ran, and how many Python left out, is the output.
set -e
export PYTHONHOME=$debian/usr PYTHONDONTWRITEBYTECODE=1 LC_ALL=C HOME=/tmp LD_LIBRARY_PATH=$debian/lib/i386-linux-gnu # libgcc_s, which pthread_exit opens
mkdir lib
cp -r $support lib/test
chmod -R u+w lib
cp -r $tests/. lib/test
export PYTHONPATH=$PWD/lib
for module in $modules; do
    # with a terminal of its own, as somebody who runs them has
    if ! python3.11 $spawn $module > $module.log < /dev/null; then
        tail -n 200 $module.log
        echo "$module fails"
        failed=yes
    fi
    tr -d '\r' < $module.log | grep '^of '$module: | tee -a results
done
[ -z "$failed" ]
cp results $out
