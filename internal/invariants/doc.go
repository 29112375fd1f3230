// Package invariants switches assertions on: with the build tag `invariants`
// (make test sets it) Enabled is true, and code may spend time on checks that
// a release does not.
//
//	if invariants.Enabled {
//		b.Check()
//	}
//
// Enabled is a constant, so a release has no trace of what it guards. Mangle
// overwrites memory that its owner hands out again, so that who kept it beyond
// its time reads nonsense at once instead of seldom.
package invariants
