<?php
// A receiver as PHP's documentation has it: headers by getallheaders(), under the names that were sent.
$headers = getallheaders();
$body = file_get_contents('php://input');
$secret = trim(file_get_contents(__DIR__ . '/secret'));
$expected = 'sha256=' . hash_hmac('sha256', $body, $secret);
if (!isset($headers['X-GudDesk-Signature']) || !hash_equals($expected, $headers['X-GudDesk-Signature'])) {
    http_response_code(401);
    exit('not signed');
}
$event = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
echo 'verified ' . $event['event'];
