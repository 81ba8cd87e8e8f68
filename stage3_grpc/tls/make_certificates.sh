#!/usr/bin/env bash
# Makes certificates to try TLS out and for tests: make_certificates.sh FOLDER
#
#   ca            the authority of all others but these two:
#   other-ca      another authority
#   other-client  a client's, from the other authority
#   server        for localhost, 127.0.0.1 and ::1
#   wrong-name    a server's, for server.example
#   client        a client's, spiffe://rps.example/player/alice
#   expired       for a server on this machine or a client, valid until yesterday
#   future        the same, valid from tomorrow on
#
# For each a NAME.crt and a NAME.key in PEM. What the folder has of them is replaced.
set -euo pipefail
umask 077  # Only the owner may read the keys.

[ $# -eq 1 ] || {
  echo "usage: make_certificates.sh FOLDER" >&2
  exit 2
}
mkdir -p "$1"
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

here="DNS:localhost,IP:127.0.0.1,IP:::1"

# What `openssl ca` wants to know; unlike `openssl x509` it takes both dates.
cat >"$work/settings" <<SETTINGS
[ca]
default_ca = authority
[authority]
database = $work/database
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = anything
[anything]
commonName = supplied
SETTINGS
: >"$work/database"

main() {
  authority ca
  authority other-ca
  leaf server ca serverAuth "$here"
  leaf wrong-name ca serverAuth "DNS:server.example"
  leaf client ca clientAuth "URI:spiffe://rps.example/player/alice,DNS:alice.rps.example"
  leaf other-client other-ca clientAuth "URI:spiffe://rps.example/player/alice"
  leaf expired ca serverAuth,clientAuth "$here" "-30 days" "-1 day"
  leaf future ca serverAuth,clientAuth "$here" "+1 day" "+30 days"
}

# new_key <name>: the options of `openssl req` for a new key.
new_key() {
  echo -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1"
}

# authority <name>
authority() {
  # shellcheck disable=SC2046 # Several words are wanted.
  openssl req -x509 $(new_key "$1") -out "$1.crt" -days 31 2>"$work/log" || fail
}

# leaf <name> <authority> <usage> <names> [begin] [end]
leaf() {
  # shellcheck disable=SC2046
  openssl req $(new_key "$1") -out "$work/request" 2>"$work/log" || fail
  printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\nsubjectAltName=%s\n' "$3" "$4" \
    >"$work/extensions"
  openssl ca -batch -notext -config "$work/settings" -cert "$2.crt" -keyfile "$2.key" \
    -in "$work/request" -out "$1.crt" -extfile "$work/extensions" \
    -startdate "$(date_at "${5:--1 hour}")" -enddate "$(date_at "${6:-+30 days}")" \
    2>"$work/log" || fail
}

date_at() {
  date --utc --date "$1" +%Y%m%d%H%M%SZ
}

fail() {
  cat "$work/log" >&2
  exit 1
}

main
