package streamd.flink;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/** All strings of all NEXMark events, made once: the same as streamd's connector makes. */
final class Texts {
    static final Texts ALL = new Texts();

    static final int POOL = 1 << 20;
    static final int HOT_CHANNELS = 4;
    static final int CHANNELS = 10_000;
    static final int CARD = 19;

    final StringData[] channel, url, name, email, city, state;
    final Pool extra = new Pool(); // letters; a string is any stretch of it
    final Pool words = new Pool(); // letters and blanks
    final Pool cards = new Pool(); // groups of four digits and a blank
    final int cardGroups;

    /** Bytes into which strings point: none is copied. */
    static final class Pool {
        final byte[] bytes = new byte[POOL];
        private final MemorySegment[] segment = {MemorySegmentFactory.wrap(bytes)};

        StringData at(int from, int length) {
            return BinaryStringData.fromAddress(segment, from, length);
        }
    }

    /** Random numbers that are a function of a key. */
    record Draws(long seed) {
        long u64(long key) {
            long x = (key + seed) * 0xa0761d6478bd642fL;
            long y = x ^ 0xe7037ed1a0b428dbL;
            return high(x, y) ^ (x * y);
        }

        int below(long key, int n) {
            return below32(u64(key), n);
        }
    }

    /** The upper half of the product of two unsigned numbers. */
    static long high(long x, long y) {
        return Math.multiplyHigh(x, y) + ((x >> 63) & y) + ((y >> 63) & x);
    }

    /** Maps the upper half of x to [0, n). */
    static int below32(long x, int n) {
        return (int) ((x >>> 32) * n >>> 32);
    }

    private Texts() {
        Draws r = new Draws(0x4e45584d41524bL);
        List<StringData> channels = new ArrayList<>(), urls = new ArrayList<>(), names = new ArrayList<>(), emails = new ArrayList<>();
        String[] hot = {"Google", "Facebook", "Baidu", "Apple"};
        for (int i = 0; i < hot.length; i++) {
            channels.add(string(hot[i]));
            urls.add(string(baseUrl(r, i)));
        }
        for (int i = 0; i < CHANNELS; i++) {
            String u = baseUrl(r, 100 + i);
            if (r.below(1_000_000 + i, 10) > 0) {
                u += "&channel_id=" + Math.abs((long) Integer.reverse(i));
            }
            channels.add(string("channel-" + i));
            urls.add(string(u));
        }
        for (String f : "Peter Paul Luke John Saul Vicky Kate Julie Sarah Deiter Walter".split(" ")) {
            for (String l : "Shultz Abrams Spencer White Bartels Walton Smith Jones Noris".split(" ")) {
                names.add(string(f + " " + l));
            }
        }
        for (int i = 0; i < 1 << 13; i++) {
            emails.add(string(word(r, 2_000_000 + 2L * i, 7, ' ') + "@" + word(r, 2_000_001 + 2L * i, 5, ' ') + ".com"));
        }
        channel = array(channels);
        url = array(urls);
        name = array(names);
        email = array(emails);
        city = array(strings("Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"));
        state = array(strings("AZ", "CA", "ID", "OR", "WA", "WY"));
        for (int i = 0; i < POOL; i++) {
            long x = r.u64(3_000_000 + i);
            extra.bytes[i] = (byte) ('a' + below32(x, 26));
            words.bytes[i] = (x & 0xff) * 13 >> 8 == 0 ? (byte) ' ' : (byte) ('a' + below32(x << 32, 26));
        }
        cardGroups = POOL / 5;
        for (int i = 0; i < cardGroups; i++) {
            byte[] group = String.format("%04d ", r.below(5_000_000 + i, 10_000)).getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(group, 0, cards.bytes, 5 * i, 5);
        }
    }

    /** 3 to limit-1 letters, about every thirteenth one special, blanks at the ends cut. */
    private static String word(Draws r, long key, int limit, char special) {
        int n = 3 + r.below(key << 8, limit - 3);
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < n; i++) {
            long x = r.u64((key << 8) + i + 1);
            b.append(below32(x << 32, 13) == 0 ? special : (char) ('a' + below32(x, 26)));
        }
        return b.toString().strip();
    }

    private static String baseUrl(Draws r, long key) {
        return "https://www.nexmark.com/" + word(r, key * 3, 5, '_') + "/" + word(r, key * 3 + 1, 5, '_') + "/" + word(r, key * 3 + 2, 5, '_') + "/item.htm?query=1";
    }

    private static StringData string(String s) {
        return StringData.fromBytes(s.getBytes(StandardCharsets.UTF_8));
    }

    private static List<StringData> strings(String... list) {
        List<StringData> out = new ArrayList<>();
        for (String s : list) {
            out.add(string(s));
        }
        return out;
    }

    private static StringData[] array(List<StringData> list) {
        return list.toArray(new StringData[0]);
    }
}
