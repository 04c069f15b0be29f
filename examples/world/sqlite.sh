# SQLite: Tcl makes the amalgamation, which is compiled; its shell runs $queries, which must print $answers to the byte; then SQLite's own test of
# several processes that write to one file, of which some are ended within a transaction (mptest). Without optimisation: cc1 would take minutes for it.
. $common
. $program
with_program $tcl/usr/bin/tclsh8.6 $(echo $libtcl/usr/lib/*-linux-gnu)
ln -s tclsh8.6 tools/tclsh
export TCL_LIBRARY=$libtcl/usr/share/tcltk/tcl8.6 TCL8_6_TM_PATH=$libtcl/usr/share/tcltk/tcl8.6/tcl8
make -f Makefile.linux-gcc SHELL=$SHELL TOP=. BCC="$CC" TCC="$CC" sqlite3.c shell.c
options="-I. -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS"
$CC $options -c sqlite3.c
$CC $options shell.c sqlite3.o -o sqlite3 -lm
$CC $options mptest/mptest.c sqlite3.o -o mptester -lm

# its last two are refused
export HOME=/tmp
if ./sqlite3 test.db < $queries > results 2>&1; then exit 1; fi
diff $answers results

# a writer is kept out while another one writes, and what that one had begun is undone when it is killed
mkfifo orders
./sqlite3 test.db < orders > said &
exec 3> orders
echo 'BEGIN EXCLUSIVE; DELETE FROM numbers; SELECT count(*) FROM numbers;' >&3
while ! grep -q '^0$' said; do sleep 0.1; done
if ./sqlite3 test.db 'INSERT INTO numbers VALUES (0)' 2>> results; then exit 1; fi
kill -9 $!
wait $! || true
./sqlite3 test.db 'SELECT count(*), sum(n) FROM numbers; PRAGMA integrity_check' >> results
tail -n 3 results

. $shell
for test in crash01 multiwrite01; do
    for mode in DELETE WAL; do
        LD_LIBRARY_PATH=$PWD/libc ./mptester mp.db mptest/$test.test --journalmode $mode --timeout 1000000 > log 2>&1 || { tail -n 60 log; exit 1; }
        echo "$test $mode $(grep Summary log)" | tee -a results
    done
done
mkdir -p $out/bin
cp sqlite3 $out/bin
cp results $out
