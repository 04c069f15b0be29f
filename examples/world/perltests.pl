# Runs tests of Perl's own: perl perltests.pl NAME…, where NAME is a file of t/ (which runs in t), or of a module (which runs in the module's folder).
# Exit status 0 if all passed. How many did, and how many Perl left out, is printed of each: no times.
use strict;
use warnings;
use Cwd;

$| = 1;
my $top = getcwd;
my $failed = 0;
for my $test (@ARGV) {
    my ($folder, $file) = $test =~ m{^t/} ? ('t', $test =~ s{^t/}{}r) : $test =~ m{^(.*?)/(t/.*)$};
    chdir "$top/$folder" or die "$folder: $!\n";
    open my $out, '-|', "$^X $file 2>&1" or die "$test: $!\n";
    my ($plan, $passed, $skipped, $refused, $said) = (-1, 0, 0, 0, '');
    while (<$out>) {
        $said .= $_;
        $plan = $1 if /^1\.\.(\d+)/;
        next unless /^(not )?ok\b/;
        if (/#\s*(?:skip|todo)/i) { $skipped++ } elsif ($1) { $refused++ } else { $passed++ }
    }
    my $good = close($out) && !$refused && $passed && $passed + $skipped == $plan; # a test that leaves itself out is none
    print "of $test: $passed tests passed, $skipped skipped\n" if $good;
    print "$said$test fails: its status is $?\n" unless $good;
    $failed ||= !$good;
}
exit $failed;
