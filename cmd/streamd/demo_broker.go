package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/streamd/streamd/internal/inprocess"
)

// Topics of the demo.
const (
	topicRides = "ride.requests"
	topicPings = "driver.pings"
	topicSurge = "surge"
)

// demoBroker is a Kafka-compatible broker inside this process. It is for
// demonstrations: one node, no replicas, no authentication, loopback only.
type demoBroker struct {
	addr    string
	resumed bool // it held topics of an earlier run
	cluster *kfake.Cluster
}

// startBroker starts the demo broker. keep: topics live in dir/broker and the
// port of the first run is taken again where it is free.
func startBroker(dir string, keep bool) (*demoBroker, error) {
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.ClusterID("streamd-demo")}
	data, port := filepath.Join(dir, "broker"), 0
	b := &demoBroker{}
	if keep {
		_, err := os.Stat(data)
		b.resumed = err == nil
		opts = append(opts, kfake.DataDir(data))
		if s, err := os.ReadFile(filepath.Join(dir, "port")); err == nil {
			if p, err := strconv.Atoi(strings.TrimSpace(string(s))); err == nil && free(p) {
				port = p
			}
		}
	}
	if !b.resumed {
		opts = append(opts, kfake.SeedTopics(2, topicRides, topicPings), kfake.SeedTopics(1, topicSurge))
	}
	c, err := inprocess.Broker(append(opts, kfake.Ports(port))...)
	if err != nil {
		return nil, err
	}
	b.cluster, b.addr = c, c.ListenAddrs()[0]
	if keep {
		_, p, err := net.SplitHostPort(b.addr)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "port"), []byte(p+"\n"), 0o600)
		}
		if err != nil {
			c.Close()
			return nil, err
		}
	}
	return b, nil
}

func (b *demoBroker) close() { b.cluster.Close() }

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// lockDemo keeps two demos out of one directory.
func lockDemo(dir string) (func(), error) {
	f, err := os.OpenFile(filepath.Join(dir, "DEMO"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, &exit{exitFailed, err}
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, exitf(exitConflict, "another demo runs in %s", dir)
	}
	return func() { _ = f.Close() }, nil
}
