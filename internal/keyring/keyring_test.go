package keyring

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/fault"
)

var start = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func create(t *testing.T) (*Ring, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	r, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return r, path
}

func open(t *testing.T, path string) *Ring {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFileIsMadeOnce(t *testing.T) {
	r, path := create(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made over another: %v", err)
	}
	again := open(t, path)
	if r.Current() == "" || again.Current() != r.Current() || !bytes.Equal(again.Derive(r.Current(), "x"), r.Derive(r.Current(), "x")) {
		t.Errorf("made as %s, read as %s", r.Current(), again.Current())
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}

func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if _, err := Open(path); !errors.Is(err, ErrMissing) {
		t.Errorf("Open: %v", err)
	}
	if _, err := Create(filepath.Join(path, "deeper")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Create in no folder: %v", err)
	}
	r, path := create(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := r.Rotate(start); !errors.Is(err, ErrMissing) {
		t.Errorf("Rotate: %v", err)
	}
}

func TestFileThatOthersMayReadIsRefused(t *testing.T) {
	_, path := create(t)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o660, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		open(t, path)
	}
}

func TestDamagedFileIsRefused(t *testing.T) {
	r, path := create(t)
	if err := r.Rotate(start); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, b := range map[string][]byte{
		"empty": {}, "heading alone": lines[0], "cut": whole[:len(whole)-1], "cut in a line": whole[:len(whole)-20],
		"no heading": lines[1], "twice": append(slices.Clone(whole), lines[1]...), "blank line": append(slices.Clone(whole), '\n'),
		"other secret": bytes.Replace(whole, whole[len(whole)-4:len(whole)-1], []byte("zzz"), 1),
		"other id":     slices.Concat(lines[0], []byte("00000000"), lines[1][8:]),
		"fraction":     bytes.Replace(whole, []byte("Z "), []byte(".5Z "), 1),
		"too long":     append(slices.Clone(whole), bytes.Repeat([]byte("\n"), maxFile)...),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(filepath.Dir(path)); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a folder: %v", err)
	}
}

func TestRotateKeepsOlderKeys(t *testing.T) {
	r, path := create(t)
	first := r.Current()
	sealed, err := r.Seal("x", []byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	derived := r.Derive(first, "x")
	if err := r.Rotate(start); err != nil {
		t.Fatal(err)
	}
	second := r.Current()
	if second == first || !slices.Equal(r.IDs(), []ID{first, second}) || !r.Has(first) {
		t.Fatalf("%s, then %s: %v", first, second, r.IDs())
	}
	for _, r := range []*Ring{r, open(t, path)} {
		if plain, err := r.Open("x", sealed); err != nil || string(plain) != "before" {
			t.Errorf("what the older key sealed: %q, %v", plain, err)
		}
		if !bytes.Equal(r.Derive(first, "x"), derived) || bytes.Equal(r.Derive(second, "x"), derived) {
			t.Error("the derived keys are others, or the same")
		}
		again, err := r.Seal("x", nil)
		if by, ok := SealedBy(again); err != nil || !ok || by != second {
			t.Errorf("sealed by %s, %v, %v", by, ok, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A ring that was read before another process rotated finds the new key when it meets it.
func TestRotationElsewhereIsSeen(t *testing.T) {
	serving, path := create(t)
	before := serving.Current()
	other := open(t, path)
	if err := other.Rotate(start); err != nil {
		t.Fatal(err)
	}
	sealed, err := other.Seal("x", []byte("new"))
	if err != nil {
		t.Fatal(err)
	}
	if got := serving.Current(); got != before {
		t.Errorf("current is %s before the new key was met", got)
	}
	if plain, err := serving.Open("x", sealed); err != nil || string(plain) != "new" {
		t.Errorf("%q, %v", plain, err)
	}
	if serving.Current() != other.Current() {
		t.Error("the current key is still the old one")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if serving.Has("00000000") || !serving.Has(before) {
		t.Error("without the file the ring is another")
	}
}

func TestRotationsAtOnceLoseNoKey(t *testing.T) {
	const rings, times = 4, 5
	_, path := create(t)
	var work sync.WaitGroup
	for range rings {
		r := open(t, path)
		work.Go(func() {
			for range times {
				if err := r.Rotate(start); err != nil {
					t.Error(err)
				}
				if !r.Has(r.Current()) {
					t.Error("the ring has not its own key")
				}
			}
		})
	}
	work.Wait()
	if n := len(open(t, path).IDs()); n != 1+rings*times {
		t.Errorf("%d keys after %d rotations", n, rings*times)
	}
}

func TestSealedBytesOpenOnlyAsWhatTheyAre(t *testing.T) {
	r, _ := create(t)
	other, _ := create(t)
	rapid.Check(t, func(t *rapid.T) {
		plain, label := rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), rapid.String().Draw(t, "label")
		sealed, err := r.Seal(label, plain)
		if err != nil || len(sealed) != len(plain)+Overhead {
			t.Fatalf("%d bytes for %d, %v", len(sealed), len(plain), err)
		}
		if got, err := r.Open(label, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened as %q, %v", got, err)
		}
		if wrong := rapid.String().Draw(t, "wrong label"); wrong != label {
			if _, err := r.Open(wrong, sealed); !errors.Is(err, ErrForged) {
				t.Fatalf("under label %q: %v", wrong, err)
			}
		}
		if _, err := other.Open(label, sealed); !errors.Is(err, ErrNoKey) {
			t.Fatalf("by another ring: %v", err)
		}
		cut := rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")
		if _, err := r.Open(label, sealed[:cut]); !errors.Is(err, ErrForged) {
			t.Fatalf("cut to %d bytes of %d: %v", cut, len(sealed), err)
		}
		flip := rapid.IntRange(0, len(sealed)*8-1).Draw(t, "flip")
		sealed[flip/8] ^= 1 << (flip % 8)
		want := ErrForged
		if at := flip / 8; at >= 1 && at < headSize {
			want = ErrNoKey
		}
		if _, err := r.Open(label, sealed); !errors.Is(err, want) {
			t.Fatalf("bit %d flipped: %v, want %v", flip, err, want)
		}
	})
}

func TestEachSealIsAnother(t *testing.T) {
	r, _ := create(t)
	a, err := r.Seal("x", []byte("same"))
	b, err2 := r.Seal("x", []byte("same"))
	if err != nil || err2 != nil || bytes.Equal(a, b) {
		t.Errorf("%x and %x, %v, %v", a, b, err, err2)
	}
	if bytes.Equal(r.Derive(r.Current(), "x"), r.Derive(r.Current(), "y")) {
		t.Error("two labels give one key")
	}
	if n := len(r.Derive(r.Current(), "x")); n != 32 {
		t.Errorf("%d bytes are derived", n)
	}
	if got := r.Derive("00000000", "x"); got != nil {
		t.Errorf("an unknown key derives %x", got)
	}
}

func TestNoRing(t *testing.T) {
	var r *Ring
	if r.Current() != "" || r.Has("") || r.Has("00000000") || r.Derive("", "x") != nil || r.IDs() != nil {
		t.Error("a nil ring has keys")
	}
	if _, err := r.Seal("x", nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("Seal: %v", err)
	}
	if _, err := r.Open("x", make([]byte, 100)); !errors.Is(err, ErrNoKey) {
		t.Errorf("Open: %v", err)
	}
	if err := r.Rotate(start); !errors.Is(err, ErrNoKey) {
		t.Errorf("Rotate: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	whole := encode([]key{newKey(start), newKey(start)})
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte(heading + "\n"))
	f.Add([]byte(heading + "\n  \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := decode(b)
		if err != nil {
			return
		}
		if len(keys) == 0 {
			t.Fatal("no keys and no error")
		}
		again, err := decode(encode(keys))
		if err != nil || len(again) != len(keys) {
			t.Fatalf("%d keys are written and read as %d, %v", len(keys), len(again), err)
		}
		for i := range keys {
			if again[i].id != keys[i].id || !again[i].created.Equal(keys[i].created) || !bytes.Equal(again[i].secret, keys[i].secret) {
				t.Fatalf("key %d is another", i)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "keys")
	r, err := Create(path)
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := r.Seal("x", []byte("plain"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:Overhead])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := r.Open("x", b); err == nil && !bytes.Equal(b, sealed) {
			t.Fatalf("%x is opened", b)
		}
	})
}
