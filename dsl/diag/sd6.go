package diag

// SD6: rows at run time.
func init() {
}
