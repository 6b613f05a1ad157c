# LWP: HOST PATH BODY-FILE COUNT requests on one connection.
use strict;
use warnings;
use LWP::UserAgent;

my ($host, $path, $file, $count) = @ARGV;
open(my $input, '<:raw', $file) or die "$file: $!";
my $body = do { local $/; <$input> };
my $agent = LWP::UserAgent->new(keep_alive => 1);
$agent->proxy('https', $ENV{HTTPS_PROXY}) if $ENV{HTTPS_PROXY};
for (1 .. $count) {
    my $response = $agent->post("https://$host$path", 'Content-Type' => 'application/json', Content => $body);
    die $response->status_line unless $response->code == 200;
}
