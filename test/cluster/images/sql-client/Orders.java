import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * A shop that places orders by JDBC. It knows no host but its own, and no password.
 *
 * <p>orders-jdbc place WHAT: places one order; prints who the server says it is, and how many orders there are now.
 *
 * <p>orders-jdbc work: places orders over one connection until standard input ends, then prints what it saw. An error
 * is counted, and it connects anew. A line on standard input gets the counts so far as an answer.
 */
final class Orders {
  private static final String DATABASE = "jdbc:postgresql://localhost:5432/shop";
  private static final long PAUSE_MILLISECONDS = 5;

  private Connection connection;
  private boolean ended;
  private long orders;
  private long errors;
  private String firstError = "";

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 2 && arguments[0].equals("place")) {
      place(arguments[1]);
    } else if (arguments.length == 1 && arguments[0].equals("work")) {
      new Orders().work();
    } else {
      System.err.println("orders-jdbc place WHAT | orders-jdbc work");
      System.exit(2);
    }
  }

  private static void place(String what) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      insert(connection, what);
      try (ResultSet row = statement.executeQuery("select current_user, count(*) from orders")) {
        row.next();
        System.out.printf("{\"user\": \"%s\", \"orders\": %d}%n", row.getString(1), row.getLong(2));
      }
      connection.commit();
    }
  }

  /** A connection within a transaction, in a database that has the table. */
  private static Connection connect() throws SQLException {
    Connection connection = DriverManager.getConnection(DATABASE);
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("create table if not exists orders (id serial primary key, what text not null)");
    }
    connection.commit();
    return connection;
  }

  private static void insert(Connection connection, String what) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement("insert into orders (what) values (?)")) {
      statement.setString(1, what);
      statement.executeUpdate();
    }
  }

  private void work() throws Exception {
    connection = connect();
    Thread worker = new Thread(this::placeUntilEnded);
    worker.start();
    System.out.println("{\"connected\": true}");
    BufferedReader questions = new BufferedReader(new InputStreamReader(System.in));
    while (questions.readLine() != null) {
      System.out.println(seen());
    }
    synchronized (this) {
      ended = true;
    }
    worker.join();
    System.out.println(seen());
  }

  private void placeUntilEnded() {
    while (!hasEnded()) {
      try {
        if (connection == null) {
          connection = connect();
        }
        insert(connection, "work");
        connection.commit();
        count(null);
      } catch (SQLException problem) {
        count(problem);
        close();
      }
      try {
        Thread.sleep(PAUSE_MILLISECONDS);
      } catch (InterruptedException nobodyInterrupts) {
        return;
      }
    }
  }

  private void close() {
    try {
      if (connection != null) {
        connection.close();
      }
    } catch (SQLException alreadyLost) {
      // there is nothing left to close
    }
    connection = null;
  }

  private synchronized boolean hasEnded() {
    return ended;
  }

  private synchronized void count(SQLException problem) {
    if (problem == null) {
      ++orders;
      return;
    }
    ++errors;
    if (firstError.isEmpty()) {
      firstError = problem.getSQLState() + " " + problem.getMessage().replaceAll("[\"\\\\\\s]+", " ");
    }
  }

  private synchronized String seen() {
    return String.format("{\"orders\": %d, \"errors\": %d, \"first_error\": \"%s\"}", orders, errors, firstError);
  }
}
