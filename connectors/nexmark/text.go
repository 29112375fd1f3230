package nexmark

import (
	"bytes"
	"fmt"
	"math/bits"
	"sync"
)

// arena is bytes and the views of the strings in it, offset<<32 | length, as a
// vector holds them. A column of strings takes the bytes as its own arena and
// copies nothing.
type arena struct {
	data []byte
	view []uint64
}

func (a *arena) add(s string) {
	a.view = append(a.view, uint64(len(a.data))<<32|uint64(len(s)))
	a.data = append(a.data, s...)
}

// bytes returns the arena with no room behind it, so that nobody who appends
// writes into it.
func (a *arena) bytes() []byte { return a.data[:len(a.data):len(a.data)] }

const (
	poolSize    = 1 << 20
	hotChannels = 4
	channels    = 10_000
	emails      = 1 << 13
	cardLen     = 19
)

// texts are all strings of all events, made once a process on first use.
type texts struct {
	channel, url             arena // 4 hot ones, then channel-0 … channel-9999
	name, email, city, state arena
	extra                    arena // letters; a view is any stretch of it
	words                    arena // letters and blanks, for item names and descriptions
	cards                    arena // groups of four digits and a blank
}

var loadTexts = sync.OnceValue(func() *texts {
	t := &texts{}
	r := draws{seed: 0x4e45584d41524b}
	for i, c := range []string{"Google", "Facebook", "Baidu", "Apple"} {
		t.channel.add(c)
		t.url.add(r.baseURL(uint64(i)))
	}
	for i := range channels {
		url := r.baseURL(uint64(100 + i))
		if r.below(uint64(1_000_000+i), 10) > 0 {
			// The absolute value, as a 32-bit integer, of the number with its bits reversed.
			id := int64(int32(bits.Reverse32(uint32(i))))
			if id < 0 {
				id = -id
			}
			url += fmt.Sprintf("&channel_id=%d", id)
		}
		t.channel.add(fmt.Sprintf("channel-%d", i))
		t.url.add(url)
	}
	first := []string{"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"}
	last := []string{"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"}
	for _, f := range first {
		for _, l := range last {
			t.name.add(f + " " + l)
		}
	}
	for i := range emails {
		t.email.add(r.word(uint64(2_000_000+2*i), 7, ' ') + "@" + r.word(uint64(2_000_001+2*i), 5, ' ') + ".com")
	}
	for _, c := range []string{"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"} {
		t.city.add(c)
	}
	for _, s := range []string{"AZ", "CA", "ID", "OR", "WA", "WY"} {
		t.state.add(s)
	}
	t.extra.data, t.words.data = make([]byte, poolSize), make([]byte, poolSize)
	t.cards.data = make([]byte, 0, poolSize)
	for i := range t.extra.data {
		x := r.u64(uint64(3_000_000 + i))
		t.extra.data[i] = 'a' + byte(below32(x, 26))
		t.words.data[i] = 'a' + byte(below32(x<<32, 26))
		if x&0xff*13>>8 == 0 {
			t.words.data[i] = ' '
		}
	}
	for i := 0; len(t.cards.data)+5 <= poolSize; i++ {
		t.cards.data = fmt.Appendf(t.cards.data, "%04d ", r.below(uint64(5_000_000+i), 10_000))
	}
	return t
})

// word makes a string of 3 to max-1 letters, about every thirteenth one special,
// with blanks at its ends cut.
func (r draws) word(key uint64, limit int, special byte) string {
	n := 3 + int(r.below(key<<8, uint32(limit-3)))
	b := make([]byte, n)
	for i := range b {
		x := r.u64(key<<8 + uint64(i) + 1)
		b[i] = 'a' + byte(below32(x, 26))
		if below32(x<<32, 13) == 0 {
			b[i] = special
		}
	}
	return string(bytes.Trim(b, " "))
}

func (r draws) baseURL(key uint64) string {
	return "https://www.nexmark.com/" + r.word(key*3, 5, '_') + "/" + r.word(key*3+1, 5, '_') + "/" + r.word(key*3+2, 5, '_') + "/item.htm?query=1"
}
