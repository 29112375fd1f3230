package state

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2/z"
)

// verifyTables checks every checksum of Badger's table files before Badger opens
// them: it opens tables in goroutines of its own, where a damaged one is a nil
// pointer or log.Fatal, and one whose checksum is wrong it leaves out without a
// word. Checked here, Badger need not check them again.
//
// Only tables that the manifest lists count: a kill may leave others half made,
// which Badger removes.
func verifyTables(dir string, opt badger.Options) (err error) {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	m, _, err := badger.ReplayManifestFile(f, 0, opt)
	if err != nil {
		return errCorrupt("base/%s: %v", badger.ManifestFilename, err)
	}
	for id, t := range m.Tables {
		if err := verifyTable(table.NewFilename(id, dir), t.Compression, opt.BlockSize); err != nil {
			return err
		}
	}
	return nil
}

func verifyTable(name string, comp options.CompressionType, block int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errCorrupt("base/%s: %v", filepath.Base(name), r)
		}
	}()
	if err := verifyFooter(name); err != nil {
		return err
	}
	f, err := z.OpenMmapFile(name, os.O_RDONLY, 0)
	if err != nil {
		return errCorrupt("base/%s: %v", filepath.Base(name), err)
	}
	defer func() { _ = f.Close(-1) }()
	if _, err := table.OpenTable(f, table.Options{ReadOnly: true, ChkMode: options.OnTableRead, Compression: comp, BlockSize: block}); err != nil {
		return errCorrupt("base/%s: %v", filepath.Base(name), err)
	}
	return nil
}

// verifyFooter checks the lengths at the end of a table: ..., index, its length,
// checksum, its length (u32 BE each). Badger ends the process at one that is wrong.
func verifyFooter(name string) error {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return errCorrupt("base/%s is missing", filepath.Base(name))
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	at := st.Size()
	var b [4]byte
	for range 2 {
		if at -= 4; at < 0 {
			return errCorrupt("base/%s is cut short", filepath.Base(name))
		}
		if _, err := f.ReadAt(b[:], at); err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint32(b[:]))
		if at -= n; at < 0 || n == 0 {
			return errCorrupt("base/%s: a length at its end is wrong", filepath.Base(name))
		}
	}
	return nil
}
