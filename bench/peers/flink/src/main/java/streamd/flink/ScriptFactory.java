package streamd.flink;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonToRowDataConverters;
import org.apache.flink.legacy.table.connector.source.SourceFunctionProvider;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.functions.source.legacy.RichSourceFunction;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsWatermarkPushDown;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.clock.RelativeClock;
import org.apache.flink.util.clock.SystemClock;

/**
 * The connector 'script': a table that plays a file to its end, a JSON document a line. {"rows": [["+I", {…}], …]} are rows that come
 * together: the table's watermark moves behind the last of them. {"watermark": ms} moves it further. 'changes' says what kinds of
 * rows there are: append, upsert or all.
 */
public final class ScriptFactory implements DynamicTableSourceFactory {
    private static final ConfigOption<String> PATH = ConfigOptions.key("path").stringType().noDefaultValue();
    static final ConfigOption<String> CHANGES = ConfigOptions.key("changes").stringType().defaultValue("append");

    @Override
    public String factoryIdentifier() {
        return "script";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(PATH);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(CHANGES);
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        return new Source((RowType) context.getPhysicalRowDataType().getLogicalType(), helper.getOptions().get(PATH), helper.getOptions().get(CHANGES));
    }

    private static final class Source implements ScanTableSource, SupportsWatermarkPushDown {
        private final RowType type;
        private final String path, changes;
        private WatermarkStrategy<RowData> watermarks;

        Source(RowType type, String path, String changes) {
            this.type = type;
            this.path = path;
            this.changes = changes;
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return switch (changes) {
                case "append" -> ChangelogMode.insertOnly();
                case "upsert" -> ChangelogMode.upsert();
                default -> ChangelogMode.all();
            };
        }

        @Override
        public void applyWatermark(WatermarkStrategy<RowData> strategy) {
            watermarks = strategy;
        }

        @Override
        public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
            Player player = new Player(path, new JsonToRowDataConverters(false, false, TimestampFormat.SQL).createConverter(type), watermarks);
            return SourceFunctionProvider.of(player, false); // of a bounded one only the last watermark would go on
        }

        @Override
        public DynamicTableSource copy() {
            Source s = new Source(type, path, changes);
            s.watermarks = watermarks;
            return s;
        }

        @Override
        public String asSummaryString() {
            return "script";
        }
    }

    /** Plays the file. It keeps nothing: a job that plays one takes no checkpoints. */
    private static final class Player extends RichSourceFunction<RowData> implements WatermarkGeneratorSupplier.Context {
        private final String path;
        private final JsonToRowDataConverters.JsonToRowDataConverter converter;
        private final WatermarkStrategy<RowData> watermarks;

        Player(String path, JsonToRowDataConverters.JsonToRowDataConverter converter, WatermarkStrategy<RowData> watermarks) {
            this.path = path;
            this.converter = converter;
            this.watermarks = watermarks;
        }

        @Override
        public MetricGroup getMetricGroup() {
            return getRuntimeContext().getMetricGroup();
        }

        @Override
        public RelativeClock getInputActivityClock() {
            return SystemClock.getInstance(); // nothing here is ever idle
        }

        @Override
        public void run(SourceContext<RowData> out) throws Exception {
            WatermarkGenerator<RowData> generator = watermarks == null ? null : watermarks.createWatermarkGenerator(this);
            WatermarkOutput moved = new WatermarkOutput() {
                @Override
                public void emitWatermark(org.apache.flink.api.common.eventtime.Watermark w) {
                    out.emitWatermark(new Watermark(w.getTimestamp()));
                }

                @Override
                public void markIdle() {}

                @Override
                public void markActive() {}
            };
            ObjectMapper json = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
            for (String line : Files.readAllLines(Path.of(path))) {
                JsonNode node = json.readTree(line);
                if (node.has("watermark")) {
                    out.emitWatermark(new Watermark(node.get("watermark").longValue()));
                    continue;
                }
                for (JsonNode change : node.get("rows")) {
                    RowData row = (RowData) converter.convert(change.get(1));
                    row.setRowKind(kind(change.get(0).textValue()));
                    out.collect(row);
                    if (generator != null) {
                        generator.onEvent(row, Long.MIN_VALUE, moved);
                    }
                }
                if (generator != null) {
                    generator.onPeriodicEmit(moved);
                }
            }
        }

        private static RowKind kind(String s) {
            for (RowKind k : RowKind.values()) {
                if (k.shortString().equals(s)) {
                    return k;
                }
            }
            throw new IllegalArgumentException("no kind of row: " + s);
        }

        @Override
        public void cancel() {}
    }
}
