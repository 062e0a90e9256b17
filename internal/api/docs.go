package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // docs.html
	"encoding/base64"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed docs.html
var docsHTML string

// reference is the description as the page of docs.html shows it.
type reference struct {
	Title, Intro string
	Groups       []group
	Schemas      []schema
}

type group struct {
	Name, Description string
	Operations        []operation
}

type operation struct {
	Method, Path, Summary, Description, Body string
	BodySchema                               string // "": the body has no schema of a name
	Parameters                               []field
	Answers                                  []field
}

type schema struct {
	Name   string
	Fields []field
}

type field struct {
	Name, In, Type, Description string
	Schema                      string // that Type names, "" for none
	Required                    bool
}

// docsPage renders openapi.yaml once; it is part of the binary, so it always loads (a test sees to it).
var docsPage = sync.OnceValues(func() ([]byte, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	t, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, describe(doc))
	return out.Bytes(), err
})

// docsPolicy lets the page have the one style that stands in it, known by its digest.
var docsPolicy = func() string {
	_, style, _ := strings.Cut(docsHTML, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	digest := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

func describe(doc *openapi3.T) reference {
	ref := reference{Title: doc.Info.Title, Intro: doc.Info.Description}
	for _, tag := range doc.Tags {
		g := group{Name: tag.Name, Description: tag.Description}
		for _, path := range doc.Paths.InMatchingOrder() {
			for method, op := range doc.Paths.Value(path).Operations() {
				if slices.Contains(op.Tags, tag.Name) {
					g.Operations = append(g.Operations, describeOperation(method, path, op))
				}
			}
		}
		slices.SortFunc(g.Operations, func(a, b operation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
		ref.Groups = append(ref.Groups, g)
	}
	for name, s := range doc.Components.Schemas {
		ref.Schemas = append(ref.Schemas, schema{name, fields(s.Value)})
	}
	slices.SortFunc(ref.Schemas, func(a, b schema) int { return strings.Compare(a.Name, b.Name) })
	return ref
}

func describeOperation(method, path string, op *openapi3.Operation) operation {
	out := operation{Method: method, Path: path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, field{Name: p.Value.Name, In: p.Value.In, Type: typeOf(p.Value.Schema), Schema: schemaOf(p.Value.Schema),
			Description: p.Value.Description, Required: p.Value.Required})
	}
	if op.RequestBody != nil {
		for _, m := range op.RequestBody.Value.Content {
			out.Body, out.BodySchema = typeOf(m.Schema), schemaOf(m.Schema)
		}
	}
	for status, r := range op.Responses.Map() {
		f := field{Name: status, Description: *r.Value.Description}
		for mime, m := range r.Value.Content {
			f.In, f.Type, f.Schema = mime, typeOf(m.Schema), schemaOf(m.Schema)
		}
		out.Answers = append(out.Answers, f)
	}
	slices.SortFunc(out.Answers, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// fields lists an object's properties; those of an allOf are taken together.
func fields(s *openapi3.Schema) []field {
	var out []field
	for _, part := range s.AllOf {
		out = append(out, fields(part.Value)...)
	}
	for name, p := range s.Properties {
		out = append(out, field{Name: name, Type: typeOf(p), Schema: schemaOf(p), Description: p.Value.Description, Required: slices.Contains(s.Required, name)})
	}
	if len(s.Enum) > 0 {
		out = append(out, field{Name: "one of", Type: enum(s)})
	}
	slices.SortFunc(out, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func typeOf(s *openapi3.SchemaRef) string {
	if s == nil || s.Value == nil {
		return ""
	}
	if s.Ref != "" {
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	}
	v := s.Value
	switch {
	case v.Items != nil:
		return "list of " + typeOf(v.Items)
	case len(v.Enum) > 0:
		return enum(v)
	case v.Format != "":
		return v.Format
	case v.Type != nil && len(*v.Type) > 0:
		return (*v.Type)[0]
	}
	return "object"
}

// schemaOf is the schema that a type, or the items of a list, are described by.
func schemaOf(s *openapi3.SchemaRef) string {
	switch {
	case s == nil || s.Value == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	}
	return schemaOf(s.Value.Items)
}

func enum(s *openapi3.Schema) string {
	var words []string
	for _, e := range s.Enum {
		if w, ok := e.(string); ok {
			words = append(words, w)
		}
	}
	return strings.Join(words, " | ")
}

func (a *api) getDocs(w http.ResponseWriter, _ *http.Request, _ *call) error {
	page, err := docsPage()
	if err != nil {
		return err
	}
	h := w.Header()
	document(h, docsPolicy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(page)
	return nil
}
