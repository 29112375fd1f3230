package nexmark

import (
	"fmt"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// leaf is one value of an event.
type leaf uint8

const (
	eventType leaf = iota
	personID
	personName
	personEmail
	personCard
	personCity
	personState
	personTime
	personExtra
	auctionID
	auctionItem
	auctionDescription
	auctionInitialBid
	auctionReserve
	auctionTime
	auctionExpires
	auctionSeller
	auctionCategory
	auctionExtra
	bidAuction
	bidBidder
	bidPrice
	bidChannel
	bidURL
	bidTime
	bidExtra
	leaves
)

// The kinds of events, as event_type numbers them.
const (
	person = iota
	auction
	bid
)

var rows = [...]struct {
	name   string
	fields []string
	first  leaf
}{
	person:  {"person", []string{"id", "name", "emailAddress", "creditCard", "city", "state", "dateTime", "extra"}, personID},
	auction: {"auction", []string{"id", "itemName", "description", "initialBid", "reserve", "dateTime", "expires", "seller", "category", "extra"}, auctionID},
	bid:     {"bid", []string{"auction", "bidder", "price", "channel", "url", "dateTime", "extra"}, bidAuction},
}

func (l leaf) isTime() bool {
	return l == personTime || l == auctionTime || l == auctionExpires || l == bidTime
}

func (l leaf) isText() bool {
	switch l {
	case personName, personEmail, personCard, personCity, personState, personExtra, auctionItem, auctionDescription, auctionExtra, bidChannel, bidURL, bidExtra:
		return true
	}
	return false
}

// column says what one column of the table holds.
type column struct {
	kind   int    // -1: event_type; else which ROW
	fields []leaf // of the ROW
}

// layoutOf matches the table's columns by name. They may stand in any order and
// be any part of event_type, person, auction, bid and their fields.
func layoutOf(def *connectors.TableDef) ([]column, error) {
	var errs connectors.OptionErrors
	bad := func(format string, args ...any) {
		errs = append(errs, &connectors.OptionError{Where: connectors.AtTable, Key: "connector", Msg: fmt.Sprintf(format, args...),
			Hint: "columns: event_type INT, person ROW<…>, auction ROW<…>, bid ROW<…>"})
	}
	cols := make([]column, len(def.Schema.Fields))
	for c, f := range def.Schema.Fields {
		if f.Name == "event_type" {
			if !f.Type.IsInteger() {
				bad("column %q of nexmark must be INT, not %s", f.Name, f.Type)
			}
			cols[c].kind = -1
			continue
		}
		at := -1
		for k := range rows {
			if rows[k].name == f.Name {
				at = k
			}
		}
		if at < 0 || f.Type.SQL != batch.RowType {
			bad("nexmark has no column %q of type %s", f.Name, f.Type)
			continue
		}
		cols[c].kind = at
		for _, x := range f.Type.Fields {
			l, ok := findLeaf(at, x)
			if !ok {
				bad("nexmark has no field %q of type %s in %q", x.Name, x.Type, f.Name)
			}
			cols[c].fields = append(cols[c].fields, l)
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return cols, nil
}

func findLeaf(kind int, f batch.Field) (leaf, bool) {
	for i, name := range rows[kind].fields {
		if name != f.Name {
			continue
		}
		l := rows[kind].first + leaf(i)
		switch {
		case l.isTime():
			return l, f.Type.IsTimestamp() && f.Type.P >= 3
		case l.isText():
			// The benchmark's own files say VARCHAR, which is VARCHAR(1).
			return l, f.Type.SQL == batch.Varchar
		}
		return l, f.Type.SQL == batch.BigInt
	}
	return 0, false
}
