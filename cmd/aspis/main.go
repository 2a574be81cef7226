// Command aspis is the whole platform: the server, its administration, the
// demonstration and the tools around them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/aspis-platform/aspis/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
