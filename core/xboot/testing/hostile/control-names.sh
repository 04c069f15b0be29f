# Wins: a log or a parser is misled by what a file is called
# Verdict: ok
mkdir $out; : > "$out/$(printf '\033[2J\n)(done')"; : > "$out/$(printf '\377\376')"; : > "$out/ "; : > "$out/-rf"
