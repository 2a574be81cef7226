package natsbus_test

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/aspis-platform/aspis/internal/adapter/natsbus"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

// freeAddress is a loopback address that nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startCluster runs three servers on loopback and returns one's URL.
func startCluster(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const size = 3
	var routes []*url.URL
	for range size {
		routes = append(routes, &url.URL{Scheme: "nats", Host: freeAddress(t)})
	}
	var servers []*server.Server
	for i := range size {
		port, err := strconv.Atoi(routes[i].Port())
		if err != nil {
			t.Fatal(err)
		}
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT,
			NoSigs: true, NoLog: true, JetStream: true, SyncAlways: true,
			StoreDir: filepath.Join(dir, strconv.Itoa(i)), MaxPayload: 32 << 20,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port},
			Routes:  routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		go s.Start() // returns at Shutdown
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		if !s.ReadyForConnections(20 * time.Second) {
			t.Fatal("server not ready after 20 s")
		}
	}
	for end := time.Now().Add(20 * time.Second); !servers[0].JetStreamIsCurrent(); {
		if time.Now().After(end) {
			t.Fatal("no JetStream leader after 20 s")
		}
		time.Sleep(50 * time.Millisecond)
	}
	return servers[0].ClientURL()
}

// TestCluster: two processes' worth of Bus on one replicated stream.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three servers")
	}
	at := startCluster(t)
	connect := func() *natsbus.Bus {
		var err error
		for range 20 {
			var b *natsbus.Bus
			if b, err = natsbus.Connect(t.Context(), at, 3, nil); err == nil {
				t.Cleanup(func() { _ = b.Close() })
				return b
			}
			time.Sleep(250 * time.Millisecond) // the peers are still joining
		}
		t.Fatal(err)
		return nil
	}
	door, worker := connect(), connect()
	got := make(chan []monitor.Positioned, 1)
	go func() {
		ps, err := worker.Read(t.Context(), 0, 1)
		if err != nil {
			t.Error(err)
		}
		got <- ps
	}()
	for i := range 20 {
		if seq, dup, err := door.Append(t.Context(), monitortest.NewBatch(i, 100)); err != nil || dup || seq != uint64(i+1) {
			t.Fatalf("Append = %d, %v, %v", seq, dup, err)
		}
	}
	if ps := <-got; len(ps) != 1 || ps[0].Seq != 1 {
		t.Errorf("the waiting worker got %+v", ps)
	}
	if _, dup, err := worker.Append(t.Context(), monitortest.NewBatch(3, 100)); err != nil || !dup {
		t.Errorf("duplicate by the other: %v, %v", dup, err)
	}
	if err := worker.Trim(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if _, dup, err := door.Append(t.Context(), monitortest.NewBatch(3, 100)); err != nil || !dup {
		t.Errorf("duplicate of a trimmed batch: %v, %v", dup, err)
	}
	if st, err := door.State(t.Context()); err != nil || st.First != 11 || st.Last != 20 {
		t.Errorf("State = %+v, %v", st, err)
	}
	if err := door.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
