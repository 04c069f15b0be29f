# Verdict: ok
# A server and its clients, as busybox has them, over the loopback of the step's own: what they fetch is what is there, and nothing else can be reached.
mkdir www; echo "from the loopback" > www/small; yes | head -c 300000 > www/large
httpd -p 127.0.0.1:8000 -h $PWD/www || exit 3 # it listens when it comes back
for name in small large; do
    wget -q -O got http://127.0.0.1:8000/$name || exit 4
    cmp got www/$name || exit 5
done
wget -q -O got http://127.0.0.1:8001/small 2> why && exit 6
grep -q "refused" why || exit 7
wget -q -O got http://192.0.2.1/ 2> why && exit 8
grep -q "unreachable" why || exit 9
echo ok > $out
