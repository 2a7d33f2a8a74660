import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/** pgjdbc: says what it got, line by line. JdbcClient PORT NAME */
final class JdbcClient {
  private static final int ENOUGH_ROWS = 500;
  private final String url;
  private final String table;

  private JdbcClient(String port, String name) {
    url = "jdbc:postgresql://127.0.0.1:" + port + "/shop?user=app&sslmode=disable&connectTimeout=60";
    table = "jdbc_" + name;
  }

  public static void main(String[] arguments) throws Exception {
    JdbcClient client = new JdbcClient(arguments[0], arguments[1]);
    for (String mode : new String[] {"extended", "extendedForPrepared", "extendedCacheEverything", "simple"}) {
      client.statements(mode);
    }
    client.batches();
    client.fewStatements();
    client.savepoints();
    client.copies();
    client.notifications();
    client.cancelled();
    client.largeObjects();
    client.cursors();
    client.reconnected();
  }

  private static void told(String what, Object value) {
    System.out.println(what + ": " + value);
  }

  private Connection connect(String more) throws SQLException {
    return DriverManager.getConnection(url + more);
  }

  private static long number(Statement statement, String sql) throws SQLException {
    try (ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private void statements(String mode) throws SQLException {
    try (Connection connection = connect("&prepareThreshold=2&preferQueryMode=" + mode);
        Statement statement = connection.createStatement()) {
      statement.execute("drop table if exists " + table);
      statement.execute("create table " + table + " (id serial primary key, word text)");
      try (PreparedStatement insert =
          connection.prepareStatement(
              "insert into " + table + " (word) values (?)", Statement.RETURN_GENERATED_KEYS)) {
        for (int i = 0; i < 10; ++i) {
          insert.setString(1, "ü " + i);
          insert.executeUpdate();
          try (ResultSet keys = insert.getGeneratedKeys()) {
            keys.next();
            told(mode + " key", keys.getInt(1));
          }
        }
      }
      try (PreparedStatement select = connection.prepareStatement("select word, ?::int from " + table + " where id = ?")) {
        for (int i = 1; i <= 10; ++i) {
          select.setInt(1, -i);
          select.setInt(2, i);
          try (ResultSet rows = select.executeQuery()) {
            rows.next();
            told(mode + " row", rows.getString(1) + rows.getInt(2));
          }
        }
      }
      try {
        statement.executeQuery("select 1/0");
      } catch (SQLException error) {
        told(mode + " error", error.getSQLState());
      }
      told(mode + " several", statement.execute("select 1; select 2") && statement.getMoreResults());
      told(mode + " isolation", connection.getTransactionIsolation());
    }
  }

  private void batches() throws SQLException {
    for (String rewritten : new String[] {"false", "true"}) {
      try (Connection connection = connect("&reWriteBatchedInserts=" + rewritten);
          PreparedStatement insert = connection.prepareStatement("insert into " + table + " (word) values (?)")) {
        connection.setAutoCommit(false);
        for (int i = 0; i < ENOUGH_ROWS; ++i) {
          insert.setString(1, "batch " + i);
          insert.addBatch();
        }
        int[] counts = insert.executeBatch();
        connection.commit();
        told("batch " + rewritten, counts.length);
        insert.setString(1, "fine");
        insert.addBatch();
        insert.setString(1, "not \0 fine");
        insert.addBatch();
        try {
          insert.executeBatch();
        } catch (SQLException error) {
          told("batch with an error " + rewritten, error.getSQLState());
        }
        connection.rollback();
      }
    }
  }

  /** The driver gives statements up, and closes them at the server. */
  private void fewStatements() throws SQLException {
    try (Connection connection = connect("&prepareThreshold=1&preparedStatementCacheQueries=2")) {
      long sum = 0;
      for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 6; ++i) {
          try (PreparedStatement select = connection.prepareStatement("select ?::int + " + i)) {
            select.setInt(1, round);
            try (ResultSet rows = select.executeQuery()) {
              rows.next();
              sum += rows.getInt(1);
            }
          }
        }
      }
      told("few statements", sum);
    }
  }

  private void savepoints() throws SQLException {
    try (Connection connection = connect("&autosave=always&prepareThreshold=1");
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < 5; ++i) {
        try (PreparedStatement select = connection.prepareStatement("select 10 / ?")) {
          select.setInt(1, i % 2);
          try (ResultSet rows = select.executeQuery()) {
            rows.next();
            told("divided", rows.getInt(1));
          } catch (SQLException error) {
            told("saved from", error.getSQLState());
          }
        }
      }
      told("the transaction goes on", number(statement, "select 1"));
      connection.commit();
    }
  }

  private void copies() throws Exception {
    try (Connection connection = connect("");
        Statement statement = connection.createStatement()) {
      CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
      StringBuilder lines = new StringBuilder();
      for (int i = 0; i < ENOUGH_ROWS; ++i) {
        lines.append(10_000 + i).append("\tcopied\n");
      }
      told("copied in", copies.copyIn("copy " + table + " from stdin", new StringReader(lines.toString())));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      told("copied out", copies.copyOut("copy (select id from " + table + " order by id) to stdout", out));
      told("bytes", Arrays.hashCode(out.toByteArray()));
      try {
        copies.copyIn("copy " + table + " from stdin", new StringReader("no number\tx\n"));
      } catch (SQLException error) {
        told("wrong row", error.getSQLState());
      }
      told("rows", number(statement, "select count(*) from " + table));
    }
  }

  private void notifications() throws SQLException {
    try (Connection hears = connect("");
        Connection says = connect("");
        Statement listen = hears.createStatement();
        Statement notify = says.createStatement()) {
      listen.execute("listen " + table);
      notify.execute("notify " + table + ", 'said'");
      int got = 0;
      while (got < 1) {
        PGNotification[] some = hears.unwrap(PGConnection.class).getNotifications(100);
        for (PGNotification one : some == null ? new PGNotification[0] : some) {
          told("notified", one.getName() + " " + one.getParameter());
          ++got;
        }
      }
      listen.execute("unlisten *");
    }
  }

  private void cancelled() throws Exception {
    try (Connection connection = connect("");
        Connection watching = connect("");
        Statement statement = connection.createStatement();
        Statement watch = watching.createStatement()) {
      Thread canceller =
          new Thread(
              () -> {
                try {
                  String runs =
                      "select count(*) from pg_stat_activity where query like '%asleep " + table
                          + "%' and wait_event = 'PgSleep'";
                  while (number(watch, runs) != 1) {
                    Thread.sleep(10);
                  }
                  statement.cancel();
                } catch (SQLException | InterruptedException problem) {
                  told("canceller", problem);
                }
              });
      canceller.start();
      try {
        statement.execute("select pg_sleep(600) /* asleep " + table + " */");
      } catch (SQLException error) {
        told("cancelled", error.getSQLState());
      }
      canceller.join();
      told("after it", number(statement, "select 1"));
      statement.setQueryTimeout(1);
      try {
        statement.execute("select pg_sleep(600)");
      } catch (SQLException error) {
        told("timed out", error.getSQLState());
      }
      statement.setQueryTimeout(0);
      told("after that", number(statement, "select 2"));
    }
  }

  private void largeObjects() throws SQLException {
    try (Connection connection = connect("")) {
      connection.setAutoCommit(false);
      LargeObjectManager manager = connection.unwrap(PGConnection.class).getLargeObjectAPI();
      long number = manager.createLO(LargeObjectManager.READWRITE);
      byte[] data = "large ".repeat(20_000).getBytes(StandardCharsets.UTF_8);
      try (LargeObject object = manager.open(number, LargeObjectManager.READWRITE)) {
        object.write(data);
        object.seek(0);
        told("large object", Arrays.equals(object.read(data.length), data));
        told("size", object.size64());
      }
      connection.commit();
      manager.delete(number);
      connection.commit();
    }
  }

  private void cursors() throws SQLException {
    try (Connection connection = connect("");
        PreparedStatement select = connection.prepareStatement("select id from " + table + " order by id")) {
      connection.setAutoCommit(false);
      for (int size : new int[] {7, 100, 0}) {
        select.setFetchSize(size);
        long sum = 0;
        try (ResultSet rows = select.executeQuery()) {
          while (rows.next()) {
            sum += rows.getLong(1);
          }
        }
        told("fetched by " + size, sum);
      }
      connection.commit();
    }
  }

  private void reconnected() throws SQLException {
    for (int i = 0; i < 10; ++i) {
      try (Connection connection = connect("&ApplicationName=again" + i);
          Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("show application_name")) {
        rows.next();
        told("again", rows.getString(1) + " " + connection.isValid(60));
      }
    }
  }
}
