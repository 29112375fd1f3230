package streamd.flink;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.SourceProvider;
import org.apache.flink.table.connector.source.abilities.SupportsProjectionPushDown;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** The connector 'nexmark' for Flink. It takes projections of nested fields, so that Flink pays for no column that it does not read. */
public final class NexmarkFactory implements DynamicTableSourceFactory {
    private static final ConfigOption<Long> EVENTS = ConfigOptions.key("events.num").longType().noDefaultValue();
    private static final ConfigOption<Long> RATE = ConfigOptions.key("first-event.rate").longType().defaultValue(10_000L);
    private static final ConfigOption<Long> NEXT_RATE = ConfigOptions.key("next-event.rate").longType().defaultValue(10_000L);
    private static final ConfigOption<Integer> SPLITS = ConfigOptions.key("splits").intType().defaultValue(1);

    @Override
    public String factoryIdentifier() {
        return "nexmark";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(EVENTS);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(RATE, NEXT_RATE, SPLITS);
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        RowType type = (RowType) context.getCatalogTable().getResolvedSchema().toPhysicalRowDataType().getLogicalType();
        int[][] all = new int[type.getFieldCount()][];
        for (int i = 0; i < all.length; i++) {
            all[i] = new int[] {i};
        }
        return new Source(type, all, context.getPhysicalRowDataType(), helper.getOptions().get(EVENTS), helper.getOptions().get(RATE));
    }

    private static final class Source implements ScanTableSource, SupportsProjectionPushDown {
        private final RowType table;
        private final long events, rate;
        private int[][] paths;
        private DataType produced;

        Source(RowType table, int[][] paths, DataType produced, long events, long rate) {
            this.table = table;
            this.paths = paths;
            this.produced = produced;
            this.events = events;
            this.rate = rate;
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return ChangelogMode.insertOnly();
        }

        @Override
        public boolean supportsNestedProjection() {
            return true;
        }

        @Override
        public void applyProjection(int[][] paths, DataType produced) {
            this.paths = paths;
            this.produced = produced;
        }

        @Override
        public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
            Events.Column[] columns = new Events.Column[paths.length];
            for (int i = 0; i < paths.length; i++) {
                columns[i] = column(paths[i]);
            }
            return SourceProvider.of(new DataGeneratorSource<RowData>(new Events(columns, rate), events, context.createTypeInformation(produced)));
        }

        private Events.Column column(int[] path) {
            RowType.RowField field = table.getFields().get(path[0]);
            if (field.getName().equals("event_type")) {
                return new Events.Column(Events.EVENT_TYPE, -1, null);
            }
            int kind = Events.KINDS.indexOf(field.getName());
            LogicalType type = field.getType();
            if (kind < 0 || !(type instanceof RowType row)) {
                throw new IllegalArgumentException("nexmark has no column " + field);
            }
            int[] all = row.getFieldNames().stream().mapToInt(Events.FIELDS.get(kind)::indexOf).toArray();
            for (int f : all) {
                if (f < 0) {
                    throw new IllegalArgumentException("nexmark has no such fields: " + field);
                }
            }
            return path.length == 1 ? new Events.Column(kind, -1, all) : new Events.Column(kind, all[path[1]], null);
        }

        @Override
        public DynamicTableSource copy() {
            return new Source(table, paths, produced, events, rate);
        }

        @Override
        public String asSummaryString() {
            return "nexmark";
        }
    }
}
