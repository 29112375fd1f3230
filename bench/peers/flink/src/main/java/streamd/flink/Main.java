package streamd.flink;

import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonGenerator;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs pipelines on an embedded Flink cluster. Each line of stdin is one: {"set": {key: value}, "statements": [text, …]}. A SELECT is
 * a job, and the INSERTs are one. Each pipeline is answered with a line on stdout: {"tables": {name: {"columns": [name, …], "rows":
 * [[value, …], …]}}}, the final rows of the tables of connector 'collect', and of the last SELECT as a table without a name; or {"error":
 * text}. With either comes "cpu_seconds": what the process has taken so far, user and system, the compiler's and the collector's
 * threads with it.
 */
public final class Main {
    private static final OperatingSystemMXBean PROCESS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper().enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            Map<String, Object> out = new LinkedHashMap<>();
            try {
                CollectFactory.clear();
                run(json.readTree(line));
                out.put("tables", CollectFactory.results());
            } catch (Throwable e) {
                out.put("error", causes(e));
            }
            out.put("cpu_seconds", PROCESS.getProcessCpuTime() / 1e9);
            System.out.println(json.writeValueAsString(out));
        }
        System.exit(0);
    }

    private static void run(JsonNode pipeline) throws Exception {
        Configuration conf = new Configuration();
        conf.setString("execution.runtime-mode", "streaming");
        conf.setString("parallelism.default", "1");
        conf.setString("pipeline.object-reuse", "true");
        conf.setString("rest.address", "127.0.0.1");
        conf.setString("rest.bind-address", "127.0.0.1");
        conf.setString("rest.bind-port", "0");
        conf.setString("table.local-time-zone", "UTC");
        pipeline.get("set").fields().forEachRemaining(e -> conf.setString(e.getKey(), e.getValue().textValue()));
        StreamTableEnvironment env = StreamTableEnvironment.create(StreamExecutionEnvironment.createLocalEnvironment(1, conf));
        pipeline.get("set").fields().forEachRemaining(e -> env.getConfig().set(e.getKey(), e.getValue().textValue()));
        boolean hasInserts = false;
        StatementSet inserts = env.createStatementSet();
        for (JsonNode statement : pipeline.get("statements")) {
            String text = statement.textValue();
            if (text.startsWith("INSERT")) {
                inserts.addInsertSql(text);
                hasInserts = true;
            } else if (text.startsWith("SELECT") || text.startsWith("WITH")) {
                try (CloseableIterator<Row> rows = env.executeSql(text).collect()) {
                    CollectFactory.select(rows);
                }
            } else {
                env.executeSql(text);
            }
        }
        if (hasInserts) {
            inserts.execute().await();
        }
    }

    private static String causes(Throwable e) {
        StringBuilder b = new StringBuilder();
        for (; e != null; e = e.getCause()) {
            b.append(b.length() == 0 ? "" : " <- ").append(e);
        }
        return b.toString();
    }
}
