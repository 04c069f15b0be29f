# Four stressors beside each other, one instance of each, with a number of operations and thirty seconds; a line for each: its name, and its status. What ends
# with 0 and has no operation in its metrics has left itself out: 4, stress-ng's own word for what is not implemented.
lib=$tree/lib; mkdir results; R=$PWD/results
worker() {
    n=0
    while read name ops; do
        n=$((n + 1)); [ $((n % 4)) = $1 ] || continue
        mkdir $R/$name.d; cd $R/$name.d
        timeout -s KILL 90 $lib/ld-linux.so.2 --library-path $lib $tree/stress-ng --$name 1 --$name-ops $ops --verify --metrics --timeout 30 --temp-path . > log 2>&1 < /dev/null
        status=$?
        [ $status != 0 ] || grep -q "metrc: .* $name  *[1-9]" log || status=4
        if [ $status != 0 ]; then echo "$name ended with $status"; grep -v -e "setting to" -e dispatching -e "no CPUs" log | head -6; fi
        cd $R; rm -rf $name.d; echo "$name $status" > $name
    done < $tree/ops.list
}
for k in 0 1 2 3; do worker $k & done
wait
cat $R/* | sort > $out
