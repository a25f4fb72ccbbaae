# tls.bash - certificates for tests, made when they are needed.
#
# NAME.pem and NAME.key are written to the current folder.
# shellcheck shell=bash

# make_certificate NAME [SUBJECTALTNAME]: signed by itself; by default for this
# machine's loopback names.
make_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" \
		-addext "subjectAltName=${2-IP:127.0.0.1,IP:::1,DNS:localhost}" 2>/dev/null
}

# make_signed NAME CA [SUBJECTALTNAME]: signed by CA.
make_signed() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null || return
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -days 2 \
		-CAcreateserial -out "$1.pem" 2>/dev/null -extfile <(
			lines "subjectAltName=${3-IP:127.0.0.1,IP:::1,DNS:localhost}"
		)
}

# certs_folder HOST: made and printed; where the user's own certificates for it
# belong.
certs_folder() {
	local folder=$HOME/.config/containers/certs.d/$1
	mkdir -p "$folder"
	echo "$folder"
}
