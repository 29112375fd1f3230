package streamd.flink;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.types.Row;

/** Values as JSON knows them, written as streamd writes them: times as text, decimals with their scale. */
final class Render {
    static List<Object> row(Row row) {
        List<Object> out = new ArrayList<>();
        for (int i = 0; i < row.getArity(); i++) {
            out.add(value(row.getField(i)));
        }
        return out;
    }

    private static Object value(Object v) {
        if (v instanceof LocalDateTime t) {
            return t.toLocalDate() + " " + time(t.toLocalTime());
        } else if (v instanceof Instant t) {
            return value(LocalDateTime.ofInstant(t, ZoneOffset.UTC)) + "Z";
        } else if (v instanceof LocalTime t) {
            return time(t);
        } else if (v instanceof LocalDate d) {
            return d.toString();
        } else if (v instanceof Double d && !Double.isFinite(d) || v instanceof Float f && !Float.isFinite(f)) {
            return v.toString();
        } else if (v instanceof BigDecimal || v instanceof byte[]) {
            return v;
        } else if (v instanceof Row r) {
            return row(r);
        } else if (v instanceof Map<?, ?> m) {
            Map<String, Object> out = new LinkedHashMap<>();
            m.forEach((k, x) -> out.put(String.valueOf(value(k)), value(x)));
            return out;
        } else if (v != null && v.getClass().isArray()) {
            List<Object> out = new ArrayList<>();
            for (int i = 0; i < Array.getLength(v); i++) {
                out.add(value(Array.get(v, i)));
            }
            return out;
        }
        return v;
    }

    /** Always with seconds, a fraction only where it is not 0. */
    private static String time(LocalTime t) {
        String s = String.format("%02d:%02d:%02d", t.getHour(), t.getMinute(), t.getSecond());
        return t.getNano() == 0 ? s : s + String.format(".%09d", t.getNano()).replaceAll("0+$", "");
    }
}
