#!xboot-shell 1
# system i686-linux
# source letter letter.txt
tr a-z A-Z < "$letter" > "$out"
