# Python's own tests of what a kernel serves, as they run on the merged tree.
set -e
export PYTHONHOME=$debian/usr PYTHONDONTWRITEBYTECODE=1 LC_ALL=C HOME=/tmp LD_LIBRARY_PATH=$debian/lib/i386-linux-gnu # libgcc_s, which pthread_exit opens
mkdir lib
cp -r $support lib/test
chmod -R u+w lib
cp -r $tests/. lib/test
export PYTHONPATH=$PWD/lib
. $each
