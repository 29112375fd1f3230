package kafkatest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Process is a real broker: KRaft, broker and controller in one JVM, loopback only. Its data directory outlives Kill,
// so Restart is a crash recovery.
type Process struct {
	addr string
	dir  string
	libs string

	mu   sync.Mutex
	proc *os.Process
	done chan struct{} // closed when proc has been reaped
}

// shared is the one real broker of this test binary; Main stops it.
var shared struct {
	sync.Mutex
	main   bool
	broker *Broker
	lack   string // why there is none
}

// Main runs the tests and then stops the shared broker. A package that calls Shared or Each needs it in its TestMain.
func Main(m *testing.M) int {
	shared.main = true
	code := m.Run()
	if b := shared.broker; b != nil {
		b.Process.Kill()
		os.RemoveAll(b.Process.dir)
	}
	return code
}

// Shared returns this test binary's real broker and starts it at the first call.
func Shared(tb testing.TB) *Broker {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.main {
		panic("BUG: kafkatest.Shared needs kafkatest.Main in TestMain")
	}
	if testing.Short() {
		tb.Skip("no real Kafka under -short")
	}
	if shared.broker == nil && shared.lack == "" {
		dir, err := os.MkdirTemp("", "streamd-kafka-")
		if err != nil {
			tb.Fatal(err)
		}
		if shared.broker, err = start(dir); err != nil {
			shared.lack = err.Error()
			os.RemoveAll(dir)
		}
	}
	if shared.broker == nil {
		if required() {
			tb.Fatalf("real Kafka is required: %s", shared.lack)
		}
		tb.Skipf("no real Kafka: %s", shared.lack)
	}
	return shared.broker
}

// start runs a broker on free ports.
func start(dir string) (*Broker, error) {
	libs, err := jars()
	if err != nil {
		return nil, err
	}
	port, err := freePorts()
	if err != nil {
		return nil, err
	}
	p := &Process{addr: fmt.Sprintf("127.0.0.1:%d", port), dir: dir, libs: libs}
	secure, extra, err := secured(port+2, dir)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.config(), []byte(properties(port, dir, secure)), 0o644); err != nil {
		return nil, err
	}
	format := exec.Command("java", p.java(append([]string{"kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", p.config()}, extra...)...)...)
	if out, err := format.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("format storage: %w: %s", err, out)
	}
	if err := p.launch(); err != nil {
		return nil, err
	}
	return &Broker{Addr: p.addr, Process: p, Secure: secure}, nil
}

// portsOfABroker is how many ports in a row a broker takes: clients in the clear, the controller, and secured listeners.
const portsOfABroker = 2 + securedListeners

// freePorts returns a port that is free together with its successors, below the ephemeral range: inside it, a client
// that keeps dialling a dead broker can be given the broker's port, or connect to itself.
func freePorts() (int, error) {
	free := func(port int) bool {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
		}
		return err == nil
	}
	for i := range 2000 {
		port, all := 20000+(os.Getpid()+i)*portsOfABroker%12000, true
		for n := range portsOfABroker {
			all = all && free(port+n)
		}
		if all {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row between 20000 and 32000", portsOfABroker)
}

func (p *Process) config() string { return filepath.Join(p.dir, "server.properties") }

func (p *Process) java(args ...string) []string {
	return append([]string{"-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-XX:+ExitOnOutOfMemoryError", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.NetworkClient=error", "-cp", p.libs + "/*"}, args...)
}

// launch starts the process and returns when it answers requests.
func (p *Process) launch() error {
	log, err := os.OpenFile(p.dir+"/broker.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("java", p.java("kafka.Kafka", p.config())...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	started, done := make(chan error, 1), make(chan struct{})
	go func() {
		// The kernel ends the child with the thread that made it, so that thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.mu.Lock()
	p.proc, p.done = cmd.Process, done
	p.mu.Unlock()
	if err := p.ready(done); err != nil {
		p.Kill()
		return fmt.Errorf("%w\n%s", err, p.Log())
	}
	return nil
}

// ready waits until the broker answers. A JVM on a loaded machine may need most of the time given here.
func (p *Process) ready(done chan struct{}) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.addr), kgo.RetryTimeout(time.Second))
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	for {
		if err := cl.Ping(ctx); err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("the broker process ended")
		case <-ctx.Done():
			return fmt.Errorf("the broker did not answer within 3 minutes")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *Process) signal(s syscall.Signal) chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.proc.Signal(s)
	return p.done
}

// Kill is kill -9; it returns when the process is gone.
//
// Apache Kafka 4.4.0 has a race here that no client can mend: a broker killed after it answered EndTxn and before it
// wrote the transaction's markers may, when it starts again, take the leaderless partition for a deleted one, skip the
// markers and log the transaction as complete. Its records then stay invisible until the same producer's next
// transaction in that partition ends, and share that one's outcome. A test that kills the broker and must not meet this
// calls Committed first, which waits for the markers.
func (p *Process) Kill() { <-p.signal(syscall.SIGKILL) }

// Stop ends the broker in order.
func (p *Process) Stop() { <-p.signal(syscall.SIGTERM) }

// Pause stops the process as a long pause of its machine would, Resume lets it go on.
func (p *Process) Pause()  { p.signal(syscall.SIGSTOP) }
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

// Restart starts a killed or stopped broker on its old data and address.
func (p *Process) Restart(tb testing.TB) {
	tb.Helper()
	if err := p.launch(); err != nil {
		tb.Fatalf("restart the broker: %v", err)
	}
}

// PID is the process id of the running broker.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.proc.Pid
}

// Log returns the last lines of the broker's log, for a failing test.
func (p *Process) Log() string {
	out, _ := os.ReadFile(p.dir + "/broker.log")
	lines := strings.Split(string(out), "\n")
	return strings.Join(lines[max(0, len(lines)-50):], "\n")
}

func properties(port int, dir string, secure *Secure) string {
	listeners, settings := secure.properties()
	return fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[2]d
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d%[4]s
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d%[4]s
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
%[5]s
log.dirs=%[3]s/data
auto.create.topics.enable=false
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A quick restart after kill -9.
controlled.shutdown.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# Tests wait for transaction timeouts and for the log cleaner.
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=500
log.initial.task.delay.ms=500
`, port, port+1, dir, listeners, settings)
}
