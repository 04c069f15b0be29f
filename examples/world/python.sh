# Python: four threads, a program started, a compiled module.
set -e
export PYTHONHOME=$debian/usr PYTHONDONTWRITEBYTECODE=1
python3.11 -c '
import hashlib, json, os, subprocess, threading, zlib

digests = []
threads = [threading.Thread(target=lambda n=n: digests.append(hashlib.sha256(bytes(n)).hexdigest())) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
said = subprocess.check_output(["bash", "-c", "echo hi"]).decode()
with open(os.environ["out"], "w") as out:
    json.dump([sorted(digests), said, zlib.crc32(b"x" * 100000)], out)'
cat $out
