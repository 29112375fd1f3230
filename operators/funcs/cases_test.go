package funcs_test

import "testing"

func check(t *testing.T, cases [][2]string) {
	t.Helper()
	for _, c := range cases {
		if got := value(t, c[0]); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

func TestArrays(t *testing.T) {
	check(t, [][2]string{
		{"ARRAY_APPEND(ARRAY[1], NULL)", "[1, NULL]"}, {"ARRAY_APPEND(CAST(NULL AS ARRAY<INT>), 1)", "NULL"}, {"ARRAY_APPEND(ARRAY['ä'], '日本')", "[ä, 日本]"}, {"ARRAY_APPEND(ARRAY[1], 'x')", "refused: CHAR(1) does not convert to INT by itself"},
		{"ARRAY_APPEND(1, 1)", "refused: ARRAY_APPEND does not apply to INT; write ARRAY_APPEND(array, x)"}, {"ARRAY_PREPEND(ARRAY[1], NULL)", "[NULL, 1]"}, {"ARRAY_PREPEND(CAST(NULL AS ARRAY<INT>), 1)", "NULL"},
		{"ARRAY_REMOVE(ARRAY[1, NULL, 2, NULL], NULL)", "[1, 2]"}, {"ARRAY_REMOVE(ARRAY[1, NULL], 1)", "[NULL]"}, {"ARRAY_REMOVE(ARRAY[1], 1)", "[]"}, {"ARRAY_REMOVE(CAST(NULL AS ARRAY<INT>), 1)", "NULL"},
		{"ARRAY_CONCAT(ARRAY[1])", "[1]"}, {"ARRAY_CONCAT(ARRAY[1], NULL)", "NULL"}, {"ARRAY_CONCAT(ARRAY[1], ARRAY[2.5])", "[1.0, 2.5]"}, {"ARRAY_CONCAT(NULL)", "refused: ARRAY_CONCAT does not apply to NULL; write ARRAY_CONCAT(array, …)"},
		{"ARRAY_CONCAT(ARRAY[1], ARRAY['a'])", "refused: ARRAY<INT NOT NULL> and ARRAY<CHAR(1) NOT NULL> have no common type"}, {"ARRAY_CONCAT(ARRAY[NULL, 1], ARRAY[NULL])", "[NULL, 1, NULL]"},
		{"ARRAY_SLICE(ARRAY[1, 2, 3], 2)", "[2, 3]"}, {"ARRAY_SLICE(ARRAY[1, 2, 3], -2)", "[2, 3]"}, {"ARRAY_SLICE(ARRAY[1, 2, 3], 0, 2)", "[1, 2]"}, {"ARRAY_SLICE(ARRAY[1, 2, 3], -9, -2)", "[1, 2]"}, {"ARRAY_SLICE(ARRAY[1, 2, 3], 3, 2)", "[]"},
		{"ARRAY_SLICE(ARRAY[1, 2, 3], 1, 0)", "[1]"}, {"ARRAY_SLICE(ARRAY[1, 2, 3], 2, 99)", "[2, 3]"}, {"ARRAY_SLICE(ARRAY[1], NULL)", "NULL"}, {"ARRAY_SLICE(ARRAY[1], 1, NULL)", "NULL"}, {"ARRAY_SLICE(ARRAY[1], 9223372036854775807, -9223372036854775807)", "[]"},
		{"ARRAY_UNION(ARRAY[1, NULL, 1], ARRAY[NULL, 2])", "[1, NULL, 2]"}, {"ARRAY_UNION(ARRAY[1], NULL)", "NULL"}, {"ARRAY_UNION(ARRAY[ARRAY[1], ARRAY[1]], ARRAY[ARRAY[2]])", "[[1], [2]]"},
		{"ARRAY_EXCEPT(ARRAY[1, NULL, 2, 2], ARRAY[1])", "[NULL, 2]"}, {"ARRAY_EXCEPT(ARRAY[1, NULL], ARRAY[NULL])", "[1]"}, {"ARRAY_EXCEPT(NULL, ARRAY[1])", "NULL"},
		{"ARRAY_INTERSECT(ARRAY[NULL, 3, 1, 3], ARRAY[3, NULL])", "[NULL, 3]"}, {"ARRAY_INTERSECT(ARRAY['a'], ARRAY['b'])", "[]"}, {"ARRAY_INTERSECT(ARRAY[1], NULL)", "NULL"},
		{"ARRAY_MAX(ARRAY[NULL, 1.5, 2])", "2.0"}, {"ARRAY_MAX(CAST(NULL AS ARRAY<INT>))", "NULL"}, {"ARRAY_MIN(ARRAY['b', 'ä', 'B'])", "B"}, {"ARRAY_MIN(ARRAY[CAST(NULL AS INT)])", "NULL"}, {"ARRAY_MAX(ARRAY[ARRAY[1]])", "refused: ARRAY_MAX: elements of type ARRAY<INT NOT NULL> have no order"},
		{"ARRAY_SORT(ARRAY[3, NULL, 1])", "[NULL, 1, 3]"}, {"ARRAY_SORT(ARRAY[3, NULL, 1], FALSE, TRUE)", "[NULL, 3, 1]"}, {"ARRAY_SORT(ARRAY[3, NULL, 1], TRUE, FALSE)", "[1, 3, NULL]"}, {"ARRAY_SORT(ARRAY[3, 1], NULL)", "NULL"}, {"ARRAY_SORT(ARRAY['b', 'B', 'a'])", "[B, a, b]"},
		{"ARRAY_JOIN(ARRAY['a', NULL, 'b'], ',')", "a,b"}, {"ARRAY_JOIN(ARRAY[CAST(NULL AS STRING)], ',')", ""}, {"ARRAY_JOIN(ARRAY['a', ''], '→')", "a→"}, {"ARRAY_JOIN(ARRAY['a'], NULL)", "NULL"}, {"ARRAY_JOIN(ARRAY['a'], ',', NULL)", "NULL"}, {"ARRAY_JOIN(ARRAY[1], ',')", "refused: ARRAY_JOIN needs an array of strings, not of INT"},
		{"SPLIT('a,', ',')", "[a, ]"}, {"SPLIT(',', ',')", "[, ]"}, {"SPLIT('', ',')", "[]"}, {"SPLIT('äb', '')", "[ä, b]"}, {"SPLIT(NULL, ',')", "NULL"}, {"SPLIT('a', NULL)", "NULL"}, {"SPLIT('a::b:c', '::')", "[a, b:c]"},
		{"CARDINALITY(ARRAY_UNION(ARRAY[1], ARRAY[2]))", "2"}, {"ARRAY_CONTAINS(ARRAY_APPEND(ARRAY[1], 2), 2)", "true"},
	})
}

func TestMaps(t *testing.T) {
	check(t, [][2]string{
		{"MAP_ENTRIES(CAST(NULL AS MAP<STRING, INT>))", "NULL"}, {"MAP_ENTRIES(MAP['a', NULL])", "[(a, NULL)]"}, {"MAP_ENTRIES(MAP['a', 1])[1].key", "a"},
		{"MAP_FROM_ARRAYS(ARRAY['a', 'b', 'a'], ARRAY[1, 2, 3])", "{a=3, b=2}"}, {"MAP_FROM_ARRAYS(ARRAY[1], ARRAY[1, 2])", "SD6007 MAP_FROM_ARRAYS: the arrays are not equally long"}, {"MAP_FROM_ARRAYS(ARRAY[1], CAST(NULL AS ARRAY<INT>))", "NULL"},
		{"MAP_FROM_ARRAYS(ARRAY[1], 1)", "refused: MAP_FROM_ARRAYS does not apply to INT; write MAP_FROM_ARRAYS(keys, values)"}, {"MAP_FROM_ARRAYS(ARRAY['ä', NULL], ARRAY[NULL, 2])", "{ä=NULL, NULL=2}"},
		{"MAP_UNION(MAP['a', 1])", "{a=1}"}, {"MAP_UNION(MAP['a', 1], NULL)", "NULL"}, {"MAP_UNION(MAP[1, 'x'], MAP[2, 'y'], MAP[1, 'z'])", "{1=z, 2=y}"}, {"MAP_UNION(MAP['a', 1], MAP['b', 2.5])", "{a=1.0, b=2.5}"}, {"MAP_UNION()", "refused: MAP_UNION does not take 0 operands"},
	})
}

func TestMoreStrings(t *testing.T) {
	check(t, [][2]string{
		{"ELT(1, 'a', 'b')", "a"}, {"ELT(0, 'a')", "NULL"}, {"ELT(3, 'a', 'b')", "NULL"}, {"ELT(NULL, 'a')", "NULL"}, {"ELT(1, NULL, 'b')", "NULL"}, {"ELT(2, NULL, 'ä')", "ä"}, {"ELT(9223372036854775807, 'a')", "NULL"}, {"ELT(1, UNHEX('61'), 'x')", "refused: BYTES and CHAR(1) have no common type"},
		{"PRINTF('plain')", "plain"}, {"PRINTF('%d %s', 1, 'ä')", "1 ä"}, {"PRINTF(NULL, 1)", "NULL"}, {"PRINTF('%s %b', NULL, NULL)", "null false"}, {"PRINTF('%2$s-%1$s', 'a', 'b')", "b-a"}, {"PRINTF('[%5d|%-5d|%05d]', 42, 42, -42)", "[   42|42   |-0042]"},
		{"PRINTF('%x %X %o %#x', 255, 255, 8, 255)", "ff FF 10 0xff"}, {"PRINTF('%x', CAST(-1 AS TINYINT))", "ff"}, {"PRINTF('%x', CAST(-1 AS BIGINT))", "ffffffffffffffff"}, {"PRINTF('%,d %+d %(d', 1234567, 5, -5)", "1,234,567 +5 (5)"}, {"PRINTF('%,d', -1000)", "-1,000"},
		{"PRINTF('%.2f %f', 2.345e0, 1e0)", "2.35 1.000000"}, {"PRINTF('%f', CAST('NaN' AS DOUBLE))", "NaN"}, {"PRINTF('%f', CAST('-Infinity' AS DOUBLE))", "-Infinity"}, {"PRINTF('%e', 12345.678e0)", "1.234568e+04"}, {"PRINTF('%S %.2s %5s|', 'abc', 'abc', 'ä')", "ABC ab     ä|"}, {"PRINTF('%c%c', 228, 97)", "äa"},
		{"PRINTF('%d', 'x')", "SD6007 PRINTF: %d does not take CHAR(1)"}, {"PRINTF('%d')", "SD6007 PRINTF: there is no operand 1"}, {"PRINTF('%')", `SD6007 PRINTF: there is no directive at "%"`}, {"PRINTF('%q', 1)", "SD6007 PRINTF: there is no directive %q"}, {"PRINTF('%f', 1.5)", "SD6007 PRINTF: %f does not take DECIMAL(2, 1)"},
		{"PRINTF('%999999999999d', 1)", "SD6007 PRINTF: the width 999999999999 is too large"}, {"PRINTF('%.99999f', 1e0)", "SD6007 PRINTF: the precision 99999 is too large"}, {"PRINTF('%0$s', 'a')", "SD6007 PRINTF: there is no operand 0"}, {"PRINTF('100%%')", "100%"}, {"PRINTF('%s', DATE '2024-01-02')", "2024-01-02"},
		{"REGEXP_EXTRACT_ALL('a1b', '[0-9]')", "SD6007 REGEXP_EXTRACT_ALL: group 1 is none of 0 to 0"}, {"REGEXP_EXTRACT_ALL('a1b22', '[0-9]+', 0)", "[1, 22]"}, {"REGEXP_EXTRACT_ALL('ab', '(a)|(b)', 2)", "[NULL, b]"}, {"REGEXP_EXTRACT_ALL('x', '(y)')", "[]"}, {"REGEXP_EXTRACT_ALL(NULL, '(y)')", "NULL"},
		{"REGEXP_EXTRACT_ALL('x', '(x)', -1)", "SD6007 REGEXP_EXTRACT_ALL: group -1 is none of 0 to 1"}, {"REGEXP_EXTRACT_ALL('ñandú', '(.)', 1)", "[ñ, a, n, d, ú]"}, {"REGEXP_EXTRACT_ALL('x', '(')", "refused: REGEXP_EXTRACT_ALL: error parsing regexp: missing closing ): `(`"},
		{"REGEXP_SUBSTR('abc', 'x')", "NULL"}, {"REGEXP_SUBSTR(NULL, 'x')", "NULL"}, {"REGEXP_SUBSTR('äbc', '.b')", "äb"}, {"REGEXP_SUBSTR('abc', '')", ""}, {"REGEXP_SUBSTR('abc', CAST('(' AS STRING))", "NULL"},
		{"IS_ALPHA('')", "false"}, {"IS_ALPHA('äß日')", "true"}, {"IS_ALPHA('a b')", "false"}, {"IS_ALPHA(NULL)", "false"}, {"IS_DIGIT(CAST(NULL AS INT))", "false"}, {"IS_DECIMAL(NULL)", "false"}, {"IS_ALPHA(1)", "false"}, {"IS_DIGIT('')", "false"}, {"IS_DIGIT('123')", "true"}, {"IS_DIGIT('-1')", "false"}, {"IS_DIGIT(5)", "true"}, {"IS_DIGIT(5.5)", "false"}, {"IS_DIGIT('٣')", "true"},
		{"IS_DECIMAL('12')", "true"}, {"IS_DECIMAL(' 1.5 ')", "true"}, {"IS_DECIMAL('1e400')", "true"}, {"IS_DECIMAL('.')", "false"}, {"IS_DECIMAL('0x10')", "false"}, {"IS_DECIMAL('--1')", "false"}, {"IS_DECIMAL('NaN')", "true"}, {"IS_DECIMAL('1_0')", "false"}, {"IS_DECIMAL('5f')", "true"}, {"IS_DECIMAL(1.5)", "true"}, {"IS_DECIMAL('')", "false"},
		{"IS_DECIMAL(TRUE)", "refused: IS_DECIMAL needs a string or a number, not BOOLEAN"},
		{"TYPEOF('abc')", "CHAR(3) NOT NULL"}, {"ARRAY_CONTAINS(ARRAY['a'], 'ab')", "false"}, {"ARRAY_POSITION(ARRAY['a'], 'ab')", "0"}, {"ARRAY_REMOVE(ARRAY['a'], 'ab')", "[a]"}, {"TYPEOF(CAST(NULL AS ARRAY<STRING>))", "ARRAY<STRING>"}, {"TYPEOF(1.50)", "DECIMAL(3, 2) NOT NULL"}, {"TYPEOF(ROW(1, 'a'), TRUE)", "ROW<`EXPR$0` INT NOT NULL, `EXPR$1` CHAR(1) NOT NULL> NOT NULL"}, {"TYPEOF(1, 2)", "refused: TYPEOF needs BOOLEAN, not INT"},
		{"TYPEOF(MAP_ENTRIES(MAP['a', 1]))", "ARRAY<ROW<`key` CHAR(1) NOT NULL, `value` INT NOT NULL> NOT NULL> NOT NULL"}, {"TYPEOF(ARRAY_APPEND(ARRAY[1], NULL))", "ARRAY<INT> NOT NULL"}, {"TYPEOF(ARRAY_MAX(ARRAY[1]))", "INT"}, {"TYPEOF(SPLIT('a', 'b'))", "ARRAY<STRING> NOT NULL"}, {"TYPEOF(ELT(1, 'a', 'bc'))", "VARCHAR(2)"},
		{"TYPEOF(ARRAY_CONCAT(ARRAY[1], CAST(NULL AS ARRAY<INT>)))", "ARRAY<INT>"},
	})
}

// What Flink's code does where its pages are silent.
func TestAsFlinkDoes(t *testing.T) {
	check(t, [][2]string{
		{"SUBSTRING('abc', -9, -1)", "NULL"}, {"SUBSTRING('', 1, 5)", ""}, {"OVERLAY('abcdef' PLACING 'X' FROM 3 FOR 0)", "abX"}, {"OVERLAY('abcdef' PLACING 'X' FROM 3 FOR -1)", "abX"}, {"OVERLAY('abcdef' PLACING 'X' FROM 3 FOR 3)", "abXf"}, {"OVERLAY('abcdef' PLACING 'X' FROM 3 FOR 4)", "abX"},
		{"OVERLAY('abc' PLACING 'X' FROM 4)", "abc"}, {"SPLIT_INDEX('a b', '', 1)", "b"}, {"SPLIT_INDEX('a,b', 300, 0)", "NULL"}, {"SPLIT_INDEX('a,b', 0, 0)", "NULL"}, {"SPLIT_INDEX('aéb', 233, 1)", "b"}, {"SPLIT_INDEX('', ',', 0)", "NULL"},
		{"REGEXP('a', '')", "false"}, {"REGEXP('a', CAST('(' AS STRING))", "false"}, {"REGEXP(NULL, 'a')", "NULL"}, {"STR_TO_MAP('a=1,')", "{a=1}"}, {"STR_TO_MAP('')", "{}"}, {"STR_TO_MAP(',a=1')", "{=NULL, a=1}"},
		{"HEX(DECODE(UNHEX('aA141'), 'ISO-8859-1'))", "00C2A141"}, {"UNHEX('')", "NULL"}, {"UNHEX('z41')", "x'0041'"}, {"UNHEX('4z')", "NULL"},
		{"INSTR('abcabc', 'bc')", "2"}, {"INSTR('abcabc', 'bc', 3)", "5"}, {"INSTR('abcabc', 'bc', 1, 3)", "0"}, {"INSTR('abcabc', 'bc', -1)", "5"}, {"INSTR('abcabc', 'bc', -1, 2)", "2"}, {"INSTR('äbcäbc', 'bc', -3)", "2"}, {"INSTR('abc', 'a', 0)", "0"}, {"INSTR('aaa', 'aa', 1, 2)", "2"},
		{"INSTR('a', 'a', 1, 0)", "SD6007 INSTR needs a count above 0, not 0"}, {"INSTR('a', 'a', NULL)", "NULL"}, {"INSTR('abc', '', 1, 9223372036854775807)", "1"}, {"INSTR('', '')", "1"}, {"LOCATE('', 'abc', 9)", "1"}, {"LOCATE('a', 'abc', 0)", "1"}, {"LOCATE('ü', 'äüü', 3)", "3"}, {"LOCATE('a', 'abc', 5)", "0"}, {"INSTR('abc', 'c', 9223372036854775807)", "0"}, {"INSTR('abc', 'c', -9223372036854775807)", "0"}, {"INSTR('', 'a')", "0"}, {"INSTR('abc', 'd', 1, 2)", "0"},
	})
}

func TestJSONMaking(t *testing.T) {
	check(t, [][2]string{
		{`JSON_QUOTE('a"b/\')`, `"a\\"b\\/\\\\"`}, {"JSON_QUOTE('ä😀')", `"\\u00e4\\ud83d\\ude00"`}, {"JSON_QUOTE(NULL)", "NULL"}, {"JSON_QUOTE('')", `""`}, {"CHAR_LENGTH(JSON_QUOTE('\n\t'))", "6"},
		{`JSON_UNQUOTE('"\u00e4\n"')`, `ä\n`}, {`JSON_UNQUOTE('"open')`, `"open`}, {"JSON_UNQUOTE('abc')", "abc"}, {"JSON_UNQUOTE(NULL)", "NULL"}, {"JSON_UNQUOTE('[1]')", "[1]"}, {"JSON_UNQUOTE('')", ""}, {"JSON_UNQUOTE(JSON_QUOTE('日\"'))", `日"`},
		{"JSON_OBJECT()", "{}"}, {"JSON_ARRAY()", "[]"}, {"JSON_OBJECT('a' VALUE NULL)", `{"a":null}`}, {"JSON_OBJECT('a' VALUE NULL, 'b' VALUE 1 ABSENT ON NULL)", `{"b":1}`}, {"JSON_ARRAY(NULL, 1)", "[1]"}, {"JSON_ARRAY(NULL ON NULL)", "[]"}, {"JSON_ARRAY(1, NULL NULL ON NULL)", "[1,null]"},
		{"JSON_OBJECT('a' VALUE 1, 'a' VALUE 2)", `{"a":2}`}, {"JSON_OBJECT('ä' VALUE ARRAY[1, NULL], 'm' VALUE MAP['k', 1.50], 't' VALUE TIMESTAMP '2024-01-02 03:04:05', 'r' VALUE ROW(TRUE))", `{"ä":[1,null],"m":{"k":1.50},"t":"2024-01-02 03:04:05","r":{"EXPR$0":true}}`},
		{"JSON_OBJECT(KEY 'a' VALUE JSON_OBJECT('b' VALUE JSON_ARRAY(1, JSON_ARRAY())))", `{"a":{"b":[1,[]]}}`}, {`JSON_OBJECT('a' VALUE '{"b": 1}')`, `{"a":"{\\"b\\": 1}"}`}, {"JSON_OBJECT(1 VALUE 2)", "refused: a key of JSON_OBJECT is a string constant; write JSON_OBJECT([KEY] key VALUE x, … [{NULL | ABSENT} ON NULL])"},
		{"JSON_ARRAY(JSON('[1]'), JSON(' 5 '), JSON(NULL))", "[[1],5]"}, {"JSON_OBJECT('a' VALUE JSON('x'))", "SD6008 JSON: the string is not JSON"}, {"JSON_ARRAY('x', 1e0, 2.50, UNHEX('ff'))", `["x",1,2.50,"/w=="]`}, {"JSON_VALUE(JSON_OBJECT('a' VALUE 'x'), '$.a')", "x"},
	})
}

// A short text cannot ask for a huge one.
func TestTextsHaveAnEnd(t *testing.T) {
	check(t, [][2]string{
		{"PRINTF(REPEAT('%16000000s', 1000), 'a')", "SD6007 PRINTF: there is no operand 2"}, {"PRINTF(REPEAT('%1$16000000s', 1000), 'a')", "SD6007 PRINTF: the text is larger than 16 MiB"},
		{"ARRAY_JOIN(CAST(SPLIT(REPEAT('a,', 1000), ',') AS ARRAY<STRING>), REPEAT('x', 1000000))", "SD6010 the text is larger than 16 MiB"},
		{"REGEXP_REPLACE(REPEAT('a', 10000), 'a', REPEAT('b', 10000))", "SD6010 the text is larger than 16 MiB"}, {"CHAR_LENGTH(REGEXP_REPLACE(REPEAT('a', 1000), 'a', REPEAT('b', 100)))", "100000"},
		{"CARDINALITY(ARRAY_DISTINCT(SPLIT(REPEAT('a,b,', 100000), ',')))", "3"},
	})
}

func TestBits(t *testing.T) {
	check(t, [][2]string{
		{"BITAND(-1, 255)", "255"}, {"BITOR(CAST(-128 AS TINYINT), 1)", "-127"}, {"BITXOR(1, CAST(NULL AS INT))", "NULL"}, {"BITNOT(CAST(0 AS TINYINT))", "-1"},
		{"BITNOT(9223372036854775807)", "-9223372036854775808"}, {"BITAND(CAST(-1 AS BIGINT), CAST(-1 AS TINYINT))", "-1"}, {"BITNOT(NULL)", "NULL"},
		{"BITAND(1.5, 1)", "refused: BITAND needs an integer, not DECIMAL(2, 1)"},
	})
}
