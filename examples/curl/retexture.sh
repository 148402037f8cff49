#!/bin/sh
# SPDX-License-Identifier: MIT
# Uploads a photograph, has it retextured, waits, and stores the four pictures and the grid in
# FOLDER (here, when none is given). Needs curl and jq.
set -eu

usage='usage: PATINA_KEY=... retexture.sh PHOTO "PROMPT" [FOLDER]'
photo=${1:?$usage} prompt=${2:?$usage} folder=${3:-.} key=${PATINA_KEY:?$usage}
base=${PATINA_URL:-http://127.0.0.1:8080}

# One call; an error's message goes to the terminal and ends the script.
call() {
    body=$(curl -sS --fail-with-body -H "x-api-key: $key" "$@") || {
        printf '%s\n' "$body" | jq -r '.message // .' >&2
        exit 1
    }
    printf '%s' "$body"
}

[ -r "$photo" ] || { echo "$photo cannot be read" >&2; exit 1; }
answer=$(call "$base/api/v1/uploads" --data-binary "@$photo")
url=$(printf '%s' "$answer" | jq -r .imgUrl)

# The key makes the POST safe to repeat: the same job is answered, and paid, once.
task=$(jq -n --arg imgUrl "$url" --arg remixPrompt "$prompt" '$ARGS.named' |
    call "$base/api/v1/retexture" -H "Idempotency-Key: $(date +%s)-$$" --data-binary @-)
job=$(printf '%s' "$task" | jq -r .job_id)

while :; do
    task=$(call "$base/api/v1/job/$job")
    status=$(printf '%s' "$task" | jq -r .status)
    case $status in
    completed) break ;;
    failed)
        printf '%s' "$task" | jq -r .error.message >&2
        exit 1
        ;;
    esac
    printf '%s\n' "$task" | jq -r '"\(.status) \(.detail.progress // 0) %"' >&2
    sleep 1
done

printf '%s' "$task" | jq -r '.output | .image_url, .image_urls[]' | while read -r picture; do
    name=$(basename "${picture%%\?*}")
    curl -sS --fail -o "$folder/$name" "$picture"
    echo "$folder/$name"
done
