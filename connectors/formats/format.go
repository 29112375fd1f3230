package formats

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// Format makes decoders and encoders.
type Format struct {
	Name    string
	Doc     string
	Keys    []connectors.OptionKey // without the prefix "NAME."
	Changes connectors.Changelog   // what decoded rows mean
	Accepts connectors.Changelog   // what the encoder can write
	Ext     string                 // of files
	Decoder func(*Spec) (Decoder, error)
	Encoder func(*Spec) (Encoder, error)
}

// Spec is the part of a table that a record holds. Fields are the names and
// types inside the record; Cols says which column of the batch each one is.
type Spec struct {
	Options *connectors.Options // all options of the table
	Prefix  string              // before the format's name in option keys: "", "key." or "value."
	Fields  []batch.Field
	Cols    []int           // nil = field i is column i
	Want    connectors.Want // by column of the batch; for decoders
}

// Decoder turns records into rows. One goroutine uses it.
type Decoder interface {
	// Decode appends the rows of one record to the wanted columns of the format
	// and returns how many. It touches no other column and does not count rows:
	// the caller fills its own columns, calls AddWeight for each row, and Pad at
	// the end of a Read. When it returns 0 the columns are as before. bad is
	// valid until the next call; a record can give rows and problems (Kept).
	Decode(b *batch.Batch, rec []byte) (rows int, bad []Problem)
	// Weights are the weights of the rows of the last Decode; nil = all +1.
	Weights() []int64
}

// Encoder turns rows into records. One goroutine uses it.
type Encoder interface {
	// Append writes the fields of stored row i. null tells that the record is to
	// be a null value (raw with NULL).
	Append(dst []byte, b *batch.Batch, i int, kind connectors.Kind) (out []byte, null bool, err error)
}

// Problem is what is wrong with a record.
type Problem struct {
	Code    Code
	Field   string // the field, "a.b" when nested; may be empty
	Msg     string
	Kept    bool // ignore-parse-errors: a row with NULL was made
	Skipped bool // ignore-parse-errors: the record gave no row
}

func (p *Problem) Error() string { return string(p.Code) + ": " + p.Msg }

// Bad returns the problem as a reader reports it.
func (p Problem) Bad(place string, raw []byte, after int) connectors.BadRecord {
	if len(raw) > 64<<10 {
		raw = raw[:64<<10]
	}
	return connectors.BadRecord{Code: string(p.Code), Place: place, Field: p.Field, Msg: p.Msg, Raw: slices.Clone(raw), Kept: p.Kept, Skipped: p.Skipped, After: after}
}

var registry = map[string]*Format{}

func register(f *Format) {
	if registry[f.Name] != nil {
		panic("BUG: format " + f.Name + " is registered twice")
	}
	registry[f.Name] = f
}

// Names returns the names of all formats, sorted.
func Names() []string {
	var n []string
	for k := range registry {
		n = append(n, k)
	}
	slices.Sort(n)
	return n
}

// Lookup returns the format that option key names, for instance "format" or
// "value.format".
func Lookup(o *connectors.Options, key string) (*Format, error) {
	name, ok := o.Get(key)
	if !ok {
		return nil, &connectors.OptionError{Where: connectors.AtTable, Key: key, Msg: fmt.Sprintf("option %q is missing", key),
			Hint: "one of: " + strings.Join(Names(), ", ")}
	}
	f := registry[name]
	if f == nil {
		return nil, &connectors.OptionError{Where: connectors.AtUnknown, Key: key, Msg: fmt.Sprintf("unknown format %q", name),
			Hint: "one of: " + strings.Join(Names(), ", ")}
	}
	return f, foreign(o, strings.TrimSuffix(key, "format"), name)
}

// foreign refuses options of formats that the table does not have: nobody would read them.
func foreign(o *connectors.Options, prefix, name string) error {
	for _, n := range Names() {
		for _, x := range o.Family(prefix + n + ".") {
			if n != name {
				key := prefix + n + "." + x.Key
				return &connectors.OptionError{Where: connectors.AtKey, Key: key, Msg: fmt.Sprintf("option %q is of another format: %q is %q", key, prefix+"format", name)}
			}
		}
	}
	return nil
}

// Keys returns the option keys of all formats under prefix, for a connector's own list.
func Keys(prefix string) []connectors.OptionKey {
	var out []connectors.OptionKey
	for _, n := range Names() {
		for _, k := range registry[n].Keys {
			k.Key = prefix + n + "." + k.Key
			out = append(out, k)
		}
	}
	return out
}

// options fills into from the options under s.Prefix + name + ".".
func (s *Spec) options(name string, into any) error {
	prefix := s.Prefix + name + "."
	sub := connectors.Options{List: s.Options.Family(prefix)}
	err := sub.Decode(into)
	if list, ok := connectors.IsOptionError(err); ok {
		for _, e := range list {
			e.Msg = strings.ReplaceAll(e.Msg, fmt.Sprintf("%q", e.Key), fmt.Sprintf("%q", prefix+e.Key))
			e.Key = prefix + e.Key
		}
	}
	return err
}

// col returns the batch column of field f.
func (s *Spec) col(f int) int {
	if s.Cols == nil {
		return f
	}
	return s.Cols[f]
}

func (s *Spec) optionError(name, key, msg string) error {
	return &connectors.OptionError{Where: connectors.AtValue, Key: s.Prefix + name + "." + key, Msg: msg}
}

func (s *Spec) typeError(format string, f batch.Field, why string) error {
	return &connectors.OptionError{Where: connectors.AtTable, Key: s.Prefix + "format", Msg: fmt.Sprintf("format %s cannot hold column %q of type %s%s", format, f.Name, f.Type, why)}
}
