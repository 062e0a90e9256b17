package postgres

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// confName is our part of the server's configuration, in its data folder.
const confName = "gridgov.conf"

// serverSettings fits a server to a machine that it shares with gridgov, whose reports lie in memory beside it.
func serverSettings(socketDir string, memory int64) string {
	const mb = 1 << 20
	share := func(part, low, high int64) int64 { return min(max(memory/part/mb, low), high) }
	return strings.Join([]string{
		"# Written by gridgov at each start.",
		"listen_addresses = ''",
		"unix_socket_directories = '" + strings.ReplaceAll(socketDir, "'", "''") + "'",
		"unix_socket_permissions = 0700",
		"max_connections = 200",
		fmt.Sprintf("shared_buffers = %dMB", share(8, 64, 2048)),
		fmt.Sprintf("effective_cache_size = %dMB", share(2, 256, 1<<20)),
		fmt.Sprintf("maintenance_work_mem = %dMB", share(32, 32, 1024)),
		"work_mem = 16MB",
		"# Few, large checkpoints: imports write much at once.",
		"max_wal_size = 2GB",
		"min_wal_size = 128MB",
		"checkpoint_timeout = 15min",
		"wal_compression = on",
		"# What was acknowledged survives a power cut.",
		"fsync = on",
		"synchronous_commit = on",
		"full_page_writes = on",
		"random_page_cost = 1.1",
		"jit = off",
		"timezone = 'UTC'",
		"log_timezone = 'UTC'",
		"logging_collector = on",
		"log_directory = '../log'",
		"log_filename = 'postgresql-%a.log'",
		"log_truncate_on_rotation = on",
		"log_rotation_age = 1d",
		"log_rotation_size = 0",
		"log_file_mode = 0600",
		"log_lock_waits = on",
		"log_min_duration_statement = 5s",
		"log_parameter_max_length = 0", // reports' texts do not belong in logs
		"log_parameter_max_length_on_error = 0",
		"",
	}, "\n")
}

// totalMemory returns the machine's memory in bytes, or a small machine's where it cannot be read.
func totalMemory() int64 {
	const small = 1 << 30
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return small
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" {
			if kb, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				return kb << 10
			}
		}
	}
	return small
}

func hasLine(text []byte, line string) bool {
	s := bufio.NewScanner(bytes.NewReader(text))
	for s.Scan() {
		if strings.TrimSpace(s.Text()) == line {
			return true
		}
	}
	return false
}
