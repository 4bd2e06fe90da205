#!/usr/bin/env bash
# Puts `lawbook` on the PATH of the steps that follow: the binary of a release, checked by its SHA-256, or one that is built
# from the source of the action. What it is told is in the environment (see action.yml).
set -euo pipefail

fail() {
    printf '::error title=Lawbook::%s\n' "$1"
    exit 2
}

: "${RUNNER_TEMP:?}" "${GITHUB_PATH:?}" "${LAWBOOK_SOURCE:?}"
version=${LAWBOOK_VERSION:-}
home=$RUNNER_TEMP/lawbook
mkdir -p "$home/bin"

if [ -z "$version" ]; then
    [ -z "${LAWBOOK_SHA256:-}" ] || fail 'sha256 is of a release: version is missing'
    command -v cargo >/dev/null || fail 'there is no cargo to build Lawbook with (try: the input version, or a step that installs Rust)'
    cargo install --locked --path "$LAWBOOK_SOURCE" --root "$home" --no-track --force
else
    # It becomes part of an address, and of names of files.
    [[ $version =~ ^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail 'version is none: expected one such as 0.1.0'
    repository=${LAWBOOK_REPOSITORY:-}
    [[ $repository =~ ^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$ ]] || fail 'it is not known whose release is meant (try: the input repository)'
    version=${version#v}
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) target=x86_64-unknown-linux-gnu ;;
        Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-gnu ;;
        Darwin-arm64) target=aarch64-apple-darwin ;;
        *) fail "there are no releases for $(uname -s) on $(uname -m) (try: without version, to build it)" ;;
    esac
    archive=lawbook-$version-$target.tar.gz
    from=${GITHUB_SERVER_URL:-https://github.com}/$repository/releases/download/v$version
    get() {
        curl --fail --silent --show-error --location --proto '=https' --proto-redir '=https' --tlsv1.2 --retry 3 \
            --output "$home/$1" "$from/$1" || fail "$1 of release $version cannot be fetched"
    }
    get "$archive"
    wanted=${LAWBOOK_SHA256:-}
    if [ -z "$wanted" ]; then
        get SHA256SUMS
        wanted=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$home/SHA256SUMS")
    fi
    [[ $wanted =~ ^[0-9A-Fa-f]{64}$ ]] || fail "there is no SHA-256 for $archive"
    if command -v sha256sum >/dev/null; then sum=$(sha256sum "$home/$archive"); else sum=$(shasum -a 256 "$home/$archive"); fi
    sum=${sum%% *}
    [ "$sum" = "$(printf '%s' "$wanted" | tr 'A-F' 'a-f')" ] || fail "$archive is not what its SHA-256 says: expected $wanted, found $sum"
    # The one file that is wanted, wherever it stands in the archive.
    inside=$(tar -tzf "$home/$archive" | grep -E '^([^/]+/)?lawbook$' | head -n 1 || true)
    [ -n "$inside" ] || fail "$archive holds no lawbook"
    tar -xzOf "$home/$archive" "$inside" > "$home/bin/lawbook"
    chmod 755 "$home/bin/lawbook"
fi

"$home/bin/lawbook" --version || fail 'what was installed does not run here'
printf '%s\n' "$home/bin" >> "$GITHUB_PATH"
