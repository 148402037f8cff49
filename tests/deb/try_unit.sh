#!/bin/sh
# SPDX-License-Identifier: MIT
# Run inside a booted root once patina.service is up: one job through the service, then its state
# and its stop, as lines NAME=VALUE on standard output.
base=http://127.0.0.1:8080
tries=0
while [ ! -s /var/lib/patina/listen ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
key=$(cat /var/lib/patina/api-key)
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

url=$(curl -s $base/api/v1/uploads -H "x-api-key: $key" --data-binary @/srv/in.jpg | field imgUrl)
job=$(curl -s $base/api/v1/retexture -H "x-api-key: $key" \
    -d "{\"imgUrl\":\"$url\",\"remixPrompt\":\"marble\"}" | field job_id)
# The stream ends with the job.
status=$(curl -s -m 120 "$base/api/v1/job/$job/events" -H "x-api-key: $key" |
    grep -o '"status":"[a-z]*"' | tail -n 1 | field status)
echo "Status=$status"
sed -n 's/^\(CapEff\|NoNewPrivs\|Seccomp\):\t/\1=/p' \
    "/proc/$(systemctl show patina -p MainPID --value)/status"
systemctl stop patina
systemctl show patina -p Result -p ExecMainStatus -p User
journalctl -u patina --no-pager
