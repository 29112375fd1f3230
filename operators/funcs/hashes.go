package funcs

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

const hashing = "hashes"

func hashSum(bits int64, b []byte) ([]byte, bool) {
	switch bits {
	case 224:
		s := sha256.Sum224(b)
		return s[:], true
	case 256:
		s := sha256.Sum256(b)
		return s[:], true
	case 384:
		s := sha512.Sum384(b)
		return s[:], true
	case 512:
		s := sha512.Sum512(b)
		return s[:], true
	}
	return nil, false
}

func init() {
	digest := func(name, doc, result string, sum func(b []byte) []byte) {
		text(meta{name: name, cat: hashing, syntax: name + "(s)", doc: doc, example: name + "('a')", result: result}, "s", batch.TypeString,
			plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				return hex.AppendEncode(dst, sum(str(c, 0, i))), true
			}))
	}
	digest("MD5", "The MD5 hash as 32 hexadecimal digits.", "0cc175b9c0f1b6a831c399e269772661", func(b []byte) []byte { s := md5.Sum(b); return s[:] })
	digest("SHA1", "The SHA-1 hash as 40 hexadecimal digits.", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", func(b []byte) []byte { s := sha1.Sum(b); return s[:] })
	for bits, result := range map[int64]string{
		224: "abd37534c7d9a2efb9465de931cd7055ffdb8879563ae98078d6d6d5",
		256: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
		384: "54a59b9f22b0b80880d8427e548b7c23abd873486e1f035dce9cd697e85175033caa88e6d57bc35efae0b5afd3145f31",
		512: "1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f5302860c652bf08d560252aa5e74210546f369fbbbce8c12cfc7957b2652fe9a75",
	} {
		digest(fmt.Sprintf("SHA%d", bits), fmt.Sprintf("The SHA-%d hash in hexadecimal digits.", bits), result, func(b []byte) []byte { s, _ := hashSum(bits, b); return s })
	}
	text(meta{name: "SHA2", cat: hashing, syntax: "SHA2(s, bits)", doc: "The SHA-2 hash of 224, 256, 384 or 512 bits in hexadecimal digits.", example: "LEFT(SHA2('a', 256), 8)", result: "ca978112", fails: true}, "si", batch.TypeString,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			s, ok := hashSum(num(c, 1, i), str(c, 0, i))
			if !ok {
				c.Fail(int32(i), expr.ErrArgument, fmt.Sprintf("SHA2 has 224, 256, 384 or 512 bits, not %d", num(c, 1, i)))
				return dst, true
			}
			return hex.AppendEncode(dst, s), true
		}))
	ints(meta{name: "CRC32", cat: hashing, syntax: "CRC32(s)", doc: "The CRC-32 checksum.", example: "CRC32('a')", result: "3904355907"}, "z", batch.TypeBigInt,
		plain(func(c *expr.Call, i int) (int64, bool) { return int64(crc32.ChecksumIEEE(str(c, 0, i))), true }))
	text(meta{name: "UUID", cat: strs, syntax: "UUID()", doc: "A random UUID of version 4.", example: "CHAR_LENGTH(UUID())", result: "36", volatile: true}, "", batch.TypeString,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			a, b := rand.Uint64(), rand.Uint64()
			a, b = a&^0xf000|0x4000, b&^(3<<62)|2<<62
			return fmt.Appendf(dst, "%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&(1<<48-1)), true
		}))
	codecs()
	urls()
}

func codecs() {
	text(meta{name: "TO_BASE64", cat: strs, syntax: "TO_BASE64(s)", doc: "The bytes in base 64.", example: "TO_BASE64('hello')", result: "aGVsbG8="}, "z", batch.TypeString,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			return base64.StdEncoding.AppendEncode(dst, str(c, 0, i)), true
		}))
	text(meta{name: "FROM_BASE64", cat: strs, syntax: "FROM_BASE64(s)", doc: "The text that base 64 stands for; NULL for what is not base 64.", example: "FROM_BASE64('aGVsbG8=')", result: "hello", nullable: true}, "s", batch.TypeString,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			b, err := base64.StdEncoding.AppendDecode(dst, str(c, 0, i))
			return b, err == nil
		}))
	text(meta{name: "UNHEX", cat: strs, syntax: "UNHEX(s)", doc: "The bytes that hexadecimal digits stand for; of an odd number the first one is dropped, for a byte 0. NULL for an empty text and what is not hexadecimal.", example: "DECODE(UNHEX('6869'), 'UTF-8')", result: "hi", nullable: true}, "s", batch.TypeBytes,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			s := str(c, 0, i)
			if len(s) == 0 {
				return dst, false
			}
			if len(s)%2 == 1 {
				s, dst = s[1:], append(dst, 0)
			}
			b, err := hex.AppendDecode(dst, s)
			return b, err == nil
		}))
	text(meta{name: "ENCODE", cat: strs, syntax: "ENCODE(s, charset)", doc: "The bytes of a string in US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE or UTF-16.", example: "HEX(ENCODE('a', 'UTF-16BE'))", result: "0061", nullable: true, fails: true}, "ss", batch.TypeBytes,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			dst, ok := encode(dst, str(c, 0, i), strings.ToUpper(string(str(c, 1, i))))
			if !ok {
				c.Fail(int32(i), expr.ErrArgument, fmt.Sprintf("unknown character set '%s'", str(c, 1, i)))
			}
			return dst, true
		}))
	text(meta{name: "DECODE", cat: strs, syntax: "DECODE(b, charset)", doc: "The string that bytes stand for in a character set; see ENCODE.", example: "DECODE(ENCODE('é', 'UTF-16LE'), 'UTF-16LE')", result: "é", nullable: true, fails: true}, "ys", batch.TypeString,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			dst, ok := decode(dst, str(c, 0, i), strings.ToUpper(string(str(c, 1, i))))
			if !ok {
				c.Fail(int32(i), expr.ErrArgument, fmt.Sprintf("unknown character set '%s'", str(c, 1, i)))
			}
			return dst, true
		}))
}

func encode(dst, s []byte, set string) ([]byte, bool) {
	switch set {
	case "UTF-8":
		return append(dst, s...), true
	case "US-ASCII", "ISO-8859-1":
		limit := map[string]rune{"US-ASCII": 0x80, "ISO-8859-1": 0x100}[set]
		for _, r := range string(s) {
			if r >= limit {
				r = '?'
			}
			dst = append(dst, byte(r))
		}
		return dst, true
	case "UTF-16", "UTF-16BE", "UTF-16LE":
		u := utf16.Encode([]rune(string(s)))
		if set == "UTF-16" {
			u = append([]uint16{0xfeff}, u...)
		}
		for _, x := range u {
			if set == "UTF-16LE" {
				dst = append(dst, byte(x), byte(x>>8))
			} else {
				dst = append(dst, byte(x>>8), byte(x))
			}
		}
		return dst, true
	}
	return dst, false
}

func decode(dst, b []byte, set string) ([]byte, bool) {
	switch set {
	case "UTF-8":
		return append(dst, strings.ToValidUTF8(string(b), "\ufffd")...), true
	case "US-ASCII", "ISO-8859-1":
		for _, x := range b {
			r := rune(x)
			if set == "US-ASCII" && x >= 0x80 {
				r = 0xfffd
			}
			dst = utf8.AppendRune(dst, r)
		}
		return dst, true
	case "UTF-16", "UTF-16BE", "UTF-16LE":
		u := make([]uint16, len(b)/2)
		for k := range u {
			u[k] = uint16(b[2*k])<<8 | uint16(b[2*k+1])
			if set == "UTF-16LE" {
				u[k] = u[k]>>8 | u[k]<<8
			}
		}
		if set == "UTF-16" && len(u) > 0 && (u[0] == 0xfeff || u[0] == 0xfffe) {
			swap := u[0] == 0xfffe
			u = u[1:]
			for k := range u {
				if swap {
					u[k] = u[k]>>8 | u[k]<<8
				}
			}
		}
		return append(dst, string(utf16.Decode(u))...), true
	}
	return dst, false
}

func urls() {
	text(meta{name: "URL_ENCODE", cat: strs, syntax: "URL_ENCODE(s)", doc: "The string as a part of a URL's query.", example: "URL_ENCODE('a b&c')", result: "a+b%26c"}, "s", batch.TypeString,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			e := strings.NewReplacer("~", "%7E", "%2A", "*").Replace(url.QueryEscape(string(str(c, 0, i))))
			return append(dst, e...), true
		}))
	text(meta{name: "URL_DECODE", cat: strs, syntax: "URL_DECODE(s)", doc: "The inverse of URL_ENCODE; NULL for a malformed escape.", example: "URL_DECODE('a+b%26c')", result: "a b&c", nullable: true}, "s", batch.TypeString,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			s, err := url.QueryUnescape(string(str(c, 0, i)))
			return append(dst, s...), err == nil
		}))
	text(meta{name: "PARSE_URL", cat: strs, syntax: "PARSE_URL(url, part[, key])", doc: "A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, AUTHORITY, FILE or USERINFO; with a key that parameter of the QUERY. NULL where it is absent.",
		example: "PARSE_URL('http://h/p?k=v#r', 'QUERY', 'k')", result: "v", nullable: true}, "ss?s", batch.TypeString,
		plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			u, err := url.Parse(string(str(c, 0, i)))
			if err != nil || u.Scheme == "" {
				return dst, false
			}
			part := string(str(c, 1, i))
			if len(c.Args) > 2 {
				if part != "QUERY" {
					return dst, false
				}
				for _, kv := range strings.Split(u.RawQuery, "&") {
					if k, v, ok := strings.Cut(kv, "="); ok && k == string(str(c, 2, i)) {
						return append(dst, v...), true
					}
				}
				return dst, false
			}
			s, ok := urlPart(u, part)
			return append(dst, s...), ok
		}))
}

func urlPart(u *url.URL, part string) (string, bool) {
	user := ""
	if u.User != nil {
		user = u.User.String()
	}
	switch part {
	case "HOST":
		return u.Hostname(), u.Host != ""
	case "PATH":
		return u.EscapedPath(), true
	case "QUERY":
		return u.RawQuery, u.RawQuery != ""
	case "REF":
		return u.EscapedFragment(), u.Fragment != ""
	case "PROTOCOL":
		return u.Scheme, true
	case "USERINFO":
		return user, user != ""
	case "AUTHORITY":
		if user != "" {
			user += "@"
		}
		return user + u.Host, u.Host != ""
	case "FILE":
		if u.RawQuery != "" {
			return u.EscapedPath() + "?" + u.RawQuery, true
		}
		return u.EscapedPath(), true
	}
	return "", false
}
