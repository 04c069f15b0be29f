# Verdict: ok
# A tree of all that a NAR can hold, with modes, owners' wishes and times that must not come out. tree() in suite.py makes the same one.
mkdir $out; cd $out
i=0; while [ $i -lt 18 ]; do head -c $i /dev/zero | tr '\0' x > size$i; i=$((i+1)); done
mkdir empty private; chmod 700 private; : > private/file; chmod 400 private/file
printf 'run\n' > run; chmod 711 run; printf 'no\n' > no; chmod 611 no
printf 'w\n' > world; chmod 666 world; touch -t 203001010000 world
ln -s /nowhere dangling; ln -s . here; ln -s "$(printf 'a\nb \377')" odd
: > "$(printf 'line\nfeed')"; : > "$(printf '\351t\351')"; : > 'a b'; : > '"quote\'; : > -n; : > '(list)'; : > .hidden; : > UP; : > up
head -c 1048577 /dev/zero > large
p=.; i=0; while [ $i -lt 50 ]; do p=$p/d; mkdir $p; i=$((i+1)); done; printf deep > $p/f
