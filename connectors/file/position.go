package file

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/streamd/streamd/connectors"
)

// edge is how many bytes at the start of a file, and before the offset, a
// position remembers by their CRC.
const edge = 64 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// position is what is remembered of a file: everything before Offset was read.
type position struct {
	Offset     int64
	Line       int64  // lines before Offset
	Size       int64  // the most that was seen; more than Offset = something was left
	Head, Tail uint32 // CRC32C of the first and of the last edge bytes before Offset
	Cut        bool   // the last line was taken without its line feed
	Long       bool   // Offset is inside a line that is too long
}

func (p position) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.Offset))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Line))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Size))
	b = binary.BigEndian.AppendUint32(b, p.Head)
	b = binary.BigEndian.AppendUint32(b, p.Tail)
	flags := byte(0)
	if p.Cut {
		flags |= 1
	}
	if p.Long {
		flags |= 2
	}
	return append(b, flags)
}

func decodePosition(b []byte) (p position, err error) {
	if len(b) != 33 {
		return p, fmt.Errorf("%x is no position in a file", b)
	}
	p = position{int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:])), int64(binary.BigEndian.Uint64(b[16:])),
		binary.BigEndian.Uint32(b[24:]), binary.BigEndian.Uint32(b[28:]), b[32]&1 != 0, b[32]&2 != 0}
	if p.Offset < 0 || p.Line < 0 {
		return p, fmt.Errorf("%x is no position in a file", b)
	}
	return p, nil
}

// changed is the error for a file that is not what it was.
func changed(path, what string) error {
	return &connectors.Permanent{Code: connectors.CodeFileChanged, Err: fmt.Errorf("file %s was changed: %s; files may only grow: put new content under a new name, or start with a fresh state", path, what)}
}

// edges returns the first and the last edge bytes before offset.
func edges(f *os.File, offset int64) (head, tail []byte, err error) {
	head, tail = make([]byte, min(edge, offset)), make([]byte, min(edge, offset))
	if _, err = io.ReadFull(io.NewSectionReader(f, 0, offset), head); err == nil {
		_, err = io.ReadFull(io.NewSectionReader(f, offset-int64(len(tail)), int64(len(tail))), tail)
	}
	return head, tail, err
}

// verify compares the file with what p remembers and returns its edges.
func verify(f *os.File, p position) (head, tail []byte, err error) {
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if st.Size() < p.Offset {
		return nil, nil, changed(f.Name(), fmt.Sprintf("it has %d bytes, %d were read", st.Size(), p.Offset))
	}
	head, tail, err = edges(f, p.Offset)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s again: %w", f.Name(), err)
	}
	if crc32.Checksum(head, castagnoli) != p.Head || crc32.Checksum(tail, castagnoli) != p.Tail {
		return nil, nil, changed(f.Name(), fmt.Sprintf("its first %d bytes, which were read, are not what they were", p.Offset))
	}
	if p.Cut && st.Size() > p.Offset {
		var next [1]byte
		if _, err := f.ReadAt(next[:], p.Offset); err != nil {
			return nil, nil, fmt.Errorf("read %s again: %w", f.Name(), err)
		}
		if next[0] != '\n' {
			return nil, nil, changed(f.Name(), fmt.Sprintf("line %d, which was read as the last one without a line feed, goes on", p.Line))
		}
	}
	return head, tail, nil
}
