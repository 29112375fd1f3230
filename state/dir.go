package state

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/streamd/streamd/connectors"
)

// Format is the version of the directory's layout this release reads and writes.
// 1 had the pages of the base in Badger.
const Format = 2

// Meta is what a directory says of itself, in meta.json.
type Meta struct {
	Format      int
	Lineage     [16]byte // made with the job's state
	Topic       [16]byte // UUID of the control topic; zero = none yet
	Job         string
	Incarnation int64 // of a local decider
	Adopted     *Adopted
}

// metaJSON is Meta as it stands in the file.
type metaJSON struct {
	Format      int          `json:"format"`
	Lineage     string       `json:"lineage"`
	Topic       string       `json:"control_topic"`
	Job         string       `json:"job"`
	Incarnation int64        `json:"incarnation"`
	Adopted     *adoptedJSON `json:"adopted,omitempty"`
}

type adoptedJSON struct {
	As   connectors.EpochID `json:"as"`
	At   connectors.EpochID `json:"at"`
	Past []string           `json:"past"`
}

func (m Meta) write(dir string) error {
	x := metaJSON{Format: m.Format, Lineage: hex.EncodeToString(m.Lineage[:]), Topic: hex.EncodeToString(m.Topic[:]),
		Job: m.Job, Incarnation: m.Incarnation}
	if a := m.Adopted; a != nil {
		x.Adopted = &adoptedJSON{As: a.As, At: a.At, Past: []string{}}
		for _, p := range a.Past {
			x.Adopted.Past = append(x.Adopted.Past, hex.EncodeToString(p[:]))
		}
	}
	js, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	// Its own checksum, behind the JSON: a flipped digit must not pass for a lineage.
	sum := crcHex(js)
	if err := durable(filepath.Join(dir, "meta.json"), append(js, "\n"+sum+"\n"...)); err != nil {
		return notWritten(err)
	}
	return nil
}

// readMeta returns found = false where there is no meta.json.
func readMeta(dir string) (m Meta, found bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	m, err = parseMeta(b)
	return m, true, err
}

// parseMeta reads the bytes of a meta.json.
func parseMeta(b []byte) (m Meta, err error) {
	bad := func(why string) (Meta, error) {
		return m, refuse(Corrupt, nil, "meta.json: %s", why)
	}
	i := strings.LastIndexByte(strings.TrimSuffix(string(b), "\n"), '\n')
	if i < 0 || string(b[i+1:]) != crcHex(b[:i])+"\n" {
		return bad("its checksum is wrong")
	}
	var js metaJSON
	if err := json.Unmarshal(b[:i], &js); err != nil {
		return bad(err.Error())
	}
	if js.Format > Format {
		return m, refuse(NewerFormat, nil, "the directory has format %d, this release reads %d", js.Format, Format)
	}
	m = Meta{Format: js.Format, Job: js.Job, Incarnation: js.Incarnation}
	type id struct {
		hex string
		to  []byte
	}
	all := []id{{js.Lineage, m.Lineage[:]}, {js.Topic, m.Topic[:]}}
	if a := js.Adopted; a != nil {
		m.Adopted = &Adopted{As: a.As, At: a.At, Past: make([][16]byte, len(a.Past))}
		for i, p := range a.Past {
			all = append(all, id{p, m.Adopted.Past[i][:]})
		}
	}
	for _, f := range all {
		if x, err := hex.DecodeString(f.hex); err != nil || copy(f.to, x) != 16 || len(x) != 16 {
			return bad("an id is not 16 bytes in hexadecimal")
		}
	}
	return m, nil
}

func newLineage() (id [16]byte) {
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// makeDirs makes a directory and those above it that are missing, durably.
func makeDirs(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	up := filepath.Dir(dir)
	if up != dir {
		if err := makeDirs(up); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(up)
}

// lockDir takes the lock of a directory; a stopped process keeps it.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "LOCK")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		b, _ := os.ReadFile(path)
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		pid, nerr := strconv.Atoi(strings.TrimSpace(string(b)))
		if nerr != nil {
			pid = 0
		}
		return nil, refuse(InUse, nil, "%s is locked by pid %d", dir, pid)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}

// readDeltas removes what was never finished and reads all deltas, by number and
// incarnation. A delta has its name only once it is whole and on disk: one that
// is not whole was damaged later.
func readDeltas(dir string) ([]*Delta, error) {
	for _, d := range []string{dir, filepath.Join(dir, "delta")} {
		tmp, _ := filepath.Glob(filepath.Join(d, "*.tmp"))
		for _, t := range tmp {
			if err := os.Remove(t); err != nil {
				return nil, err
			}
		}
	}
	// A rename that is seen now may not be on disk yet.
	if err := syncDir(filepath.Join(dir, "delta")); err != nil {
		return nil, err
	}
	ents, err := os.ReadDir(filepath.Join(dir, "delta"))
	if err != nil {
		return nil, err
	}
	var out []*Delta
	for _, e := range ents {
		if !strings.HasSuffix(e.Name(), ".delta") {
			return nil, refuse(Corrupt, nil, "delta/%s does not belong there", e.Name())
		}
		d, err := readDelta(filepath.Join(dir, "delta", e.Name()))
		if err != nil {
			return nil, corruptIn("delta/"+e.Name(), err)
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *Delta) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// corruptIn makes a finding about stored bytes a refusal; other errors stay.
func corruptIn(where string, err error) error {
	if c := (*corrupt)(nil); errors.As(err, &c) {
		if where != "" {
			where += ": "
		}
		return refuse(Corrupt, nil, "%s%s", where, c.what)
	}
	return err
}

// NotWrittenError says that an epoch could not be made durable: the incarnation
// is over, and the job recovers by itself.
type NotWrittenError struct{ Err error }

func (e *NotWrittenError) Error() string { return "STATE NOT WRITTEN: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *NotWrittenError) Unwrap() error { return e.Err }

func notWritten(err error) error {
	if err == nil {
		return nil
	}
	return &NotWrittenError{err}
}

// room tells, as a reason to wait, that the disk of dir is nearly full. Badger
// writes through memory maps, where a full disk is a signal that kills.
func room(dir string, used int64, stat func(string) (free int64, err error)) string {
	free, err := stat(dir)
	if err != nil {
		return ""
	}
	need := max(256<<20, 32<<20+used/4)
	if free >= need {
		return ""
	}
	return fmt.Sprintf("DISK NEARLY FULL: %d MiB free in %s, %d MiB needed", free>>20, dir, need>>20)
}

func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// usedBytes is what the files of a directory take on disk, holes left out.
func usedBytes(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a file that has just gone takes no room
		}
		if e.IsDir() {
			return nil
		}
		if fi, err := e.Info(); err == nil {
			if st, ok := fi.Sys().(*syscall.Stat_t); ok {
				n += st.Blocks * 512
			}
		}
		return nil
	})
	return n
}
