package file

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/streamd/streamd/connectors"
)

// entry is one staged file of an epoch.
type entry struct {
	staged string // name in the staging directory
	target string // path below the sink's directory
	size   int64
	crc    uint32 // CRC32C of the content
}

// encodeEntries writes a list: count, then for each its names with their
// lengths, size and CRC.
func encodeEntries(list []entry) []byte {
	b := binary.AppendUvarint(nil, uint64(len(list)))
	for _, x := range list {
		for _, s := range []string{x.staged, x.target} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
		b = binary.AppendUvarint(b, uint64(x.size))
		b = binary.BigEndian.AppendUint32(b, x.crc)
	}
	return b
}

var errList = errors.New("the list of staged files is damaged")

func decodeEntries(b []byte) ([]entry, error) {
	bad := false
	number := func() uint64 {
		n, k := binary.Uvarint(b)
		if k <= 0 {
			bad = true
			return 0
		}
		b = b[k:]
		return n
	}
	text := func() string {
		n := number()
		if bad || n > uint64(len(b)) {
			bad = true
			return ""
		}
		s := string(b[:n])
		b = b[n:]
		return s
	}
	var list []entry
	for n := number(); n > 0 && !bad; n-- {
		x := entry{staged: text(), target: text(), size: int64(number())}
		if len(b) < 4 {
			return nil, errList
		}
		x.crc = binary.BigEndian.Uint32(b)
		b = b[4:]
		if !filepath.IsLocal(x.target) || x.staged != filepath.Base(x.staged) {
			return nil, errList
		}
		list = append(list, x)
	}
	if bad || len(b) > 0 {
		return nil, errList
	}
	return list, nil
}

// Deliver renames the staged files of a decided epoch to their final names. A
// staged file that is not there was delivered before, perhaps by another process
// and perhaps taken away by a consumer since: the rename takes the source away,
// so it happens once.
func (s *sink) Deliver(ctx context.Context, _ connectors.EpochID, staged []byte) error {
	if len(staged) == 0 {
		return nil
	}
	list, err := decodeEntries(staged)
	if err != nil {
		return &connectors.Permanent{Err: fmt.Errorf("deliver files of table %q: %w", s.def.Name, err)}
	}
	dirs := map[string]bool{}
	for _, x := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := filepath.Join(s.Path, filepath.FromSlash(x.target))
		if err := patiently(ctx, func() error { return makeDirs(s.Path, filepath.Dir(to)) }); err != nil {
			return fmt.Errorf("deliver files of table %q: %w", s.def.Name, err)
		}
		err := patiently(ctx, func() error { return renameNew(filepath.Join(s.Path, stagedDir, x.staged), to) })
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, fs.ErrExist):
			return &connectors.Permanent{Err: fmt.Errorf("deliver %s: a file of this name is there already, and is not ours", to)}
		case err != nil:
			return fmt.Errorf("deliver %s: %w", to, err)
		}
		// Also after ENOENT: who renamed it may have crashed before the fsync.
		dirs[filepath.Dir(to)] = true
	}
	for _, d := range sortedKeys(dirs) {
		if err := syncDir(d); err != nil {
			return fmt.Errorf("deliver files of table %q: %w", s.def.Name, err)
		}
	}
	return nil
}

// makeDirs makes dir and what is missing between root and it, durably; root ""
// is whatever is there.
func makeDirs(root, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if dir != root {
		if err := makeDirs(root, filepath.Dir(dir)); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// Sweep removes staged files of the lineage of incarnations before inc. A newer
// incarnation's are not ours: we may be the one that was left behind.
func (s *sink) Sweep(_ context.Context, lineage [16]byte, inc int64) error {
	dir := filepath.Join(s.Path, stagedDir)
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("sweep %s: %w", dir, err)
	}
	prefix := hex.EncodeToString(lineage[:4]) + "-"
	for _, e := range names {
		rest, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok {
			continue
		}
		parts := strings.Split(rest, "-")
		if len(parts) != 3 {
			continue
		}
		if i, err := strconv.ParseInt(parts[1], 10, 64); err != nil || i >= inc {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sweep %s: %w", dir, err)
		}
	}
	return nil
}

// syncDir makes renames in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}

// sum counts and sums what is written through it.
type sum struct {
	w   io.Writer
	crc uint32
	n   int64
}

func newSum(w io.Writer) *sum { return &sum{w: w} }

func (s *sum) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.crc = crc32.Update(s.crc, castagnoli, b[:n])
	s.n += int64(n)
	return n, err
}
