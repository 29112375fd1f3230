package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/formats"
)

type source struct {
	*options
	def    *connectors.TableDef
	wake   func()
	listed bool // Splits was called before
}

func newSource(def *connectors.TableDef) (*source, error) {
	o, err := decodeOptions(def)
	if err != nil {
		return nil, err
	}
	for c, f := range def.Schema.Fields {
		if m := meta(def, c); m != "" {
			if t, ok := metaTypes[m]; !ok || t != f.Type.SQL {
				return nil, &connectors.OptionError{Where: connectors.AtTable, Key: "connector", Msg: fmt.Sprintf("filesystem has no metadata %q of type %s", m, f.Type),
					Hint: "file.path STRING, file.name STRING, file.size BIGINT, file.modification-time TIMESTAMP_LTZ(3)"}
			}
		}
	}
	if _, err := o.format.Decoder(o.spec(def, connectors.Want{})); err != nil {
		return nil, err
	}
	return &source{options: o, def: def}, nil
}

// SetWake implements connectors.Waker.
func (s *source) SetWake(f func()) { s.wake = f }

func (s *source) Info() connectors.SourceInfo {
	// A file that is watched never ends, so nobody may wait for its end.
	ends := s.monitor == 0 || s.def.Job != nil && s.def.Job.UntilIdle
	return connectors.SourceInfo{
		Identity: "filesystem/" + s.Path, Changes: s.format.Changes, Bounded: s.monitor == 0, Sequential: ends, DiscoverMs: s.monitor.Milliseconds(),
	}
}

// absolute says where a relative path leads, to show a wrong working directory.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil && full != path {
		return " (" + full + ")"
	}
	return ""
}

// hidden tells names that belong to nobody's data.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }

// Splits lists the files in the order of their paths.
func (s *source) Splits(ctx context.Context) ([]connectors.Split, error) {
	st, err := os.Stat(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &connectors.Permanent{Err: fmt.Errorf("path %s of table %q does not exist%s", s.Path, s.def.Name, absolute(s.Path))}
	} else if err != nil {
		return nil, fmt.Errorf("look at %s: %w", s.Path, err)
	}
	var out []connectors.Split
	if !st.IsDir() {
		if !st.Mode().IsRegular() {
			return nil, &connectors.Permanent{Err: fmt.Errorf("path %s of table %q is neither a file nor a directory", s.Path, s.def.Name)}
		}
		out = append(out, connectors.Split{ID: s.Path, Empty: !s.listed && st.Size() == 0})
	} else if out, err = s.list(ctx, s.Path, out); err != nil {
		return nil, err
	}
	s.listed = true
	return out, nil
}

func (s *source) list(ctx context.Context, dir string, out []connectors.Split) ([]connectors.Split, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case hidden(e.Name()):
		case e.IsDir():
			if out, err = s.list(ctx, path, out); err != nil {
				return nil, err
			}
		default:
			// A file may be moved away while we look; a link counts as its target.
			if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
				out = append(out, connectors.Split{ID: path, Empty: !s.listed && st.Size() == 0})
			}
		}
	}
	return out, nil
}

func (s *source) Ends(_ context.Context, splits []connectors.Split) (map[string][]byte, error) {
	ends := map[string][]byte{}
	for _, x := range splits {
		st, err := os.Stat(x.ID)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", x.ID, err)
		}
		if st.Size() > 0 {
			ends[x.ID] = position{Offset: st.Size()}.encode()
		}
	}
	return ends, nil
}

func (s *source) Check(_ context.Context, split connectors.Split, pos []byte) error {
	p, err := decodePosition(pos)
	if err != nil {
		return err
	}
	f, err := os.Open(split.ID)
	if errors.Is(err, fs.ErrNotExist) {
		if p.Offset < p.Size {
			return &connectors.Permanent{Err: fmt.Errorf("file %s is gone: %d of its bytes were not read", split.ID, p.Size-p.Offset)}
		}
		return nil
	} else if err != nil {
		return fmt.Errorf("check %s: %w", split.ID, err)
	}
	defer f.Close()
	_, _, err = verify(f, p)
	return err
}

func (s *source) Open(_ context.Context, split connectors.Split, from, until []byte, want connectors.Want) (connectors.Reader, error) {
	if from != nil {
		// A file that was read to its end may have been taken away since.
		if p, err := decodePosition(from); err == nil && p.Offset >= p.Size {
			if _, err := os.Stat(split.ID); errors.Is(err, fs.ErrNotExist) {
				return gone(from), nil
			}
		}
	}
	r := &reader{path: split.ID, want: want, def: s.def, wake: s.wake, slabs: make(chan slab, slabsAhead), drain: s.def.Job == nil || !s.def.Job.Stop}
	var err error
	if r.dec, err = s.format.Decoder(s.spec(s.def, want)); err != nil {
		return nil, err
	}
	f := &fetcher{path: split.ID, slabs: r.slabs, wake: s.wake, monitor: s.monitor, until: -1}
	if until != nil {
		p, err := decodePosition(until)
		if err != nil {
			return nil, err
		}
		f.until = p.Offset
	}
	if from != nil {
		if r.pos, err = decodePosition(from); err != nil {
			return nil, err
		}
		if err := r.restore(split.ID); err != nil {
			return nil, err
		}
		f.offset, f.tail, f.cut = r.pos.Offset, r.pos.Tail, r.pos.Cut
	}
	if err := s.constants(r, split.ID); err != nil {
		return nil, err
	}
	f.size.Store(r.pos.Size)
	r.fetch = f
	f.start()
	return r, nil
}

// constants prepares the columns that are the same in all rows of a file:
// partitions, from the path, and metadata.
func (s *source) constants(r *reader, path string) error {
	r.fixed = make([]batch.Vec, len(s.def.Schema.Fields))
	var st os.FileInfo
	for _, c := range s.def.PartBy {
		f := s.def.Schema.Fields[c]
		v := batch.NewVec(f.Type, 1)
		text, ok := s.partition(path, f.Name)
		switch {
		case !ok:
			v.AppendNull()
		case f.Type.SQL == batch.Varchar || f.Type.SQL == batch.Char:
			v.AppendString(text)
		default:
			one := batch.New(batch.NewSchema(f), 1)
			d, err := csvDecoder(f)
			if err != nil {
				return err
			}
			if n, bad := d.Decode(one, []byte(text)); n != 1 {
				return &connectors.Permanent{Err: fmt.Errorf("path %s: partition %s: %s", path, f.Name, bad[0].Msg)}
			}
			v = one.Cols[0]
		}
		r.fixed[c] = v
		r.fixedCols = append(r.fixedCols, c)
	}
	for c, f := range s.def.Schema.Fields {
		m := meta(s.def, c)
		if m == "" {
			continue
		}
		if st == nil {
			var err error
			if st, err = os.Stat(path); err != nil {
				return fmt.Errorf("look at %s: %w", path, err)
			}
		}
		v := batch.NewVec(f.Type, 1)
		switch m {
		case "file.path":
			v.AppendString(path)
		case "file.name":
			v.AppendString(filepath.Base(path))
		case "file.size":
			v.AppendInt(st.Size())
		default:
			v.AppendInt(st.ModTime().UnixMilli() * 1000)
		}
		r.fixed[c] = v
		r.fixedCols = append(r.fixedCols, c)
	}
	return nil
}

// csvDecoder reads one partition value by the rules of csv.
func csvDecoder(f batch.Field) (formats.Decoder, error) {
	o := &connectors.Options{List: []connectors.Option{{Key: "format", Value: "csv"}, {Key: "csv.disable-quote-character", Value: "true"}, {Key: "csv.field-delimiter", Value: "\x00"}}}
	csv, err := formats.Lookup(o, "format")
	if err != nil {
		return nil, err
	}
	return csv.Decoder(&formats.Spec{Options: o, Fields: []batch.Field{f}})
}

// partition returns the value of column name in a path …/name=value/…
func (s *source) partition(path, name string) (string, bool) {
	rel, err := filepath.Rel(s.Path, filepath.Dir(path))
	if err != nil {
		return "", false
	}
	for _, part := range strings.Split(filepath.ToSlash(rel), "/") {
		if k, v, ok := strings.Cut(part, "="); ok && unescapePart(k) == name && v != s.DefaultPart {
			return unescapePart(v), true
		}
	}
	return "", false
}

func (s *source) Close() error { return nil }
