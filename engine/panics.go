package engine

import (
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// PanicError is a panic of a function that the embedding program gave: a source,
// a sink. It ends the job; the process lives. A scalar function's panic is a
// *RowError, which has the row.
type PanicError struct {
	Func  string // `source "bookings"`
	Value any    // of the panic
	Place string // "pricing.go:41", where it is known
	Stack []byte
}

func (e *PanicError) Error() string {
	s := fmt.Sprintf("%s panicked: %v", e.Func, e.Value)
	if e.Place != "" {
		s += " at " + e.Place
	}
	return s
}

// panicked makes an error of a recovered panic; it is called where it is recovered.
func panicked(name string, value any) *PanicError {
	return &PanicError{Func: name, Value: value, Place: panicPlace(), Stack: debug.Stack()}
}

// panicPlace is where the code stands that panicked: of the stack's frames the first
// behind those of the runtime, which stand behind the recovering ones.
func panicPlace() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for unwinding := false; ; {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "runtime.") {
			unwinding = true
		} else if unwinding {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}
