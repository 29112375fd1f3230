package nexmark

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

// settings are the WITH options. The rates are events per second of event time;
// they limit the speed only with rate.limited or without max-emit-speed.
type settings struct {
	FirstRate    int64           `opt:"first-event.rate" default:"10000"`
	NextRate     int64           `opt:"next-event.rate" default:"10000"`
	Shape        string          `opt:"rate.shape" default:"SQUARE"`
	Period       time.Duration   `opt:"rate.period" default:"600 s"`
	Limited      bool            `opt:"rate.limited" default:"false"`
	MaxSpeed     bool            `opt:"max-emit-speed" default:"true"`
	PersonSize   connectors.Size `opt:"person.avg-size" default:"200b"`
	AuctionSize  connectors.Size `opt:"auction.avg-size" default:"500b"`
	BidSize      connectors.Size `opt:"bid.avg-size" default:"100b"`
	Persons      int64           `opt:"person.proportion" default:"1"`
	Auctions     int64           `opt:"auction.proportion" default:"3"`
	Bids         int64           `opt:"bid.proportion" default:"46"`
	HotAuctions  int64           `opt:"bid.hot-ratio.auctions" default:"2"`
	HotBidders   int64           `opt:"bid.hot-ratio.bidders" default:"4"`
	HotSellers   int64           `opt:"auction.hot-ratio.sellers" default:"4"`
	Events       *string         `opt:"events.num"`
	Rows         *string         `opt:"number-of-rows"`
	KeepAlive    bool            `opt:"keep-alive" default:"false"`
	StopAt       int64           `opt:"stop-at" default:"-1"`
	BaseTimeText string          `opt:"base-time" default:"2015-07-15 00:00:00"`
	SplitsText   string          `opt:"splits" default:""`
	Seed         int64           `opt:"seed" default:"0"`

	baseMs int64 // event time of event 0
	end    int64 // number of events, or -1
	splits int64 // 0 = one, or as many as there are workers
}

var keys = []connectors.OptionKey{
	{Key: "first-event.rate", Default: "10000", Doc: "events per second of event time"},
	{Key: "next-event.rate", Default: "10000", Doc: "accepted; the rate stays that of first-event.rate, as in Flink's connector"},
	{Key: "rate.shape", Default: "SQUARE", Doc: "accepted; the rate is constant"},
	{Key: "rate.period", Default: "600 s", Doc: "accepted; the rate is constant"},
	{Key: "rate.limited", Default: "false", Doc: "make events no faster than their event time goes"},
	{Key: "max-emit-speed", Default: "true", Doc: "false is rate.limited"},
	{Key: "person.avg-size", Default: "200b", Doc: "average bytes of a person"},
	{Key: "auction.avg-size", Default: "500b", Doc: "average bytes of an auction"},
	{Key: "bid.avg-size", Default: "100b", Doc: "average bytes of a bid"},
	{Key: "person.proportion", Default: "1", Doc: "persons among so many events"},
	{Key: "auction.proportion", Default: "3", Doc: "auctions among so many events"},
	{Key: "bid.proportion", Default: "46", Doc: "bids among so many events"},
	{Key: "bid.hot-ratio.auctions", Default: "2", Doc: "n: all bids but one of n go to a hot auction"},
	{Key: "bid.hot-ratio.bidders", Default: "4", Doc: "n: all bids but one of n come from a hot bidder"},
	{Key: "auction.hot-ratio.sellers", Default: "4", Doc: "n: all auctions but one of n are of a hot seller"},
	{Key: "events.num", Default: "0", Doc: "number of events; 0 = without end"},
	{Key: "number-of-rows", Doc: "as events.num"},
	{Key: "keep-alive", Default: "false", Doc: "do not end after the last event"},
	{Key: "stop-at", Default: "-1", Doc: "end after so many events, if they are fewer"},
	{Key: "base-time", Default: "2015-07-15 00:00:00", Doc: "event time of the first event: milliseconds or a timestamp"},
	{Key: "splits", Doc: "number of splits; default: one for each worker"},
	{Key: "seed", Default: "0", Doc: "another seed, other draws"},
}

func decode(o *connectors.Options) (*settings, error) {
	s := &settings{}
	if err := o.Decode(s); err != nil {
		return nil, err
	}
	var errs connectors.OptionErrors
	bad := func(key, msg, hint string) {
		errs = append(errs, &connectors.OptionError{Where: connectors.AtValue, Key: key, Msg: msg, Hint: hint})
	}
	number := func(key, text string, least int64) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < least {
			bad(key, "option \""+key+"\" must be a whole number of at least "+strconv.FormatInt(least, 10), "")
		}
		return n
	}
	s.end = -1
	for key, text := range map[string]*string{"events.num": s.Events, "number-of-rows": s.Rows} {
		if text != nil {
			if n := number(key, *text, 0); n > 0 || key == "number-of-rows" {
				s.end = n
			}
		}
	}
	if s.Events != nil && s.Rows != nil && *s.Events != *s.Rows {
		bad("number-of-rows", `"events.num" and "number-of-rows" differ`, "give one of them")
	}
	if s.StopAt >= 0 && (s.end < 0 || s.StopAt < s.end) {
		s.end = s.StopAt
	}
	if s.SplitsText != "" {
		s.splits = number("splits", s.SplitsText, 1)
	}
	if ms, err := strconv.ParseInt(s.BaseTimeText, 10, 64); err == nil {
		s.baseMs = ms
	} else if us, ok := batch.ParseTimestamp([]byte(s.BaseTimeText)); ok {
		s.baseMs = batch.FloorDiv(us, 1000)
	} else {
		bad("base-time", `option "base-time" must be milliseconds since 1970 or a timestamp`, "for instance '2015-07-15 00:00:00'")
	}
	if s.FirstRate <= 0 {
		bad("first-event.rate", `option "first-event.rate" must be positive`, "")
	}
	for key, n := range map[string]int64{"person.proportion": s.Persons, "auction.proportion": s.Auctions, "bid.proportion": s.Bids} {
		if n < 0 || n > 1<<20 {
			bad(key, `option "`+key+`" must be between 0 and 1048576`, "")
		}
	}
	if s.Persons+s.Auctions+s.Bids <= 0 {
		bad("bid.proportion", "all proportions are 0", "")
	}
	for key, n := range map[string]int64{"bid.hot-ratio.auctions": s.HotAuctions, "bid.hot-ratio.bidders": s.HotBidders, "auction.hot-ratio.sellers": s.HotSellers} {
		if n < 1 || n > 1<<15 {
			bad(key, `option "`+key+`" must be between 1 and 32768`, "")
		}
	}
	for key, n := range map[string]connectors.Size{"person.avg-size": s.PersonSize, "auction.avg-size": s.AuctionSize, "bid.avg-size": s.BidSize} {
		if n < 0 || n > poolSize/4 {
			bad(key, `option "`+key+`" must be at most 256 kb`, "")
		}
	}
	if len(errs) > 0 {
		slices.SortFunc(errs, func(a, b *connectors.OptionError) int { return strings.Compare(a.Key, b.Key) })
		return nil, errs
	}
	return s, nil
}
