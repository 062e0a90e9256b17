package archtest

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"gridgov/migrations"
)

// A city's schema may lie on a Citus worker. What fails there, some of it in silence, is written down in
// docs/architecture.md ("SQL that stays portable") and looked for here, in Go and in the migrations.

// broken is a rule that a piece of SQL, or a call that sends it, breaks.
type broken struct {
	at   token.Position
	rule string
	why  string
}

// The rules, by the word that a planted case names them with.
const (
	ruleTransaction = "transaction"
	ruleVolatile    = "volatile"
	ruleReturning   = "returning"
	ruleUpsert      = "upsert"
	ruleSchema      = "schema"
	ruleLock        = "lock"
	ruleConstraint  = "constraint"
	ruleTrigger     = "trigger"
	ruleFunction    = "function"
	ruleKind        = "kind"
	ruleKey         = "key"
	ruleIdentity    = "identity"
	ruleDefault     = "default"
)

var (
	writes   = regexp.MustCompile(`\b(INSERT INTO|UPDATE\s+\S+\s+(\w+\s+)?SET|DELETE FROM|MERGE INTO|TRUNCATE)\b`)
	volatile = regexp.MustCompile(`(?i)\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random|setseed|gen_random_uuid|` +
		`uuid_generate_v\w+|txid_current|pg_current_xact_id|current_setting|nextval|currval|lastval)\s*\(|` +
		`\b(current_(timestamp|date|time|user|role)|localtime(stamp)?|session_user)\b`)
	returning = regexp.MustCompile(`\bRETURNING\b`)
	upsert    = regexp.MustCompile(`\bDO UPDATE\s+SET\b`)
	bare      = regexp.MustCompile(`^(\w+\.)?[a-z]\w*$`)
	taken     = regexp.MustCompile(`^\w+\s*=\s*(excluded\.\w+|\$\d+(::[\w\[\]]+)?)$`)
	qualified = regexp.MustCompile(`\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+(\w+)\.\w+`)
	distinct  = regexp.MustCompile(`\bIS (NOT )?DISTINCT FROM\b`)
	advisory  = regexp.MustCompile(`\bpg_(try_)?advisory_(xact_)?lock`)
)

// databaseLock guards what all cities share: PostGIS itself.
const databaseLock = `'gridgov postgis'`

// judgeStatement tells what a statement breaks. What is not known of it before it runs stands as "?".
func judgeStatement(sql string, ofOneCity bool) (found []broken) {
	add := func(rule, why string) { found = append(found, broken{rule: rule, why: why}) }
	if advisory.MatchString(sql) && !strings.Contains(sql, "$") && !strings.Contains(sql, databaseLock) {
		add(ruleLock, "an advisory lock has the city in its key")
	}
	if m := qualified.FindStringSubmatch(distinct.ReplaceAllString(sql, "=")); ofOneCity && m != nil && !slices.Contains([]string{"public", "pg_catalog", "information_schema"}, m[1]) {
		add(ruleSchema, "a city's SQL names no schema: "+m[0])
	}
	if !writes.MatchString(sql) {
		return found
	}
	if m := volatile.FindString(sql); m != "" {
		add(ruleVolatile, "times, ids and random values of a write come as parameters: "+m)
	}
	for _, at := range returning.FindAllStringIndex(sql, -1) {
		for _, column := range list(sql[at[1]:]) {
			if !bare.MatchString(column) {
				add(ruleReturning, "RETURNING gives bare columns: "+column)
			}
		}
	}
	for _, at := range upsert.FindAllStringIndex(sql, -1) {
		for _, set := range list(sql[at[1]:]) {
			if !taken.MatchString(set) {
				add(ruleUpsert, "an upsert sets excluded.* and parameters: "+set)
			}
		}
	}
	return found
}

// list parts what follows RETURNING or SET at its commas, up to the end of the clause.
func list(sql string) (items []string) {
	depth, from := 0, 0
	end := func(i int) { items = append(items, strings.TrimSpace(sql[from:i])) }
	for i := range sql {
		switch {
		case sql[i] == '(':
			depth++
		case sql[i] == ')' && depth == 0, depth == 0 && clause.MatchString(sql[i:]):
			end(i)
			return items
		case sql[i] == ')':
			depth--
		case sql[i] == ',' && depth == 0:
			end(i)
			from = i + 1
		}
	}
	end(len(sql))
	return items
}

var clause = regexp.MustCompile(`^\s(WHERE|RETURNING|FROM)\b`)

// judgePackage looks at each string of a package that is SQL, and at each call that sends some.
func judgePackage(p *packages.Package, ofOneCity bool) (found []broken) {
	add := func(n ast.Node, all ...broken) {
		for _, b := range all {
			b.at = p.Fset.Position(n.Pos())
			found = append(found, b)
		}
	}
	for _, file := range p.Syntax {
		var function ast.Node
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				function = n
			case *ast.CallExpr:
				add(n, judgeCall(p.TypesInfo, n, function)...)
			case *ast.BinaryExpr:
				if sql, ok := text(p.TypesInfo, n); ok {
					add(n, judgeStatement(sql, ofOneCity)...)
					return false
				}
				if (n.Op == token.EQL || n.Op == token.NEQ) && (namesConstraint(n.X) || namesConstraint(n.Y)) {
					add(n, broken{rule: ruleConstraint, why: "a constraint's name may be empty or have a number at its end: match SQLSTATE"})
				}
			case *ast.SwitchStmt:
				if n.Tag != nil && namesConstraint(n.Tag) {
					add(n, broken{rule: ruleConstraint, why: "a constraint's name may be empty or have a number at its end: match SQLSTATE"})
				}
			case *ast.BasicLit:
				if sql, ok := text(p.TypesInfo, n); ok {
					add(n, judgeStatement(sql, ofOneCity)...)
				}
			}
			return true
		})
	}
	return found
}

func namesConstraint(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "ConstraintName"
}

// text is a string expression as far as it is known, with "?" for the rest; false for what is no string.
func text(info *types.Info, e ast.Expr) (string, bool) {
	t := info.TypeOf(e)
	if t == nil {
		return "", false
	}
	if b, ok := t.Underlying().(*types.Basic); !ok || b.Info()&types.IsString == 0 {
		return "", false
	}
	if v := info.Types[e].Value; v != nil {
		return constant.StringVal(v), true
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return text(info, e.X)
	case *ast.BinaryExpr:
		x, _ := text(info, e.X)
		y, _ := text(info, e.Y)
		return x + y, true
	case *ast.CallExpr: // fmt.Sprintf
		if len(e.Args) > 0 {
			if format, ok := text(info, e.Args[0]); ok {
				return format, true
			}
		}
	}
	return "?", true
}

const (
	pgxPath  = "github.com/jackc/pgx/v5"
	poolPath = pgxPath + "/pgxpool"
)

// judgeCall finds what writes outside of an explicit transaction: there half a batch may be kept.
func judgeCall(info *types.Info, call *ast.CallExpr, function ast.Node) []broken {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || info.Selections[method] == nil {
		return nil
	}
	receiver := info.TypeOf(method.X)
	if named := nameOf(receiver); named == pgxPath+".Tx" || named == poolPath+".Tx" || !sends(receiver) {
		return nil
	}
	outside := func(why string) []broken { return []broken{{rule: ruleTransaction, why: why}} }
	switch method.Sel.Name {
	case "CopyFrom":
		return outside("rows are copied outside of an explicit transaction")
	case "SendBatch":
		if !callsBeginTx(function) {
			return outside("a batch is sent outside of an explicit transaction")
		}
	case "Exec", "Query", "QueryRow":
		if len(call.Args) < 2 {
			return nil
		}
		if sql, _ := text(info, call.Args[1]); writes.MatchString(sql) {
			return outside("a write outside of an explicit transaction")
		}
	}
	return nil
}

// sends tells whether a receiver takes SQL: it has pgx's Query or Exec.
func sends(t types.Type) bool {
	for _, name := range []string{"Query", "Exec"} {
		object, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
		if f, ok := object.(*types.Func); ok {
			results := f.Type().(*types.Signature).Results()
			if results.Len() == 2 && strings.HasPrefix(nameOf(results.At(0).Type()), pgxPath) {
				return true
			}
		}
	}
	return false
}

func nameOf(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Path() + "." + named.Obj().Name()
}

// callsBeginTx: a batch that begins with BeginTx opens its transaction itself.
func callsBeginTx(function ast.Node) (found bool) {
	if function == nil {
		return false
	}
	ast.Inspect(function, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if ok {
			s, isMethod := call.Fun.(*ast.SelectorExpr)
			found = found || isMethod && s.Sel.Name == "BeginTx"
		}
		return !found
	})
	return found
}

var (
	comment   = regexp.MustCompile(`--[^\n]*`)
	forbidden = map[string]*regexp.Regexp{
		ruleTrigger:  regexp.MustCompile(`(?i)^CREATE\s+(OR REPLACE\s+)?(CONSTRAINT\s+)?(TRIGGER|RULE)\b`),
		ruleFunction: regexp.MustCompile(`(?i)^(DO\b|CREATE\s+(OR REPLACE\s+)?(FUNCTION|PROCEDURE)\b)`),
		ruleKind:     regexp.MustCompile(`(?i)^CREATE\s+(UNLOGGED|TEMP(ORARY)?)\b|\bINHERITS\b`),
		ruleIdentity: regexp.MustCompile(`(?i)\b(small|big)?serial\d?\b`),
		ruleDefault:  regexp.MustCompile(`(?i)\bDEFAULT\s+(\w+\s*\(|current_|local)`),
	}
	makesTable = regexp.MustCompile(`(?i)^CREATE\s+(UNLOGGED\s+)?TABLE\b`)
	partition  = regexp.MustCompile(`(?i)\bPARTITION OF\b`)
	primaryKey = regexp.MustCompile(`(?i)\bPRIMARY KEY\b`)
)

// riversFunction is the one function there may be: the library that runs jobs names it in its statements. It reads no table.
const riversFunction = "FUNCTION river_job_state_in_bitmask("

// judgeMigration looks at each statement of a migration.
func judgeMigration(name, script string) (found []broken) {
	line := 1
	for _, part := range strings.SplitAfter(comment.ReplaceAllString(script, ""), ";") {
		sql := strings.TrimSpace(part)
		blank := len(part) - len(strings.TrimLeft(part, " \t\n"))
		at := token.Position{Filename: name, Line: line + strings.Count(part[:blank], "\n")}
		line += strings.Count(part, "\n")
		for rule, pattern := range forbidden {
			if m := pattern.FindString(sql); m != "" && (rule != ruleFunction || !strings.Contains(sql, riversFunction)) {
				found = append(found, broken{at, rule, m})
			}
		}
		if makesTable.MatchString(sql) && !partition.MatchString(sql) && !primaryKey.MatchString(sql) {
			found = append(found, broken{at, ruleKey, "a table without a primary key"})
		}
		for _, b := range judgeStatement(sql, true) {
			b.at = at
			found = append(found, b)
		}
	}
	return found
}

func load(t *testing.T, patterns ...string) []*packages.Package {
	t.Helper()
	all, err := packages.Load(&packages.Config{Dir: "../..", Mode: packages.LoadSyntax}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		for _, err := range p.Errors {
			t.Fatal(err)
		}
	}
	return all
}

func TestSQLStaysPortable(t *testing.T) {
	seen := 0
	for _, p := range load(t, "./cmd/...", "./internal/...", "./tiles/...") {
		path := strings.TrimPrefix(p.PkgPath, module+"/")
		if l := layerOf(path); l == layerNamed("benchmarks") || l == layerNamed("support of tests") || path == "internal/archtest" {
			continue
		}
		seen++
		// Package postgres makes and moves schemas and keeps the registry of cities.
		for _, b := range judgePackage(p, path != "internal/postgres") {
			t.Errorf("%s: %s: %s", b.at, b.rule, b.why)
		}
	}
	if seen < 15 {
		t.Fatalf("only %d packages were looked at", seen)
	}
	for folder, files := range map[string]fs.FS{"city": migrations.City(), "registry": migrations.Registry()} {
		names, err := fs.Glob(files, "*.sql")
		if err != nil || len(names) == 0 {
			t.Fatalf("%v of %s, %v", names, folder, err)
		}
		for _, name := range names {
			script, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range judgeMigration(filepath.Join("migrations", folder, name), string(script)) {
				t.Errorf("%s: %s: %s", b.at, b.rule, b.why)
			}
		}
	}
}

// TestPlantedSQLIsFound: each line of testdata/planted that ends with "broken: RULE" breaks that rule, and no other line
// breaks one.
func TestPlantedSQLIsFound(t *testing.T) {
	const folder = "testdata/planted"
	var found []broken
	for _, p := range load(t, "./internal/archtest/"+folder) {
		found = append(found, judgePackage(p, true)...)
	}
	script, err := os.ReadFile(folder + "/planted.sql")
	if err != nil {
		t.Fatal(err)
	}
	found = append(found, judgeMigration("planted.sql", string(script))...)
	var got []string
	for _, b := range found {
		got = append(got, fmt.Sprintf("%s:%d %s", filepath.Base(b.at.Filename), b.at.Line, b.rule))
	}
	var want []string
	mark := regexp.MustCompile(`(?://|--) broken: (\w+)`)
	for _, name := range []string{"planted.go", "planted.sql"} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			for _, m := range mark.FindAllStringSubmatch(line, -1) {
				want = append(want, fmt.Sprintf("%s:%d %s", name, i+1, m[1]))
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
