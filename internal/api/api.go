// Package api is the service's HTTP face: routes, problem details, and the handlers that decode, call one use case and
// encode. openapi.yaml comes first; the types in types.gen.go are generated from it.
package api

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi.yaml
