#!/bin/sh
# Collects the inventory that the embedded policies ask for, with the AWS CLI and calls that only read, in the layout of
# docs/inventory.md: <folder>/<account>/<region>/<service>/<command>.json, and a manifest.
#
#   examples/collect-inventory.sh -o inventory                         every region that is enabled
#   examples/collect-inventory.sh -o inventory -r 'us-east-1 eu-west-1'
#   examples/collect-inventory.sh -p                                   the IAM policy that it needs
#
# A call that is refused is written into the manifest, so that policies say *not evaluated* and not *nothing found*. Any
# other failure is told, leaves its kind uncollected, and makes the exit code 1. Run again it goes on where it stopped: what
# is there is not asked for again, and what was refused is. The CLI reads all pages of an answer.
set -u

folder=inventory
regions=all

# Calls that are asked in every region, and those that are asked once.
regional='
ec2 describe-addresses
ec2 describe-flow-logs
ec2 describe-images --owners self
ec2 describe-instance-image-metadata
ec2 describe-instances
ec2 describe-nat-gateways
ec2 describe-network-acls
ec2 describe-network-interfaces
ec2 describe-route-tables
ec2 describe-security-groups
ec2 describe-snapshots --owner-ids self
ec2 describe-volumes
ec2 describe-vpcs
ec2 get-ebs-default-kms-key-id
ec2 get-ebs-encryption-by-default
ec2 get-image-block-public-access-state
ec2 get-snapshot-block-public-access-state
cloudtrail describe-trails
cloudtrail list-public-keys
cloudwatch describe-alarms
configservice describe-configuration-recorder-status
configservice describe-configuration-recorders
configservice describe-delivery-channel-status
configservice describe-delivery-channels
logs describe-log-groups
logs describe-metric-filters
'
once='
iam get-account-authorization-details
iam list-users
'
# Calls about one thing: the call, what the manifest says of its arguments, the call that lists the things, and the query that
# finds them in its answer. `{}` is the thing; DAY_AGO and NOW are times.
each='
cloudtrail get-trail-status --name {} | { "Name": "{}" } | cloudtrail describe-trails | trailList[].TrailARN
cloudtrail get-event-selectors --trail-name {} | { "TrailName": "{}" } | cloudtrail describe-trails | trailList[].TrailARN
cloudtrail get-event-data-store --event-data-store {} | { "EventDataStore": "{}" } | cloudtrail list-event-data-stores | EventDataStores[].EventDataStoreArn
cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name CPUUtilization --dimensions Name=InstanceId,Value={} --start-time DAY_AGO --end-time NOW --period 3600 --statistics Average | { "Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [{ "Name": "InstanceId", "Value": "{}" }] } | ec2 describe-instances | Reservations[].Instances[].InstanceId
ec2 describe-image-attribute --attribute launchPermission --image-id {} | { "Attribute": "launchPermission", "ImageId": "{}" } | ec2 describe-images --owners self | Images[].ImageId
ec2 describe-snapshot-attribute --attribute createVolumePermission --snapshot-id {} | { "Attribute": "createVolumePermission", "SnapshotId": "{}" } | ec2 describe-snapshots --owner-ids self | Snapshots[].SnapshotId
kms describe-key --key-id {} | { "KeyId": "{}" } | kms list-keys | Keys[].KeyId
kms get-key-rotation-status --key-id {} | { "KeyId": "{}" } | kms list-keys | Keys[].KeyId
'
# The same, of services that have no regions.
each_once='
iam list-access-keys --user-name {} | { "UserName": "{}" } | iam list-users | Users[].UserName
'

# The same about buckets of trails. Buckets have no regions, so all of them are asked from the first region.
buckets='
s3api get-bucket-acl --bucket {} | { "Bucket": "{}" } | cloudtrail describe-trails | trailList[].S3BucketName
s3api get-bucket-policy-status --bucket {} | { "Bucket": "{}" } | cloudtrail describe-trails | trailList[].S3BucketName
s3api get-public-access-block --bucket {} | { "Bucket": "{}" } | cloudtrail describe-trails | trailList[].S3BucketName
'

permissions() {
    cat <<'POLICY'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "cloudtrail:DescribeTrails", "cloudtrail:GetEventDataStore", "cloudtrail:GetEventSelectors",
        "cloudtrail:GetTrailStatus", "cloudtrail:ListEventDataStores", "cloudtrail:ListPublicKeys",
        "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricStatistics",
        "config:DescribeConfigurationRecorderStatus", "config:DescribeConfigurationRecorders",
        "config:DescribeDeliveryChannelStatus", "config:DescribeDeliveryChannels",
        "ec2:Describe*", "ec2:GetEbsDefaultKmsKeyId", "ec2:GetEbsEncryptionByDefault",
        "ec2:GetImageBlockPublicAccessState", "ec2:GetSnapshotBlockPublicAccessState",
        "iam:GenerateCredentialReport", "iam:GetAccessKeyLastUsed", "iam:GetAccountAuthorizationDetails",
        "iam:GetCredentialReport", "iam:ListAccessKeys", "iam:ListUsers",
        "kms:DescribeKey", "kms:GetKeyRotationStatus", "kms:ListKeys",
        "logs:DescribeLogGroups", "logs:DescribeMetricFilters",
        "s3:GetAccountPublicAccessBlock", "s3:GetBucketAcl", "s3:GetBucketPolicyStatus", "s3:GetBucketPublicAccessBlock",
        "sts:GetCallerIdentity"
      ],
      "Resource": "*"
    }
  ]
}
POLICY
}

usage() {
    sed -n '2,11s/^# \{0,1\}//p' "$0"
}

while getopts 'o:r:ph' flag; do
    case $flag in
        o) folder=$OPTARG ;;
        r) regions=$OPTARG ;;
        p) permissions; exit 0 ;;
        h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done

command -v aws >/dev/null 2>&1 || { echo "collect-inventory: there is no \`aws\` on the PATH (try: install the AWS CLI)" >&2; exit 2; }
account=$(aws sts get-caller-identity --query Account --output text) || exit 2
if [ "$regions" = all ]; then
    regions=$(aws ec2 describe-regions --query 'Regions[].RegionName' --output text) || exit 2
fi

mkdir -p "$folder" || exit 2
# One line an answer that the layout cannot tell; the manifest is made of them at the end.
notes=$folder/.answers
failures=0
touch "$notes"
# What was refused may be allowed by now.
grep -v '"status": "refused" }$' "$notes" > "$notes.part"
mv "$notes.part" "$notes"

# Text within a JSON string: ids, ARNs and names of regions hold nothing else that must be escaped.
escaped() {
    printf '%s' "$1" | sed 's/[\\"]/\\&/g'
}

# A thing as a file name that no other thing has: what is no letter, digit or hyphen is its code.
coded() {
    printf '%s' "$1" | LC_ALL=C awk '
        BEGIN { for (i = 1; i < 256; i++) code[sprintf("%c", i)] = sprintf("_%02x", i) }
        { for (i = 1; i <= length($0); i++) { c = substr($0, i, 1); printf "%s", c ~ /[A-Za-z0-9-]/ ? c : code[c] } }'
}

note() {
    printf '%s\n' "$1" >> "$notes"
}

# call REGION FILE MEMBERS SERVICE COMMAND [ARGUMENTS...]: asks, unless the answer is there. MEMBERS are those of the manifest
# beside service, command, account and region; without them the layout tells everything but a refusal.
call() {
    region=$1 file=$2 members=$3
    shift 3
    service=$1 name=$2
    [ -s "$folder/$file" ] && return 0
    about="\"service\": \"$service\", \"command\": \"$name\", \"account\": \"$account\", \"region\": \"$region\"$members"
    mkdir -p "$folder/$(dirname "$file")"
    if told=$(aws "$@" --region "$region" --output json 2>&1 > "$folder/$file.part"); then
        # A command that prints nothing says nothing.
        [ -s "$folder/$file.part" ] || { rm -f "$folder/$file.part"; return 0; }
        mv "$folder/$file.part" "$folder/$file"
        [ -z "$members" ] || note "{ $about, \"file\": \"$(escaped "$file")\" }"
        return 0
    fi
    rm -f "$folder/$file.part"
    # S3 calls it an error that there is nothing; it is an answer that says so.
    case $told in
        *"(NoSuchBucketPolicy)"*) nothing='{ "PolicyStatus": {} }' ;;
        *"(NoSuchPublicAccessBlockConfiguration)"*) nothing='{ "PublicAccessBlockConfiguration": {} }' ;;
        *) failed "$about" "$service $name in $region" "$told"; return 0 ;;
    esac
    printf '%s\n' "$nothing" > "$folder/$file"
    note "{ $about, \"file\": \"$(escaped "$file")\" }"
}

# failed MEMBERS NAME MESSAGE: a refusal is written down; anything else is told, and may go better the next time.
failed() {
    case $3 in
        *AccessDenied* | *UnauthorizedOperation* | *"not authorized"* | *AuthFailure* | *AuthorizationError*)
            note "{ $1, \"status\": \"refused\" }" ;;
        *)
            failures=$((failures + 1))
            printf 'collect-inventory: %s: %s\n' "$2" "$3" | tr '\n' ' ' >&2
            echo >&2 ;;
    esac
}

# The calls of a list, a line each, in a region.
all_of() {
    printf '%s\n' "$1" | while read -r service name arguments; do
        [ -n "$service" ] || continue
        # shellcheck disable=SC2086 # Arguments are words of their own.
        call "$2" "$account/$2/$service/$name.json" '' "$service" "$name" $arguments
        echo "$failures" > "$folder/.failures"
    done
    failures=$(cat "$folder/.failures" 2>/dev/null || echo 0)
}

# The calls of a list about one thing, for each thing there is in a region; asked there, or in another region.
each_of() {
    in=$2 ask_in=${3:-$2}
    printf '%s\n' "$1" | while IFS='|' read -r asking arguments lister query; do
        [ -n "$asking" ] || continue
        # shellcheck disable=SC2086 # Arguments are words of their own.
        set -- $asking
        about="\"service\": \"$1\", \"command\": \"$2\", \"account\": \"$account\", \"region\": \"$ask_in\""
        # Whoever may not list may not ask, either.
        # shellcheck disable=SC2086
        if things=$(aws $lister --region "$in" --query "${query# }" --output text 2>"$folder/.told"); then
            for thing in $things; do
                # shellcheck disable=SC2086
                [ "$thing" = None ] || one_of "$ask_in" "$thing" "$arguments" $asking
            done
        else
            failed "$about" "$1 $2 in $in, for want of a list" "$(cat "$folder/.told")"
        fi
        echo "$failures" > "$folder/.failures"
    done
    failures=$(cat "$folder/.failures" 2>/dev/null || echo 0)
}

# one_of REGION THING ARGUMENTS SERVICE COMMAND [WORDS...]: asks about a thing, which takes the place of `{}`.
one_of() {
    of=$1 thing=$2 members=${3# } members=${members% } file=$account/$1/$4/$5/$(coded "$2").json
    shift 3
    for word; do
        shift
        case $word in
            *'{}'*) set -- "$@" "${word%%'{}'*}$thing${word#*'{}'}" ;;
            DAY_AGO) set -- "$@" "$day_ago" ;;
            NOW) set -- "$@" "$now" ;;
            *) set -- "$@" "$word" ;;
        esac
    done
    call "$of" "$file" ", \"arguments\": ${members%%'{}'*}$(escaped "$thing")${members#*'{}'}" "$@"
}

# When access keys were used, which is asked by key and told without it.
keys_used() {
    users=$(aws iam list-users --region "$1" --query 'Users[].UserName' --output text 2>/dev/null) || return 0
    for user in $users; do
        [ "$user" = None ] && continue
        keys=$(aws iam list-access-keys --user-name "$user" --region "$1" --query 'AccessKeyMetadata[].AccessKeyId' --output text 2>/dev/null) || continue
        for key in $keys; do
            [ "$key" = None ] && continue
            one_of "$1" "$key" '{ "AccessKeyId": "{}" }' iam get-access-key-last-used --access-key-id '{}'
        done
    done
}

# The report on credentials is made when somebody asks for it, which takes some seconds.
credential_report() {
    [ -s "$folder/$account/$1/iam/get-credential-report.json" ] && return 0
    for pause in 1 2 4 8; do
        [ "$(aws iam generate-credential-report --region "$1" --query State --output text 2>/dev/null)" = COMPLETE ] && break
        sleep "${COLLECT_PAUSE:-$pause}"
    done
    call "$1" "$account/$1/iam/get-credential-report.json" '' iam get-credential-report
}

now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
# GNU's date, or BSD's.
day_ago=$(date -u -d '1 day ago' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v-1d +%Y-%m-%dT%H:%M:%SZ)
echo 0 > "$folder/.failures"
first=
for region in $regions; do
    echo "collect-inventory: $account $region" >&2
    all_of "$regional" "$region"
    each_of "$each" "$region"
    each_of "$buckets" "$region" "${first:=$region}"
done
for region in $regions; do
    all_of "$once" "$region"
    each_of "$each_once" "$region"
    keys_used "$region"
    credential_report "$region"
    one_of "$region" "$account" '{ "AccountId": "{}" }' s3control get-public-access-block --account-id '{}'
    break
done

{
    printf '{\n  "lawbook": 1,\n  "answers": [\n'
    sort -u "$notes" | sed 's/^/    /; $!s/$/,/'
    printf '  ]\n}\n'
} > "$folder/inventory.json.part"
mv "$folder/inventory.json.part" "$folder/inventory.json"
rm -f "$folder/.failures" "$folder/.told"

if [ "$failures" -gt 0 ]; then
    echo "collect-inventory: calls that failed: $failures; what they would have told was not collected (try: run it again)" >&2
    exit 1
fi
