# Debian's packages ($packages) in one tree, in which every program looks for its loader and libraries in that tree.
set -e
mkdir -p $out
cd $out
for package in $packages; do
    cp -R $package/. .
    chmod -R u+w .
    rm -rf usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/lintian usr/share/gdb
done

# Large, and used by nothing here: link-time optimisation, sanitizers, the linker gold, profilers, static libraries of binutils.
rm -rf usr/bin/*lto-dump* usr/bin/*gold* usr/bin/*dwp* usr/bin/*gp-* usr/bin/*gprofng* usr/lib/i386-linux-gnu/lib*gprofng* usr/lib/i386-linux-gnu/libbfd*.a \
    usr/lib/gcc/i686-linux-gnu/12/lto1 usr/lib/gcc/i686-linux-gnu/12/*san* usr/lib/python3.11/test usr/lib/i386-linux-gnu/perl-base/unicore

# Names that Debian's alternatives and the packages gcc and binutils would give.
ln -s gcc-12 usr/bin/gcc
ln -s gcc-12 usr/bin/cc
ln -s gawk usr/bin/awk
for tool in usr/bin/i686-linux-gnu-*; do
    name=${tool#usr/bin/i686-linux-gnu-}
    [ -e usr/bin/$name ] || ln -s i686-linux-gnu-$name usr/bin/$name
done

# Programs and libraries: the tree's own loader, and its folders to search. Where patchelf finds neither (static programs), nothing is to be changed.
L=$out/lib/i386-linux-gnu
U=$out/usr/lib/i386-linux-gnu
patch() {
    $libc/lib/i386-linux-gnu/ld-linux.so.2 --library-path $L:$U $patchelf "$@" 2> /dev/null || true
}
find . -type f | while read file; do
    [ "$(od -An -tx1 -N 4 "$file" | tr -d ' ')" = 7f454c46 ] || continue
    case "$file" in *.o | *.a | *.go | *ld-linux* | *libc.so.6) continue ;; esac
    patch --set-rpath "$L:$U:$U/guile/3.0" "$file"
    patch --set-interpreter "$L/ld-linux.so.2" "$file"
done

# Links and the linker's text libc.so name places of a Debian system: here they are in the tree.
find . -type l | while read link; do
    target=$(readlink $link)
    case $target in /*) [ ! -e $out$target ] || ln -sf $out$target $link ;; esac
done
sed -i "s#/usr/lib/i386-linux-gnu/#@U@/#g; s#/lib/i386-linux-gnu/#@L@/#g; s#@U@#$U#g; s#@L@#$L#g; s#/lib/ld-linux.so.2#$L/ld-linux.so.2#g" $U/libc.so
