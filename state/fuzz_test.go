package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/internal/fuzz"
)

// fuzzRecords are state records as a delta holds them: tables, pages and counters.
func fuzzRecords() (out [][]byte) {
	types := []batch.Type{batch.TypeString, batch.TypeBigInt, batch.ArrayOf(batch.TypeString)}
	d := defOf(&Spec{Op: "op", Layout: "rows", Version: 1, Key: types[:1], Val: types[1:]}, types)
	d.Name = "op/rows"
	e := &stateEncoder{ids: map[string]uint64{}, out: func(rec []byte) error {
		out = append(out, bytes.Clone(rec))
		return nil
	}}
	c := Chunk{Table: d, Shard: 7, Page: 3}
	c.Cols = batch.NewVecs(&batch.Schema{Fields: []batch.Field{{Type: types[0]}, {Type: types[1]}, {Type: types[2]}}}, 0)
	for i := range 5 {
		c.Slots = append(c.Slots, int64(i*3)<<1|1)
		c.Cols[0].AppendString("key")
		c.Cols[1].AppendInt(int64(i))
		c.Cols[2].Child[0].AppendString("x")
		c.Cols[2].AppendList(i)
	}
	if err := e.packed(&Packed{Chunks: []Chunk{c}, Seqs: []SeqMark{{d, 7, 42}}}); err != nil {
		panic(err)
	}
	return out
}

// stateRecords: a record behind the definition of its table. What is accepted can be laid out again as it is.
var stateRecords = fuzz.Target{Seeds: fuzzRecords(), Words: []string{`"Types":`, `"ARRAY"`, `"Fields":[`}, Check: func(t testing.TB, b []byte) {
	d := &stateDecoder{named: map[string]*Def{}, seq: func(SeqMark) {}}
	d.chunk = func(c Chunk) error {
		again := Chunk{Table: c.Table}
		types, err := c.Table.Types()
		if err != nil {
			return err
		}
		if err := readRows(appendRows(nil, &c), types, &again); err != nil || len(again.Slots) != len(c.Slots) {
			t.Errorf("%x: a page comes back as %v", b, err)
		}
		return nil
	}
	if err := d.record(fuzzRecords()[0]); err != nil {
		t.Fatal(err)
	}
	_ = d.record(b)
}}

func FuzzStateRecord(f *testing.F)     { stateRecords.Fuzz(f) }
func TestFuzzStateRecord(t *testing.T) { stateRecords.Loop(t) }

// fuzzDelta is a delta file.
func fuzzDelta(dir string) []byte {
	path := filepath.Join(dir, deltaName(5, 2))
	w, err := createDelta(path)
	if err != nil {
		panic(err)
	}
	for _, r := range fuzzRecords() {
		_ = w.record(secState, r)
	}
	_ = w.record(secPosition, binary.AppendUvarint(nil, 5), []byte("tablexyz"))
	_ = w.record(secCut, []byte("cut"))
	_ = w.record(secOutbox, []byte{0}, []byte("row"))
	if _, _, err := w.finish(Header{Epoch: 5, Incarnation: 2, Kind: Silent, Followers: []Follower{{Name: "f", Rows: true}}}); err != nil {
		panic(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return b
}

// mended gives the sections of a delta file right checksums, and the file its trailer, so that what is behind the checksums is reached.
func mended(b []byte) []byte {
	if len(b) < len(magic) {
		return b
	}
	out := append([]byte{}, b[:len(magic)]...)
	rest := b[len(magic):]
	for len(rest) > 9 && rest[0] != secEnd {
		n := int(binary.BigEndian.Uint32(rest[1:]))
		if n > maxSection || 9+n > len(rest) {
			break
		}
		out = append(out, rest[:5+n]...)
		out = binary.BigEndian.AppendUint32(out, crc32.Checksum(rest[:5+n], castagnoli))
		rest = rest[9+n:]
	}
	sum := crc32.Checksum(out, castagnoli)
	out = binary.BigEndian.AppendUint64(append(out, secEnd), uint64(len(out)))
	return binary.BigEndian.AppendUint32(out, sum)
}

// readFuzzed reads the bytes of a delta file as readDelta, state and Outbox do.
func readFuzzed(b []byte) error {
	dec := &stateDecoder{named: map[string]*Def{}, chunk: func(Chunk) error { return nil }, seq: func(SeqMark) {}}
	var h Header
	_, _, err := scanFrom(bytes.NewReader(b), func(typ byte, rec []byte) error {
		switch typ {
		case secState:
			return dec.record(rec)
		case secHeader:
			return json.Unmarshal(rec, &h)
		}
		return nil
	}, secHeader, secPosition, secCut, secState, secOutbox)
	return err
}

// deltas are delta files that are broken, and ones that are broken under right checksums.
func deltas(tb testing.TB) fuzz.Target {
	whole := fuzzDelta(tb.TempDir())
	if !bytes.Equal(mended(whole), whole) || readFuzzed(whole) != nil {
		tb.Fatal("a right file is not read, or does not stay as it is when it is mended")
	}
	return fuzz.Target{Seeds: [][]byte{whole}, Inputs: 4000, Check: func(t testing.TB, b []byte) {
		if readFuzzed(b) == nil && !bytes.Equal(b, whole) {
			t.Errorf("%x is accepted", b)
		}
		_ = readFuzzed(mended(b))
	}}
}

func FuzzDelta(f *testing.F)     { deltas(f).Fuzz(f) }
func TestFuzzDelta(t *testing.T) { deltas(t).Loop(t) }

// Values of the base: references, manifests, heads.
var baseValues = fuzz.Target{Seeds: [][]byte{appendRef(nil, blobRef{1, 2, 3}), (&manifest{seq: 4, pages: []pageRef{{5, 6, 7, 8, 9}, {9, 1, 1, 1, 1}}}).encode()},
	Check: func(t testing.TB, b []byte) {
		if r, err := decodeRef(b); err == nil && !bytes.Equal(appendRef(nil, r), b) {
			t.Errorf("%x comes back different", b)
		}
		m, err := decodeManifest(b)
		if err == nil && !bytes.Equal(m.encode(), b) {
			t.Errorf("%x comes back different", b)
		}
		_, _ = decodeOldManifest(b)
	}}

func FuzzBaseValue(f *testing.F)     { baseValues.Fuzz(f) }
func TestFuzzBaseValue(t *testing.T) { baseValues.Loop(t) }

// metas: what is not the file that was written is refused, whatever it is.
func metas(tb testing.TB) fuzz.Target {
	dir := tb.TempDir()
	if err := (Meta{Format: Format, Job: "job", Incarnation: 3, Adopted: &Adopted{As: connectors.EpochID{Number: 1}, Past: [][16]byte{{1}}}}).write(dir); err != nil {
		tb.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err != nil {
		tb.Fatal(err)
	}
	return fuzz.Target{Seeds: [][]byte{whole}, Check: func(t testing.TB, b []byte) {
		if _, err := parseMeta(b); err == nil && !bytes.Equal(b, whole) {
			t.Errorf("%q is accepted", b)
		}
		// The same under a right checksum: refused or read, never a crash.
		js := bytes.TrimRight(b, "\n")
		_, _ = parseMeta([]byte(string(js) + "\n" + crcHex(js) + "\n"))
	}}
}

func FuzzMeta(f *testing.F)     { metas(f).Fuzz(f) }
func TestFuzzMeta(t *testing.T) { metas(t).Loop(t) }
