package batch

// RowID finds a row of a state table on one worker for as long as it lives:
// page number << PageBits | slot. 0 is no row.
type RowID uint32

// PageBits is the logarithm of the rows in a page.
const (
	PageBits = 10
	PageRows = 1 << PageBits
	SlotMask = PageRows - 1
)

// Page is a run of rows of a state table: key columns, then value columns, in
// one slice. Every column has PageRows rows of room once the page is full grown.
// All rows of a page belong to one shard.
type Page struct {
	Cols  []Vec
	Shard uint8
	Num   uint32 // number of this page in its shard, stable over save and restore
	Live  [PageRows / 64]uint64
	Dirty [PageRows / 64]uint64
}

// Touch marks the row in slot as changed since the last epoch.
func (p *Page) Touch(slot RowID) { p.Dirty[slot>>6] |= 1 << (slot & 63) }

// IsLive tells whether slot holds a row.
func (p *Page) IsLive(slot int) bool { return p.Live[slot>>6]>>(slot&63)&1 != 0 }
