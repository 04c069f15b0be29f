# The three files that the machine is given for hello on tccboot. Their names are xboot's own.
set -eu
mkdir $out
cat $loader > $out/loader
cat $kernel > $out/kernel
cat $archive > $out/payload
