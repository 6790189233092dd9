# The policy of the tests. To build the bundle beside it again, with OPA 1.4.2 or later:
#
#   opa build -t wasm -e http/allow -e http/maybe -o policy.tar.gz policy.rego data.json
package http

import rego.v1

default allow := false

# Booleans, by path.
allow if input.request.path_parts[0] in {"open", "v1.0"}

# Objects: refused with a status and headers, or let through with headers for the app.
allow := {"allow": false, "status_code": 301, "additional_headers": {"location": "https://sign.in.test/", "x-reason": "nobody"}} if {
	input.request.path == "/moved"
}

allow := {"allow": true, "additional_headers": {"X-User": data.users[input.request.headers["X-Key"]]}} if {
	input.request.path == "/keyed"
	data.users[input.request.headers["X-Key"]]
}

allow := {"allow": true} if {
	input.request.path == "/body"
	input.request.method == "POST"
	input.request.body == "please"
}

allow := {"allow": true} if {
	input.request.path == "/query"
	input.request.query.name == ["a", "b c"]
	input.request.raw_query == "name=a&name=b+c"
}

# What no middleware can use.
allow := 1 if input.request.path == "/number"

allow := {"allow": true, "additional_headers": {"x-bad": "a\r\nx-evil: 1"}} if input.request.path == "/smuggle"

# Undefined for every other path.
maybe if input.request.path == "/yes"
