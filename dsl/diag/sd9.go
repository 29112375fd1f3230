package diag

// SD9: our own fault.
func init() {
	Register("SD9001", "a fault of streamd", "streamd contradicted itself. The job ended without deciding anything more; what was decided is safe.",
		"BUG: …", "Please report it with the text below the message and the pipeline.")
}
