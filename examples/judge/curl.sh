#!/bin/bash
# A client made of curl and ten lines of bash: it takes ids and reconnection times from the stream, and reconnects after each
# response with status 200.
id='' retry=3000 status=200
while [[ $status == 200 ]]; do
    stream=$(curl -sLN -w '\n%{http_code}' -H 'Cache-Control: no-cache' -H "Last-Event-ID: $id" -H 'Authorization: judge' "$1")
    while IFS=$'\r' read -r line; do
        case $line in
            id:*) id=${line#id:} && id=${id# } ;;
            retry:*) retry=${line#retry:} ;;
            *) status=$line ;;
        esac
    done <<<"$stream"
    sleep "${retry}e-3"
done
