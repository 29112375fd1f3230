package state

// index is an open-addressing hash table for one shard. An entry is the upper 32
// bits of the hash over a 32-bit id; 0 is empty. An entry's home is given by the
// *highest* bits of the hash: shards take the lowest, and an index that took the
// same ones would use 1/256 of its places. Growth touches this shard alone and
// needs no keys.
//
// Example, 16 places, hashes 0x1…, 0x1…, 0x2…: the first goes to place 1, the
// second to 2, the third (home 2) to 3. Removing the first moves the second to 1
// and the third to 2: no tombstones.
type index struct {
	e     []uint64
	n     int
	shift uint8 // 32 - log2(len(e))
}

const minIndex = 16

// room makes place for one more entry: load stays at or under 0.7.
func (x *index) room() {
	if (x.n+1)*10 > len(x.e)*7 {
		x.grow()
	}
}

func (x *index) grow() {
	old := x.e
	if len(old) == 0 {
		x.e, x.shift = make([]uint64, minIndex), 28
		return
	}
	x.e = make([]uint64, 2*len(old))
	x.shift--
	for _, e := range old {
		if e != 0 {
			x.place(e)
		}
	}
}

// place puts an entry that is not there in the first free place after its home.
func (x *index) place(e uint64) {
	mask := len(x.e) - 1
	p := int(uint32(e>>32) >> x.shift)
	for x.e[p] != 0 {
		p = (p + 1) & mask
	}
	x.e[p] = e
}

// add enters id under hash; the caller knows that its key is absent.
func (x *index) add(hash uint64, id uint32) {
	x.room()
	x.place(hash>>32<<32 | uint64(id))
	x.n++
}

// find returns the id under hash for which same holds, 0 if there is none.
func (x *index) find(hash uint64, same func(id uint32) bool) uint32 {
	if x.n == 0 {
		return 0
	}
	mask := len(x.e) - 1
	hi := uint32(hash >> 32)
	for p := int(hi >> x.shift); ; p = (p + 1) & mask {
		e := x.e[p]
		if e == 0 {
			return 0
		}
		if uint32(e>>32) == hi && same(uint32(e)) {
			return uint32(e)
		}
	}
}

// tag returns the first entry whose tag fits hash, 0 if there is none.
func (x *index) tag(hash uint64) uint64 {
	if x.n == 0 {
		return 0
	}
	mask, hi := len(x.e)-1, uint32(hash>>32)
	for p := int(hi >> x.shift); ; p = (p + 1) & mask {
		if e := x.e[p]; e == 0 || uint32(e>>32) == hi {
			return e
		}
	}
}

// remove takes out the entry of id and moves back those that follow it.
func (x *index) remove(hash uint64, id uint32) bool {
	if x.n == 0 {
		return false
	}
	mask := len(x.e) - 1
	want := hash>>32<<32 | uint64(id)
	p := int(uint32(hash>>32) >> x.shift)
	for x.e[p] != want {
		if x.e[p] == 0 {
			return false
		}
		p = (p + 1) & mask
	}
	for j := p; ; {
		j = (j + 1) & mask
		e := x.e[j]
		if e == 0 {
			break
		}
		// e may move to p only if its home is not behind p.
		if home := int(uint32(e>>32) >> x.shift); (j-home)&mask >= (j-p)&mask {
			x.e[p], p = e, j
		}
	}
	x.e[p] = 0
	x.n--
	return true
}

func (x *index) reset() {
	if x.n > 0 {
		clear(x.e)
		x.n = 0
	}
}
