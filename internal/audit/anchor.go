package audit

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"gridgov/internal/fault"
)

// Anchor is the head of a city's chain at a moment, kept where the database's owner cannot change it.
type Anchor struct {
	At   time.Time
	City string
	Seq  int64
	MAC  []byte // of row Seq; none when there is no row
}

// String is the anchor as a line of an anchor file: time, city, number and MAC of the last row.
func (a Anchor) String() string {
	mac := hex.EncodeToString(a.MAC)
	if mac == "" {
		mac = "-"
	}
	return fmt.Sprintf("%s %s %d %s", a.At.UTC().Format(time.RFC3339), a.City, a.Seq, mac)
}

// ParseAnchor reads what String wrote.
func ParseAnchor(line string) (Anchor, bool) {
	f := strings.Split(line, " ")
	if len(f) != 4 || f[1] == "" {
		return Anchor{}, false
	}
	at, err := time.Parse(time.RFC3339, f[0])
	seq, err2 := strconv.ParseInt(f[2], 10, 64)
	a := Anchor{At: at.UTC(), City: f[1], Seq: seq}
	if f[3] != "-" {
		var err3 error
		a.MAC, err3 = hex.DecodeString(f[3])
		err2 = errors.Join(err2, err3)
	}
	return a, err == nil && err2 == nil && seq >= 0 && (seq == 0) == (len(a.MAC) == 0) && a.String() == line
}

// Append adds the anchor to a file, and returns when it is on disk.
func (a Anchor) Append(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(a.String() + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// ReadAnchors reads a city's anchors from a file.
func ReadAnchors(file, city string) (anchors []Anchor, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fault.Invalid("anchor", "cannot_read", "the anchors cannot be read: %v", err)
	}
	defer func() { _ = f.Close() }() // it was read
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		a, ok := ParseAnchor(lines.Text())
		if !ok {
			return nil, fault.Invalid("anchor", "bad_anchor", "is no anchor as serve --anchor writes them: TIME CITY NUMBER MAC").AtLine(n)
		}
		if a.City == city && a.Seq > 0 {
			anchors = append(anchors, a)
		}
	}
	return anchors, lines.Err()
}
