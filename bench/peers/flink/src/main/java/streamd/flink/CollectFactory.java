package streamd.flink;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.RuntimeConverter;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.SinkV2Provider;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;

/**
 * The connector 'collect': keeps the rows that a table holds in the end, for the program around the job. 'changes' says what the
 * table takes: append, upsert (by its primary key) or all.
 */
public final class CollectFactory implements DynamicTableSinkFactory {
    private static final Map<String, Table> TABLES = new ConcurrentHashMap<>();

    /** What a table holds in the end, a list of values a row. */
    record Result(List<String> columns, List<List<Object>> rows) {
        Map<String, Object> json() {
            return Map.of("columns", columns, "rows", rows);
        }
    }

    /** A table's rows by how often they are there, or by their key. Its job writes it, from one task. */
    static final class Table {
        private final List<String> columns;
        private final boolean byKey;
        private final Map<Object, List<Object>> keyed = new LinkedHashMap<>();
        private final Map<List<Object>, Integer> counts = new LinkedHashMap<>();

        Table(List<String> columns, boolean byKey) {
            this.columns = columns;
            this.byKey = byKey;
        }

        synchronized void apply(RowKind kind, int[] key, List<Object> row) {
            boolean adds = kind == RowKind.INSERT || kind == RowKind.UPDATE_AFTER;
            if (!byKey) {
                counts.merge(row, adds ? 1 : -1, (a, b) -> a + b == 0 ? null : Integer.valueOf(a + b));
                return;
            }
            List<Object> k = new ArrayList<>();
            for (int i : key) {
                k.add(row.get(i));
            }
            if (adds) {
                keyed.put(k, row);
            } else {
                keyed.remove(k);
            }
        }

        synchronized Result result() {
            List<List<Object>> out = new ArrayList<>(keyed.values());
            counts.forEach((row, n) -> {
                if (n < 0) {
                    throw new IllegalStateException("a row was taken away that was not there: " + row);
                }
                for (int i = 0; i < n; i++) {
                    out.add(row);
                }
            });
            return new Result(columns, out);
        }
    }

    static void clear() {
        TABLES.clear();
    }

    /** Takes the rows of a SELECT: a table without a name, and without names of columns. */
    static void select(Iterator<Row> rows) {
        Table t = new Table(List.of(), false);
        while (rows.hasNext()) {
            Row r = rows.next();
            t.apply(r.getKind(), null, Render.row(r));
        }
        TABLES.put("", t);
    }

    /** The tables that were written since clear. */
    static Map<String, Object> results() {
        Map<String, Object> out = new LinkedHashMap<>();
        TABLES.forEach((name, t) -> out.put(name, t.result().json()));
        return out;
    }

    @Override
    public String factoryIdentifier() {
        return "collect";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(ScriptFactory.CHANGES);
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        return new Collector(context, helper.getOptions().get(ScriptFactory.CHANGES));
    }

    private record Collector(DynamicTableSinkFactory.Context table, String changes) implements DynamicTableSink {
        @Override
        public ChangelogMode getChangelogMode(ChangelogMode asked) {
            return switch (changes) {
                case "append" -> ChangelogMode.insertOnly();
                case "upsert" -> ChangelogMode.upsert();
                default -> asked;
            };
        }

        @Override
        public SinkRuntimeProvider getSinkRuntimeProvider(DynamicTableSink.Context context) {
            String name = table.getObjectIdentifier().getObjectName();
            TABLES.put(name, new Table(DataType.getFieldNames(table.getPhysicalRowDataType()), changes.equals("upsert")));
            return SinkV2Provider.of(new Writing(name, table.getPrimaryKeyIndexes(), context.createDataStructureConverter(table.getPhysicalRowDataType())));
        }

        @Override
        public DynamicTableSink copy() {
            return this;
        }

        @Override
        public String asSummaryString() {
            return "collect";
        }
    }

    private record Writing(String name, int[] key, DynamicTableSink.DataStructureConverter converter) implements Sink<RowData> {
        @Override
        public SinkWriter<RowData> createWriter(WriterInitContext context) {
            converter.open(RuntimeConverter.Context.create(Writing.class.getClassLoader()));
            return new SinkWriter<>() {
                @Override
                public void write(RowData data, Context c) {
                    List<Object> values = Render.row((Row) converter.toExternal(data));
                    TABLES.get(name).apply(data.getRowKind(), key, values);
                }

                @Override
                public void flush(boolean end) {}

                @Override
                public void close() {}
            };
        }
    }
}
