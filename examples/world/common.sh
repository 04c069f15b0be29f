# What every builder of software begins with: a compiler that finds its parts in the merged tree, and the source, whose files are all of one time
# (so that no tool that is not here is asked to make one of them anew) and whose scripts are run by the tree's shell.
set -e
export LC_ALL=C SHELL=$debian/bin/bash CONFIG_SHELL=$debian/bin/bash
L=$debian/lib/i386-linux-gnu
U=$debian/usr/lib/i386-linux-gnu
export CC="gcc -B$U -L$L -L$U -isystem $debian/usr/include -isystem $debian/usr/include/i386-linux-gnu -Wl,-rpath,$L -Wl,--dynamic-linker,$L/ld-linux.so.2 -Wl,--build-id=none"
cp -r $source source
chmod -R u+w source
cd source
[ -e Makefile ] || [ -e configure ] || cd */
grep -rlE '^#! ?/bin/(ba)?sh' . | xargs -r sed -i "1s|^#! */bin/[a-z]*|#!$SHELL|"
find . -type f | xargs touch -d 1990-01-01
