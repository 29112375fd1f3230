package rules

import ops "github.com/streamd/streamd/operators"

// retain bounds the state of joins by their conditions on time. Where lateness is judged row by row it changes nothing: which rows
// miss a partner would depend on where steps are cut.
func retain(n ops.Node) ops.Node {
	j, ok := n.(*ops.Join)
	if !ok || onEvent(j) {
		return n
	}
	c := *j
	c.Retain()
	return &c
}

// onEvent tells whether some source below n has the watermark strategy on-event.
func onEvent(n ops.Node) (found bool) {
	ops.Visit(n, func(n ops.Node) bool {
		if s, ok := n.(*ops.Scan); ok {
			found = found || s.Spec.OnEvent
		}
		return !found
	})
	return found
}
