# Python's own tests that start programs and shells: Python and its tests are in one folder, so that it finds them when it is told to look at nothing of its user's (-I).
set -e
export LC_ALL=C HOME=/tmp LD_LIBRARY_PATH=$PWD/libc:$debian/lib/i386-linux-gnu # its libgcc_s is what pthread_exit opens
. $common
mkdir -p python/bin python/lib
cp $debian/usr/bin/python3.11 python/bin
cp -r $debian/usr/lib/python3.11 python/lib
for part in $support $tests; do
    chmod -R u+w python
    mkdir -p python/lib/python3.11/test
    cp -r $part/. python/lib/python3.11/test
done
chmod -R u+w python
(cd python/lib/python3.11 && with_shell subprocess.py test/test_subprocess.py test/support/__init__.py)
export PATH=$PWD/python/bin:$PATH
. $each
