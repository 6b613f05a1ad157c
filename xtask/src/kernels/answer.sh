#!/bin/busybox sh
# The sink of plaintext: takes one request from a connection and answers it.

length=0
while read -r name value; do
    value=${value%?}
    case $name in
        [Cc]ontent-[Ll]ength:) length=$value ;;
        ?) break ;;
    esac
done
head -c "$length" > /dev/null
printf 'HTTP/1.1 200 Sink\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}'
