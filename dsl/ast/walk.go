package ast

import (
	"reflect"
)

var nodeType = reflect.TypeOf((*Node)(nil)).Elem()

// Walk calls visit for n and, when visit returns true, for every node below it, in the order of the struct's fields (which is the
// order of the text but for Cast and operators' spans). It never visits nil. Embedded spans are not nodes.
func Walk(n Node, visit func(Node) bool) {
	if n == nil {
		return
	}
	v := reflect.ValueOf(n)
	if v.Kind() != reflect.Pointer || v.IsNil() || !visit(n) {
		return
	}
	walkFields(v.Elem(), visit)
}

func walkFields(s reflect.Value, visit func(Node) bool) {
	for i := range s.NumField() {
		f := s.Field(i)
		switch f.Kind() {
		case reflect.Pointer, reflect.Interface:
			walkValue(f, visit)
		case reflect.Slice:
			switch f.Type().Elem().Kind() {
			case reflect.Pointer, reflect.Interface:
				for j := range f.Len() {
					walkValue(f.Index(j), visit)
				}
			}
		}
	}
}

func walkValue(f reflect.Value, visit func(Node) bool) {
	if f.IsNil() || !f.Type().Implements(nodeType) {
		return
	}
	Walk(f.Interface().(Node), visit)
}
