# A script ($1) and what it reads ($common), written for i386, run for x86_64: names that Debian makes of the machine's are that machine's.
# There the loader has its own folder beside /lib, and the linker's text libm.so names places as libc.so does.
set -e
named() {
    sed 's#/lib/ld-linux\.so\.2#/lib64/ld-linux-x86-64.so.2#g; s#ld-linux\.so\.2#ld-linux-x86-64.so.2#g; s#i[36]86-linux-gnu#x86_64-linux-gnu#g; s#\$U/libc\.so$#& $U/libm.so#' $1
}
named $1 > script.sh
if [ -n "$common" ]; then
    named $common > common.sh
    export common=$PWD/common.sh
fi
. ./script.sh
