<?php
// PHP's curl: HOST PATH BODY-FILE COUNT requests on one handle.
[, $host, $path, $file, $count] = $argv;
$handle = curl_init("https://$host$path");
curl_setopt_array($handle, [
    CURLOPT_POSTFIELDS => file_get_contents($file),
    CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
    CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_2TLS,
    CURLOPT_CAINFO => getenv('SSL_CERT_FILE'),
    CURLOPT_RETURNTRANSFER => true,
]);
for ($i = 0; $i < (int) $count; $i++) {
    if (curl_exec($handle) === false || curl_getinfo($handle, CURLINFO_RESPONSE_CODE) !== 200) {
        fwrite(STDERR, curl_error($handle) . "\n");
        exit(1);
    }
}
