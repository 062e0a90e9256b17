// Package tilebench measures the tiles of reports against the SQL that others serve them with: the same generated
// reports, the same requests, the counts checked against each other in the same run.
package tilebench
