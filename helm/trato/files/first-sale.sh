# What `helm test` runs: records an account, wins an opportunity with it, sees that on the account's timeline, and deletes
# both again. Needs sh, sed and curl, the variables GATEWAY and TOKEN, and of the token the right to do all this, as the
# role commercial-director has.
set -eu

# call METHOD PATH [BODY]: leaves the body of the answer in $answer; any status but 200 is a failure.
call() {
    answer=$(curl --silent --show-error --max-time 30 --request "$1" "$GATEWAY$2" --write-out '\n%{http_code}' \
        --header "authorization: Bearer $TOKEN" --header 'content-type: application/json' ${3:+--data "$3"})
    status=${answer##*[!0-9]}
    if [ "$status" != 200 ]; then
        printf '%s %s was answered:\n%s\n' "$1" "$2" "$answer" >&2
        return 1
    fi
}

# name COLLECTION: the first resource name of the collection in $answer.
name() {
    printf '%s' "$answer" | sed -n "s|.*\"name\": *\"\($1/[^\"/]*\)\".*|\1|p" | sed -n 1p
}

made=''
delete_what_was_made() {
    for resource in $made; do
        call DELETE "/v1/$resource" || echo "$resource is left behind" >&2
    done
}
trap delete_what_was_made EXIT

call GET '/v1/pipelines?pageSize=1'
pipeline=$(name pipelines)
if [ -z "$pipeline" ]; then
    call POST /v1/pipelines '{"displayName":"Installation test","stages":[{"key":"open","displayName":"Open"}]}'
    pipeline=$(name pipelines)
    made="$pipeline $made"
fi

call POST /v1/accounts '{"displayName":"Installation test"}'
account=$(name accounts)
made="$account $made"
echo "recorded $account"

call POST /v1/opportunities "{\"displayName\":\"Installation test\",\"account\":\"$account\",
    \"pipeline\":\"$pipeline\",\"amount\":{\"currencyCode\":\"EUR\",\"units\":\"100\"}}"
opportunity=$(name opportunities)
made="$opportunity $made"
call POST "/v1/$opportunity:win" '{}'
echo "won $opportunity"

# The timeline hears of it by an event.
seconds=0
until call GET "/v1/$account/timelineEntries" && [ "${answer#*opportunity.won}" != "$answer" ]; do
    if [ "$seconds" -ge 60 ]; then
        echo "a minute later the timeline of $account does not tell it" >&2
        exit 1
    fi
    seconds=$((seconds + 1))
    sleep 1
done
echo "the timeline of $account tells it"
