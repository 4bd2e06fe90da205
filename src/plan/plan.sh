#
#   bash plan.sh                  shows what it would do, and changes nothing
#   bash plan.sh --apply [N...]   does the steps in their order, or these; what is already so is left alone
#   bash plan.sh --verify [N...]  looks which steps are still to be done
#   bash plan.sh --undo N...      goes back, last step first, from steps that this plan did (--even-so: from any)
#
# What was done is written into a file beside this one. --keep-going goes on after a step that fails. Credentials are those that the AWS CLI finds; steps of other accounts
# than theirs wait for another run. Exit codes: 0 all is well, 1 a step failed or is still to be done, 2 nothing could be
# run, 3 steps of other accounts wait.
set -u
# Nobody reads what the CLI would show in pages.
export AWS_PAGER=

numbers=() accounts=() regions=() severities=() policies=() titles=() resources=() impacts=()
# How long to wait before each look whether a step worked: what AWS tells lags behind what it did.
pauses=${LAWBOOK_PAUSES:-0 2 5 10 20}

step() {
  numbers+=("$1") accounts+=("$2") regions+=("$3") severities+=("$4") policies+=("$5") titles+=("$6")
  resources+=("$7") impacts+=("$8")
}

# What is for a person: why there are no commands, and the steps in the console.
reasons=() hands=()
by_hand() {
  local number=$1 line
  reasons[number]=$2 hands[number]=''
  shift 2
  for line in "$@"; do hands[number]+="     $line"$'\n'; done
}

is_by_hand() { [ -n "${reasons[$1]-}" ]; }
tell_by_hand() { printf '   by hand: no commands, since %s\n%s' "${reasons[$1]}" "${hands[$1]}"; }
has() { declare -F "$1" >/dev/null; }
say() { printf '%s\n' "$*"; }

heading() {
  local at=$1
  say ""
  say "${numbers[at]}. [${severities[at]}] ${titles[at]}"
  say "   ${policies[at]}, ${accounts[at]:-unknown account} ${regions[at]}"
  if [ -n "${resources[at]}" ]; then say "   resources: ${resources[at]}"; fi
  if [ -n "${impacts[at]}" ]; then say "   impact: ${impacts[at]}"; fi
}

# Runs a function under errexit: its exit status is in `status`. A condition around it would switch errexit off, and so would
# one around what calls it, as far up as it goes.
attempt() {
  (
    set -euo pipefail
    "$1"
  )
  status=$?
}

# The commands of a function without its frame.
body() { declare -f "$1" | sed -e '1,2d' -e '$d' -e 's/^    /     /'; }

show() {
  local at number
  for at in "${!numbers[@]}"; do
    number=${numbers[at]}
    heading "$at"
    if is_by_hand "$number"; then tell_by_hand "$number"; continue; fi
    body "do_$number"
    if has "verify_$number"; then say "   verified by:"; body "verify_$number"; fi
    if has "undo_$number"; then say "   undone by:"; body "undo_$number"; fi
  done
  say ""
  say "Nothing was changed. bash $0 --apply does it."
}

# 0: it is so. 1: it is not. 2: that cannot be told.
is_so() {
  has "verify_$1" || return 2
  attempt "verify_$1" >/dev/null 2>&1
  case $status in
    0) return 0 ;;
    # What the AWS CLI exits with when it was refused, or could not ask.
    12[67] | 130 | 25[2-5]) return 2 ;;
    *) return 1 ;;
  esac
}

# What a step is known by in the file of what was done.
mark() { printf '%s %s\n' "$1" "$(declare -f "do_$1" | cksum)"; }
is_ours() { [ -f "$0.done" ] && grep -qxF -e "$(mark "$1")" "$0.done"; }

apply_one() {
  local number=$1 pause so
  is_so "$number"
  so=$?
  if [ "$so" -eq 0 ]; then say "   already so, left alone"; return 0; fi
  # What fails half-way may have to be undone, too.
  is_ours "$number" || mark "$number" >>"$0.done"
  attempt "do_$number"
  if [ "$status" -ne 0 ]; then say "   FAILED with exit status $status"; return 1; fi
  if ! has "verify_$number"; then say "   done; there is no check of it"; return 0; fi
  for pause in $pauses; do
    sleep "$pause"
    is_so "$number"
    so=$?
    if [ "$so" -eq 0 ]; then say "   done, and verified"; return 0; fi
  done
  if [ "$so" -eq 2 ]; then say "   done, but NOT VERIFIED: the check could not be run"; else say "   done, but what was found is STILL THERE"; fi
  return 1
}

verify_one() {
  is_so "$1"
  case $? in
    0) say "   is so" ;;
    1) say "   STILL TO BE DONE"; return 1 ;;
    *) say "   cannot be told"; return 1 ;;
  esac
}

undo_one() {
  if ! has "undo_$1"; then say "   there is NO WAY BACK that commands could go"; return 1; fi
  if [ -z "$even_so" ] && ! is_ours "$1"; then say "   this plan did NOT DO it, so it is left alone (--even-so undoes it)"; return 1; fi
  attempt "undo_$1"
  if [ "$status" -ne 0 ]; then say "   FAILED with exit status $status"; return 1; fi
  say "   undone"
}

main() {
  local mode=show keep_going='' even_so='' word at number chosen=' ' account order=() failed=0 others=0 by_hand=0 stopped='' ended
  for word in "$@"; do
    case $word in
      --apply | --verify | --undo) mode=${word#--} ;;
      --keep-going) keep_going=1 ;;
      --even-so) even_so=1 ;;
      -h | --help) sed -n '2,/^set -u/s/^# \{0,1\}//p' "$0"; exit 0 ;;
      *)
        case " ${numbers[*]-} " in
          *" $word "*) chosen+="$word " ;;
          *) say "there is no step and no flag $word (try: bash $0 --help)" >&2; exit 2 ;;
        esac
        ;;
    esac
  done
  if [ "${#numbers[@]}" -eq 0 ]; then say "There is nothing to do."; exit 0; fi
  if [ "$mode" = show ]; then show; exit 0; fi
  if [ "$mode" = undo ] && [ "$chosen" = ' ' ]; then say "--undo needs the numbers of steps" >&2; exit 2; fi
  account=$(aws sts get-caller-identity --query Account --output text) || {
    say "the AWS CLI finds no credentials that work" >&2
    exit 2
  }
  if [ "$mode" = apply ] && ! : >>"$0.done"; then say "what is done could not be written down in $0.done" >&2; exit 2; fi
  for at in "${!numbers[@]}"; do
    if [ "$mode" = undo ]; then order=("$at" ${order[@]+"${order[@]}"}); else order+=("$at"); fi
  done
  for at in "${order[@]}"; do
    number=${numbers[at]}
    if [ "$chosen" != ' ' ]; then case $chosen in *" $number "*) ;; *) continue ;; esac; fi
    heading "$at"
    if is_by_hand "$number"; then tell_by_hand "$number"; by_hand=$((by_hand + 1)); continue; fi
    if [ "${accounts[at]}" != "$account" ]; then
      say "   waits: the credentials are of $account"
      others=$((others + 1))
      continue
    fi
    "${mode}_one" "$number"
    ended=$?
    if [ "$ended" -eq 0 ]; then continue; fi
    failed=$((failed + 1))
    if [ "$mode" != verify ] && [ -z "$keep_going" ]; then stopped=1; break; fi
  done
  say ""
  if [ -n "$stopped" ]; then say "Stopped at step $number. Run it again to go on: what is done is left alone."; fi
  if [ "$failed" -gt 0 ]; then say "$failed failed or still to be done."; fi
  if [ "$by_hand" -gt 0 ]; then say "$by_hand by hand."; fi
  if [ "$others" -gt 0 ]; then say "$others of other accounts wait for credentials of theirs."; fi
  if [ "$failed" -gt 0 ]; then exit 1; fi
  if [ "$others" -gt 0 ]; then exit 3; fi
  say "All is well."
}
