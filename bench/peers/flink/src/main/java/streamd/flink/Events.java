package streamd.flink;

import static streamd.flink.Texts.below32;
import static streamd.flink.Texts.high;

import java.util.List;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;

/**
 * NEXMark events from their numbers, by the formulas of streamd's connector 'nexmark' with its default sizes, proportions and
 * ratios: event n is the same in both. Only what is projected is computed.
 */
final class Events implements GeneratorFunction<Long, RowData> {
    static final int EVENT_TYPE = -1, PERSON = 0, AUCTION = 1, BID = 2;
    static final List<String> KINDS = List.of("person", "auction", "bid");
    static final List<List<String>> FIELDS = List.of(
            List.of("id", "name", "emailAddress", "creditCard", "city", "state", "dateTime", "extra"),
            List.of("id", "itemName", "description", "initialBid", "reserve", "dateTime", "expires", "seller", "category", "extra"),
            List.of("auction", "bidder", "price", "channel", "url", "dateTime", "extra"));

    private static final int PERSONS = 1, AUCTIONS = 3, TOTAL = 50;
    private static final int FIRST_ID = 1000, HOT_GROUP = 100, IN_FLIGHT = 100, ACTIVE = 1000, LEAD = 10;
    private static final int HOT_AUCTIONS = 2, HOT_BIDDERS = 4, HOT_SELLERS = 4;
    private static final int DRAW_AUCTION = 0, DRAW_BIDDER = 1, DRAW_PRICE = 2, DRAW_EXTRA = 3, DRAW_OWN = 4;
    private static final long BASE = 1_436_918_400_000L; // 2015-07-15 00:00:00
    private static final Texts.Draws RND = new Texts.Draws(0);
    private static final double[] PRICE_HIGH = new double[1024], PRICE_LOW = new double[1024];

    static {
        for (int i = 0; i < 1024; i++) {
            PRICE_HIGH[i] = 100 * Math.pow(10, 6.0 * i / 1024);
            PRICE_LOW[i] = Math.pow(10, 6.0 * i / (1024 * 1024));
        }
    }

    /** One column: a field of a kind, all fields of it (field < 0), or the event's type. */
    record Column(int kind, int field, int[] all) implements java.io.Serializable {}

    private final Column[] columns;
    private final double delay; // microseconds of event time between two events

    Events(Column[] columns, long rate) {
        this.columns = columns;
        this.delay = 1e6 / rate;
    }

    @Override
    public RowData map(Long number) {
        long n = number;
        int off = (int) (n % TOTAL);
        int kind = off < PERSONS ? PERSON : off < PERSONS + AUCTIONS ? AUCTION : BID;
        GenericRowData row = new GenericRowData(columns.length);
        for (int i = 0; i < columns.length; i++) {
            Column c = columns[i];
            if (c.kind == EVENT_TYPE) {
                row.setField(i, kind);
            } else if (c.kind == kind) {
                row.setField(i, c.field >= 0 ? value(kind, c.field, n) : all(kind, c.all, n));
            }
        }
        return row;
    }

    private GenericRowData all(int kind, int[] fields, long n) {
        GenericRowData row = new GenericRowData(fields.length);
        for (int i = 0; i < fields.length; i++) {
            row.setField(i, value(kind, fields[i], n));
        }
        return row;
    }

    private Object value(int kind, int field, long n) {
        return switch (kind) {
            case PERSON -> person(field, n);
            case AUCTION -> auction(field, n);
            default -> bid(field, n);
        };
    }

    private long millis(long n) {
        return BASE + (long) (n * delay) / 1000;
    }

    private static long price(long x) {
        return (long) (PRICE_HIGH[(int) (x >>> 54)] * PRICE_LOW[(int) (x >>> 44) & 1023] + 0.5);
    }

    private static long lastPerson(long n) {
        return Math.max(n / TOTAL * PERSONS + PERSONS - 1, 0);
    }

    /** One of the active persons or the few that come next. */
    private static long active(long last, long x) {
        long active = Math.min(last + 1, ACTIVE);
        return last + 1 - active + below32(x, (int) active + LEAD);
    }

    private static long own(int field, long n) {
        return RND.u64(n << 4 | DRAW_OWN + field);
    }

    private Object person(int field, long n) {
        Texts t = Texts.ALL;
        long x = own(field, n);
        switch (field) {
            case 0:
                return n / TOTAL * PERSONS + n % TOTAL + FIRST_ID;
            case 1:
                return pick(t.name, x);
            case 2:
                return pick(t.email, x);
            case 3:
                return t.cards.at(5 * below32(x, t.cardGroups - 4), Texts.CARD);
            case 4:
                return pick(t.city, x);
            case 5:
                return pick(t.state, x);
            case 6:
                return TimestampData.fromEpochMillis(millis(n));
        }
        int used = 8 + bytes(pick(t.name, own(1, n))) + bytes(pick(t.email, own(2, n))) + Texts.CARD + bytes(pick(t.city, own(4, n))) + bytes(pick(t.state, own(5, n)));
        return around(200 - used, x);
    }

    private Object auction(int field, long n) {
        long x = own(field, n);
        switch (field) {
            case 0:
                return n / TOTAL * AUCTIONS + n % TOTAL - PERSONS + FIRST_ID;
            case 1:
                return words(x, 20);
            case 2:
                return words(x, 100);
            case 3:
                return price(x);
            case 4:
                return price(own(3, n)) + price(x);
            case 5:
                return TimestampData.fromEpochMillis(millis(n));
            case 6:
                // On average when IN_FLIGHT more auctions have come.
                long horizon = millis(n + IN_FLIGHT * TOTAL / AUCTIONS) - millis(n);
                return TimestampData.fromEpochMillis(millis(n) + 1 + high(x, Math.max(2 * horizon, 1)));
            case 7:
                long last = lastPerson(n);
                return ((x & 0xffff) * HOT_SELLERS >> 16 > 0 ? last / HOT_GROUP * HOT_GROUP : active(last, x)) + FIRST_ID;
            case 8:
                return 10L + below32(x, 5);
        }
        return around(500 - 48 - bytes(words(own(1, n), 20)) - bytes(words(own(2, n), 100)), x);
    }

    private Object bid(int field, long n) {
        switch (field) {
            case 0: {
                long x = RND.u64(n << 4 | DRAW_AUCTION);
                long last = Math.max(n / TOTAL * AUCTIONS + AUCTIONS - 1, 0);
                long low = Math.max(last - IN_FLIGHT, 0);
                boolean hot = (x & 0xffff) * HOT_AUCTIONS >> 16 > 0;
                return (hot ? last / HOT_GROUP * HOT_GROUP : low + below32(x, (int) (last - low) + 1 + LEAD)) + FIRST_ID;
            }
            case 1: {
                long x = RND.u64(n << 4 | DRAW_BIDDER);
                long last = lastPerson(n);
                boolean hot = (x & 0xffff) * HOT_BIDDERS >> 16 > 0;
                return (hot ? last / HOT_GROUP * HOT_GROUP + 1 : active(last, x)) + 2 * FIRST_ID;
            }
            case 2:
                return price(RND.u64(n << 4 | DRAW_PRICE));
            case 3:
                return Texts.ALL.channel[channel(n)];
            case 4:
                return Texts.ALL.url[channel(n)];
            case 5:
                return TimestampData.fromEpochMillis(millis(n));
        }
        return around(100 - 32, RND.u64(n << 4 | DRAW_EXTRA));
    }

    private static int channel(long n) {
        long x = RND.u64(n << 4 | DRAW_PRICE);
        return (x & 1) != 0 ? (int) (x >>> 1) & 3 : Texts.HOT_CHANNELS + (int) ((x >>> 8 & 0xffffff) * Texts.CHANNELS >> 24);
    }

    private static StringData pick(StringData[] list, long x) {
        return list[below32(x, list.length)];
    }

    private static int bytes(StringData s) {
        return ((org.apache.flink.table.data.binary.BinaryStringData) s).getSizeInBytes();
    }

    /** A string that fills up to a size, give or take a fifth. */
    private static StringData around(int size, long x) {
        int least = 0, span = 0;
        if (size >= 0) {
            int delta = (size + 2) / 5;
            least = size - delta;
            span = 2 * delta;
        }
        int n = least + (int) ((x & 0xffff) * span >> 16);
        return Texts.ALL.extra.at(below32(x, Texts.POOL - n), n);
    }

    /** 3 to limit-1 bytes of the pool of words, blanks at the ends cut. */
    private static StringData words(long x, int limit) {
        Texts.Pool pool = Texts.ALL.words;
        int n = 3 + (int) ((x & 0xffff) * (limit - 3) >> 16);
        int from = below32(x, Texts.POOL - n);
        for (; n > 0 && pool.bytes[from] == ' '; n--) {
            from++;
        }
        while (n > 0 && pool.bytes[from + n - 1] == ' ') {
            n--;
        }
        return pool.at(from, n);
    }
}
