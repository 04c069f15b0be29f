# A package of GNU: ./configure, make, make check where $check says so; $programs go into the output.
. $common
made="SHELL=$SHELL MAKEINFO=true HELP2MAN=true"
./configure --prefix=$out --disable-nls --disable-dependency-tracking || { tail -n 60 config.log; exit 1; }
make $made
[ -z "$check" ] || make $made check || { find . -name '*.log' | xargs tail -n 20; exit 1; }
mkdir -p $out/bin
cp $programs $out/bin
