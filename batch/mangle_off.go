//go:build !invariants

package batch

// mangle does nothing: only the invariants build overwrites memory before reuse.
func (v *Vec) mangle() {}
