package main

import (
	"encoding/csv"
	"strconv"

	"gridgov/internal/fault"
)

func (r *rejects) add(err *fault.Error) {
	r.count++
	if r.count <= shownRejects {
		r.t.say("rejected: %v", err)
	} else if r.count == shownRejects+1 && r.file == nil {
		r.t.say("more are rejected; name a file with --rejects to have them all")
	}
	if r.file != nil {
		w := csv.NewWriter(r.file)
		_ = w.Write([]string{strconv.Itoa(err.Line), err.Field, err.Code, err.Message}) // told by Flush
		w.Flush()
	}
}

// close ends the file; the error is errRejected when there were any.
func (r *rejects) close() error {
	if r.file != nil {
		if err := r.file.Close(); err != nil {
			return err
		}
	}
	if r.count > 0 {
		return errRejected
	}
	return nil
}
