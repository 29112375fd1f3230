package diag

// SD8: server and access.
func init() {
}
