<?php
// PHP's own streams: HOST PATH BODY-FILE COUNT requests, a connection for each.
[, $host, $path, $file, $count] = $argv;
$http = [
    'method' => 'POST',
    'header' => "Content-Type: application/json\r\n",
    'content' => file_get_contents($file),
];
if ($proxy = getenv('HTTPS_PROXY')) {
    $http['proxy'] = str_replace('http:', 'tcp:', $proxy);
}
$context = stream_context_create(['http' => $http, 'ssl' => ['cafile' => getenv('SSL_CERT_FILE')]]);
for ($i = 0; $i < (int) $count; $i++) {
    if (file_get_contents("https://$host$path", false, $context) === false) {
        exit(1);
    }
}
