package connectors

// Access is an error of reaching or entering a cluster where most likely an
// option is wrong: the login, the certificates, the kind of listener. A job that
// has never worked fails at once with it; one that has goes on trying, for there
// it is the cluster that changed.
type Access struct {
	Err    error
	Code   string
	Advice string
	Maybe  bool // a cluster that is starting looks the same: tried again also at the start
}

func (a *Access) Error() string { return a.Err.Error() }

// Unwrap returns the cause.
func (a *Access) Unwrap() error { return a.Err }
