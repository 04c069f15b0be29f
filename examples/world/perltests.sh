# Perl's own tests of what a kernel serves: $tests, which must all pass. Perl is a copy that calls /tmp/sh, its modules are those that Debian compiled.
set -e
export LC_ALL=C HOME=/tmp LD_LIBRARY_PATH=$PWD/libc:$debian/lib/i386-linux-gnu:$debian/usr/lib/i386-linux-gnu
. $shell
mkdir bin lib
cp $debian/usr/bin/perl bin
cp -r $modules/usr/share/perl/5.36.0/. lib
chmod -R u+w bin lib
cp -r $libperl/usr/lib/i386-linux-gnu/perl/5.36.0/. lib
chmod -R u+w lib
with_shell bin/perl lib/Config*.p[lm]
for folder in t $(printf '%s\n' $tests | grep -v ^t/ | sed 's|/t/.*||' | sort -u); do
    mkdir -p $folder
    cp -r $source/$folder/. $folder
done
chmod -R u+w .
for folder in */*/t; do
    [ -e $folder/test.pl ] || cp t/test.pl $folder # as modules have it that come by themselves
done
ln -s ../bin/perl t/perl
mkdir -p blib/lib blib/arch # which some tests of modules look for above them
export PATH=$PWD/bin:$PATH PERL5LIB=$PWD/lib
set -o pipefail
perl $run $tests | tee results
cp results $out
