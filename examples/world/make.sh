# GNU make: Debian's source has no configure, so autoconf and automake ($autotools; in $modules and $libperl is what they use of Perl) write it; then ./configure, make,
# and make's own tests. These call /bin/sh by name, as make and Perl do, which a builder has not: copies of all call /tmp/sh instead.
mkdir whole
cp -r $source whole/make # in a folder of its own: $common knows a source by its configure or Makefile
source=$PWD/whole
. $common
. $program
. $shell
mkdir autotools calling
cp $debian/usr/bin/perl tools
cp $m4/usr/bin/m4 calling
chmod u+w tools/perl calling/m4
with_shell tools/perl calling/m4
with_program $PWD/calling/m4
for package in $autotools; do
    cp -r $package/usr/. autotools
    chmod -R u+w autotools
done
grep -rlI /usr/ autotools | xargs sed -i "s|/usr/bin/perl|$PWD/tools/perl|g; s|/usr/bin/m4|$PWD/tools/m4|g; s|/usr/bin/au|$PWD/autotools/bin/au|g; s|/usr/share/a|$PWD/autotools/share/a|g"
grep -rlI '^#! */bin/sh' autotools | xargs sed -i "1s|^#! */bin/sh|#!$SHELL|"
export PATH=$PWD/autotools/bin:$PATH PERL5LIB=$modules/usr/share/perl/5.36:$(echo $libperl/usr/lib/*-linux-gnu/perl/5.36) M4=$PWD/tools/m4
sed -i 's|po/Makefile.in Makefile |po/Makefile.in |' configure.ac # named twice, since Debian took the manual out
sed -i '/^man_MANS/d' Makefile.am
printf 'AC_DEFUN([%s], [:])\n' PKG_PROG_PKG_CONFIG PKG_CHECK_EXISTS PKG_CHECK_MODULES > m4/pkg.m4 # which only ask for Guile; pkg-config is not here
aclocal-1.16 -I m4
autoconf
autoheader
automake-1.16 --add-missing --copy
find . -type f | xargs touch -d 1990-01-01
$SHELL ./configure --prefix=$out --disable-nls --disable-dependency-tracking --without-guile || { tail -n 60 config.log; exit 1; }
make SHELL=$SHELL MAKEINFO=true

cp make tests/make
ln -s $SHELL tools/sh
grep -rl /bin/sh tests | while read file; do with_shell $file; done
cd tests
# Left out: what wants the machine's load (here it is one for all kernels), a /usr/include, and another make within four seconds by the clock.
rm scripts/options/dash-l scripts/variables/INCLUDE_DIRS scripts/features/output-sync
perl -I. run_make_tests.pl -srcdir .. -make $PWD/make > ../log 2>&1 || { grep -v ' ok \| N/A$' ../log; tail -n 60 work/*/*.diff*; exit 1; }
cd ..
mkdir -p $out/bin
cp make $out/bin
grep 'Tests in' log | tee $out/results
grep -c ' N/A$' log || true
