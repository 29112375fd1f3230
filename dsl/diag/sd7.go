package diag

// SD7: state, checkpoints, recovery.
func init() {
}
