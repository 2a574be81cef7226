package bench

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memory is a process's resident size now and at most, in 10^6 bytes. Where
// there is no /proc both are 0.
type memory struct{ now, most float64 }

func memoryOf(pid int) memory {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}
	}
	read := func(name string) float64 {
		_, rest, _ := strings.Cut(string(text), "\n"+name+":")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return 0
		}
		kb, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return 0
		}
		return kb * 1024 / 1e6
	}
	return memory{read("VmRSS"), read("VmHWM")}
}

// watch samples a process's memory until the returned function is called,
// which returns the most that was seen.
func watch(ctx context.Context, pid int) func() float64 {
	ctx, cancel := context.WithCancel(ctx)
	most := make(chan float64, 1)
	go func() {
		seen := 0.0
		for {
			seen = max(seen, memoryOf(pid).now)
			if pause(ctx, 200*time.Millisecond) != nil {
				most <- seen
				return
			}
		}
	}()
	return func() float64 {
		cancel()
		return <-most
	}
}

// tick is the unit of /proc/PID/stat, 1/100 s on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpuOf is the processor time of a process so far; 0 where there is no /proc.
func cpuOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything; utime and stime are the
	// 12th and 13th field after it (proc(5)).
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * tick
}

// ownCPU is the driver's own processor time so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func perRecord(cpu time.Duration, records int64) float64 {
	if records == 0 {
		return 0
	}
	return round(float64(cpu.Microseconds()) / float64(records))
}

// sizeOf is the size of the files in a folder, in bytes.
func sizeOf(folder string) float64 {
	var sum int64
	_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // files come and go
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return float64(sum)
}

// settled waits until the server has little to do: under a tenth of a
// processor for a second.
func (s *server) settled(ctx context.Context) error {
	last := time.Duration(0)
	return until(ctx, 10*time.Minute, time.Second, func() (bool, error) {
		now := cpuOf(s.pid)
		calm := now-last < 100*time.Millisecond && last > 0
		last = now
		return calm || now == 0, nil
	})
}
