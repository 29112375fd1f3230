package funcs_test

import "testing"

func TestJSON(t *testing.T) {
	for _, c := range [][2]string{
		{`JSON_VALUE('{"a": "x\"y"}', '$.a')`, `x"y`}, {`JSON_VALUE('{"a": true}', 'lax $.a')`, "true"}, {`JSON_VALUE('{"a": null}', '$.a')`, "NULL"},
		{`JSON_VALUE('{"a": {}}', '$.a')`, "NULL"}, {`JSON_VALUE('{"a": {}}', '$.a' ERROR ON ERROR)`, "SD6008 JSON_VALUE: the path does not lead to a scalar"},
		{`JSON_VALUE('{}', '$.a' DEFAULT 'd' ON EMPTY)`, "d"}, {`JSON_VALUE('x', '$.a' DEFAULT 'd' ON EMPTY DEFAULT 'e' ON ERROR)`, "e"}, {`JSON_VALUE('{}', '$.a' ERROR ON EMPTY)`, "SD6008 JSON_VALUE: the path finds nothing"},
		{`JSON_VALUE('{"a": "7"}', '$.a' RETURNING INT)`, "7"}, {`JSON_VALUE('{"a": "q"}', '$.a' RETURNING INT DEFAULT 3 ON ERROR)`, "3"}, {`JSON_VALUE('{"a": 1.5}', '$.a' RETURNING DOUBLE)`, "1.5"},
		{`JSON_VALUE('{"a": [1, {"c": 2}]}', '$.a[1][''c''] ')`, "2"}, {`JSON_VALUE('[{"a": 1}]', '$.a')`, "1"}, {`JSON_VALUE('[{"a": 1}]', 'strict $.a')`, "NULL"}, {`JSON_VALUE('5', '$[0]')`, "5"},
		{`JSON_VALUE('{"a": 1, "a": 2}', '$.a')`, "2"}, {`JSON_VALUE(NULL, '$.a')`, "NULL"}, {`JSON_VALUE('{"a":1}', '$.')`, "refused: JSON_VALUE: '$.' is no JSON path: cannot read '.'"}, {`JSON_VALUE('[1, 2]', '$[last]')`, "2"},
		{`JSON_EXISTS('{}', '$.a')`, "false"}, {`JSON_EXISTS('x', '$.a' TRUE ON ERROR)`, "true"}, {`JSON_EXISTS('x', '$.a' UNKNOWN ON ERROR)`, "NULL"}, {`JSON_EXISTS('{"a": null}', '$.a')`, "true"},
		{`JSON_QUERY('{"a": [1, {"b": " x "}]}', '$.a')`, `[1,{"b":" x "}]`}, {`JSON_QUERY('{"a": 1}', '$.a')`, "NULL"}, {`JSON_QUERY('{"a": 1}', '$.a' WITH WRAPPER)`, "[1]"},
		{`JSON_QUERY('[1, 2]', '$[*]' WITH WRAPPER)`, "[1,2]"}, {`JSON_QUERY('[1]', '$' WITH CONDITIONAL ARRAY WRAPPER)`, "[1]"}, {`JSON_QUERY('{}', '$.a' EMPTY ARRAY ON EMPTY)`, "[]"},
		{`JSON_QUERY('{"a": 1}', '$.a' EMPTY OBJECT ON ERROR)`, "{}"}, {`JSON_QUERY('{"a": 1}', '$.a' ERROR ON ERROR)`, "SD6008 JSON_QUERY: the path does not lead to one object or array"},
		{`'x' IS JSON`, "false"}, {`' {} ' IS NOT JSON`, "false"}, {`JSON_STRING(ROW(1, 'a', NULL))`, `{"EXPR$0":1,"EXPR$1":"a","EXPR$2":null}`}, {`JSON_STRING(NULL)`, "NULL"},
	} {
		if got := value(t, c[0]); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}
