# Four beside each other; a line for each: its name, and pass, fail STATUS, or unsupported.
L=$stress/lib; mkdir -p r; R=$PWD/r
worker() {
    n=0
    while read name ops; do
        n=$((n + 1)); [ $((n % 4)) = $1 ] || continue
        mkdir $R/$name.d; cd $R/$name.d
        timeout -s KILL 25 $L/ld-linux.so.2 --library-path $L $stress/stress-ng --$name 1 --$name-ops $ops --verify --timeout 10 --temp-path . > ../$name.log 2>&1 < /dev/null
        s=$?; cd $R
        if [ $s = 0 ] && grep -qi -e "not implemented" -e "skipping" -e "will be skipped" $name.log; then s=4; fi
        echo "$name $s" > $R/$name.res
        [ $s = 0 ] && echo "ok $name"
        [ $s = 0 ] || { echo "== $name $s"; grep -v -e "setting to" -e "dispatching" -e "no CPUs" $name.log | head -8; }
        rm -rf $name.d
    done < $stress/list
}
for k in 0 1 2 3; do worker $k & done
wait
cat $R/*.res | sort > $out
