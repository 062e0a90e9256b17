package report

import "testing"

// ReplaceInSteps makes a re-placement read and write so few reports at a time, until the test ends.
func ReplaceInSteps(t *testing.T, read int64, write int) {
	r, w := replaceRead, replaceWrite
	replaceRead, replaceWrite = read, write
	t.Cleanup(func() { replaceRead, replaceWrite = r, w })
}

// Content is the digest of what was sent.
func Content(n New) []byte { return n.content(nil) }
