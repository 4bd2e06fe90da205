#!/usr/bin/env bash
# Runs `lawbook scan` as the inputs of action.yml say, and tells the steps that follow how it went. Fails only if there is
# nothing to tell: the exit code of the scan is an output, so that reports are still uploaded.
set -euo pipefail

: "${RUNNER_TEMP:?}" "${GITHUB_OUTPUT:?}"
# A summary may have 1 MiB, and a longer one is dropped whole.
readonly most=1000000

# Sets `list` to the lines of a text, but for empty ones and blanks at their ends.
lines() {
    list=()
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line#"${line%%[![:space:]]*}"}
        line=${line%"${line##*[![:space:]]}"}
        [ -z "$line" ] || list+=("$line")
    done <<< "$1"
}

reports=$RUNNER_TEMP/lawbook-reports
mkdir -p "$reports"
rm -f "$reports"/lawbook.*
# What no input says, `lawbook.yaml` may say: an empty one is no flag.
args=(scan)
for input in inventory:INPUT_INVENTORY pack:INPUT_PACKS; do
    name=${input#*:}
    lines "${!name:-}"
    for value in ${list[@]+"${list[@]}"}; do args+=("--${input%%:*}=$value"); done
done
for input in waivers:INPUT_WAIVERS baseline:INPUT_BASELINE fail-on:INPUT_FAIL_ON strict:INPUT_STRICT; do
    name=${input#*:}
    [ -z "${!name:-}" ] || args+=("--${input%%:*}=${!name}")
done
for format in json sarif markdown; do args+=("--report=$format=$reports/lawbook.$format"); done
if [ "${INPUT_ANNOTATIONS:-true}" = true ]; then args+=(--format=github); else args+=(--format=text); fi
lines "${INPUT_ARGS:-}"
args+=(${list[@]+"${list[@]}"})
# Into the log of the step, whatever file the configuration names; but where somebody says so here.
case " ${list[*]-} " in *' --output'[\ =]* | *' -o'*) ;; *) args+=(--output=-) ;; esac
lines "${INPUT_PATHS:-}"
# Whatever they are called, they are paths.
args+=(-- ${list[@]+"${list[@]}"})

code=0
lawbook "${args[@]}" || code=$?

sarif='' report='' found=''
[ ! -s "$reports/lawbook.sarif" ] || sarif=$reports/lawbook.sarif
if [ -s "$reports/lawbook.json" ]; then
    report=$reports/lawbook.json
    # The summary is the first member; nothing from a log stands before it.
    found=$(sed -n 's/^ *"new": \([0-9]*\),\{0,1\}$/\1/p; /^  "findings"/q' "$report" | head -n 1)
fi
{
    printf 'exit-code=%s\n' "$code"
    printf 'new-findings=%s\n' "$found"
    printf 'report=%s\n' "$report"
    printf 'sarif=%s\n' "$sarif"
} >> "$GITHUB_OUTPUT"

if [ "${INPUT_SUMMARY:-true}" = true ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -s "$reports/lawbook.markdown" ]; then
    if [ "$(wc -c < "$reports/lawbook.markdown")" -gt "$most" ]; then
        # Whole lines, so that no mark-up is cut in two.
        head -c "$most" "$reports/lawbook.markdown" | sed '$d' >> "$GITHUB_STEP_SUMMARY"
        printf '\n\n**This is not all:** the whole report is too long for a summary.\n' >> "$GITHUB_STEP_SUMMARY"
    else
        cat "$reports/lawbook.markdown" >> "$GITHUB_STEP_SUMMARY"
    fi
fi
