// One PostgreSQL client: its first packets and authentication (session_start.cpp), then what its messages
// mean (session_client.cpp, session_statements.cpp, session_values.cpp), which server they may go to
// (session_route.cpp), what its server's mean (session_server.cpp), and what it is told when there is no
// server (session_failure.cpp). Only heads are walked, and whole runs of messages are passed on at once;
// bodies are looked into where a client of transaction pooling might notice that its server changes. Made by
// the core. Pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/core_parts.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/first_packet.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/message_types.hpp"
#include "proxy/postgresql/owed.hpp"
#include "proxy/postgresql/pin_scan.hpp"
#include "proxy/postgresql/server.hpp"
#include "proxy/postgresql/unnamed_statement.hpp"
#include "proxy/postgresql/values.hpp"
#include "proxy/postgresql/write.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::postgresql {

class PostgresSession final : public PooledSession {
 public:
  /// `parts` lives until rebind replaces it, or as long as the session.
  PostgresSession(CoreParts& parts, const PooledCore::Client& client);
  ~PostgresSession() override;

  Step on_bytes(Side from, std::span<const char> input) override;
  void tls_started(const TlsPeer& peer) override;
  [[nodiscard]] Want want() const override;
  void server_lent(PooledServer& server) override;
  void borrow_failed(Failure failure, std::string_view text) override;
  void server_lost() override;
  bool client_left() override;
  [[nodiscard]] bool may_cancel(std::string_view text) const override;
  void borrow_cancelled() override;
  [[nodiscard]] bool logging_in() const override {
    return stage_ <= Stage::proves_itself || stage_ == Stage::raw;
  }
  [[nodiscard]] bool at_rest() const override;
  [[nodiscard]] std::string_view farewell() const override;

  void rebind(CoreParts& parts) { parts_ = &parts; }

 private:
  enum class Stage : std::uint8_t {
    first_packet,
    starts_tls,     // 'S' was sent
    shaking,        // until tls_started
    names_itself,   // SCRAM: its first message
    proves_itself,  // SCRAM: its last message
    enters,         // authenticated
    waits,          // for the server that it begins with
    settles,        // its parameters are being set there
    raw,            // passthrough: it and the server talk about the login
    open,
    over,
  };
  // What becomes of a unit of work that has no server (any more).
  enum class Failing : std::uint8_t {
    no,
    says,   // failed_ goes to the client
    drops,  // the unit's messages lead nowhere
    ready,  // ReadyForQuery goes to the client
  };
  // What becomes of a unit of work that its server could not do.
  enum class Again : std::uint8_t {
    no,
    drains,  // the rest of what the replica answers leads nowhere
    due,     // another server is to be borrowed for it
    runs,    // it is being said to that one
  };
  struct Start;  // what is needed until it is open

  // session_start.cpp
  Step start(std::string_view input);
  Step on_first_packet(std::string_view input);
  Step on_startup(const FirstPacket& packet);
  Step on_password(std::string_view input);
  Step enter();
  Step settle();
  Step on_settling(std::string_view input);
  Step greet(std::size_t consumed);
  bool values_known();
  Step refuse(std::string_view code, std::string_view message);
  Step close_with(std::string text);

  /// What becomes of the client's message at the front.
  struct Handled {
    enum class Kind : std::uint8_t {
      pass,   // it goes on as it is
      wait,   // more of it is needed
      alone,  // what is before it has to be passed on first, then it is asked for again
      step,   // done by `step`
    };
    Kind kind = Kind::pass;
    Step step{};
  };

  /// A prepared statement of the client.
  struct Named {
    std::shared_ptr<Statement> statement;  // null: lives under its own name, on the server it is pinned to
    std::uint64_t serial = 0;
  };
  using Names = std::map<std::string, Named, std::less<>>;
  /// Those that SQL deallocates, in its order; null: what it names is none.
  using GivenUp = std::vector<std::pair<std::string, std::shared_ptr<Statement>>>;

  // session_client.cpp
  Step from_client(std::string_view input);
  Step without_server(std::string_view input);
  Step run(std::string_view input);
  bool take_rest(std::string_view input, std::size_t& at);
  Handled handle(std::string_view input, const Header& front, bool first);
  void take_query();
  void end_query();
  void take_sync();
  void take_copy_end();
  Step forward(std::size_t bytes, std::uint64_t more);
  void owe(const Owed& owed);
  void owe_extended(const Owed& owed);
  void pin(PinSet pins);

  // session_values.cpp
  std::string preparation(std::string_view input);
  [[nodiscard]] bool asks_for_last_value(std::string_view input) const;
  Step ask_for_us(std::string_view sql);
  void keep_first_values(const Values& of_server);
  void note_resets(TrackedSet resets);
  [[nodiscard]] bool restores() const;
  Step restore_values();

  /// Where a unit of work may run.
  struct Routed {
    Route route = Route::primary;
    bool incomplete = false;  // that can't be said before more of it is there
    std::size_t size = 0;     // of the unit, if it may run on a replica
    bool again = false;       // it can be said a second time
  };
  enum class Further : std::uint8_t { goes_on, waits, incomplete };

  // session_route.cpp
  [[nodiscard]] bool reads_only() const;
  [[nodiscard]] bool splits() const;
  [[nodiscard]] bool causal() const { return splits() && parts_->settings.causal_reads; }
  Route route_of(std::string_view sql);
  Route route_of_statement(std::string_view name);
  Routed route(std::string_view input);
  Routed route_batch(std::string_view input);
  bool choose_role(std::string_view input);
  Further further(std::string_view input);
  std::optional<Step> judge(std::string_view input);
  Step drain_answers(std::string_view input);
  void run_again();
  Step say_again();
  void fail_again(std::string error);

  // session_statements.cpp
  Handled on_parse(std::string_view input, const Header& front, bool first);
  Handled on_named_parse(std::string_view message, std::string_view name, std::string_view body);
  Handled on_large_parse(std::string_view input, const Header& front, bool first);
  Handled on_bind(std::string_view input, const Header& front, bool first);
  Handled on_describe_or_close(std::string_view input, const Header& front, bool first);
  Handled close_named(std::string_view name, std::size_t size, bool first);
  std::uint64_t take_away(Names::iterator name);
  Handled answer_here(const Owed& owed, std::size_t consumed);
  void bring(const Statement& statement);
  [[nodiscard]] bool answers_wait() const;
  [[nodiscard]] bool unsure() const;
  [[nodiscard]] bool units_wait() const;
  [[nodiscard]] bool may_be_aborted() const;
  [[nodiscard]] bool waits_for_answers(std::string_view name) const;
  Handled hold(bool first);
  void forget(const Owed& owed);
  [[nodiscard]] bool lacks_unnamed() const;
  Handled bring_unnamed();
  /// The statement's name on the server, `name` itself if it is to be used as it is.
  std::string_view name_on_server(std::string_view name, std::uint64_t& id);
  void take_unnamed(std::string_view body);
  /// Or may have, once it is known what became of those that it closed.
  [[nodiscard]] bool has_statements() const { return !names_.empty() || !closed_.empty(); }
  std::optional<std::string> giving_up(std::string_view sql, GivenUp& given_up) const;
  void give_up();
  void bring_for_query(const GivenUp& given_up);
  std::optional<Handled> on_deallocate(std::string_view input, const Header& front, bool first);
  Handled parse_giving_up(std::string_view renamed, std::string_view types, std::size_t size);
  void answered(const Owed& owed);
  void passed_over(const Owed& owed, bool failed);
  void forget_statements();

  // session_server.cpp
  Step from_server(std::string_view input);
  Step say_synthetic();
  static void write_synthetic(std::string& out, const Owed& owed);
  [[nodiscard]] bool is_for_us(char type);
  Step on_ours(std::string_view input, const Header& front);
  Step values_set(std::size_t consumed);
  void on_answer(char type, std::string_view body);
  void on_error(const ErrorFields& error);
  [[nodiscard]] bool keeps_quiet_about(const ErrorFields& error) const;
  void on_ready(char status);
  void on_tag(std::string_view tag);
  void on_copy_in();
  void on_key(std::string_view body);
  void on_parameter(std::string_view body);
  void pop();
  Step strip_plus(std::string_view body);

  // session_failure.cpp
  Step fail(std::string_view input);
  Step drop(std::string_view input);
  Step broken(std::string_view message);
  [[nodiscard]] bool in_flight() const;
  [[nodiscard]] bool releasable() const;
  void leave_server();
  Step give_back();
  void say_lost();
  void not_lent(std::string error);

  [[nodiscard]] bool transaction() const { return pooling_ == config::Pooling::transaction; }
  std::string& text() {
    parts_->text.clear();
    return parts_->text;
  }

  CoreParts* parts_;
  const PooledCore::Client client_;
  config::Pooling pooling_;
  const bool passthrough_;
  Stage stage_ = Stage::first_packet;
  std::unique_ptr<Start> start_;

  std::string key_;
  Values values_;  // of its parameters, as it was told
  struct First {
    Values values;     // as its session began
    Values of_server;  // as those of servers begin
    TrackedSet different = 0;
  };
  std::unique_ptr<First> first_;  // null: there is no difference
  TrackedSet resets_ = 0;         // those that it may have set to a server's first ones
  std::uint32_t cancel_number_ = 0;
  std::string cancel_key_;

  PostgresqlServer* server_ = nullptr;
  Role role_;                   // what the server was, or is to be, borrowed for
  bool wrote_ = false;          // by it, maybe
  bool in_unit_ = false;        // of a unit that may run on a replica not all was taken yet
  bool may_run_again_ = false;  // unit_ is the only one under way, and the client has seen nothing of it
  Again again_ = Again::no;
  unsigned runs_ = 0;  // of unit_, before this one
  std::string unit_;
  std::size_t unit_at_ = 0;  // so much of it was said again
  OwedQueue owed_;
  char status_ = 'I';           // of the transaction, as the last ReadyForQuery said
  bool just_lent_ = false;      // its parameters were not compared yet
  bool open_batch_ = false;     // extended messages since the last Sync
  bool skips_to_sync_ = false;  // the server, after an error
  bool copies_in_ = false;      // the server reads CopyData
  bool error_said_ = false;     // in this unit
  bool fatal_said_ = false;     // what the server says last
  bool passed_head_ = false;    // the client's current message is being passed on by length
  bool server_partial_ = false;
  bool scanning_ = false;        // body_left_ is SQL
  std::uint64_t body_left_ = 0;  // of the client's current message, whose front was passed on
  std::uint8_t began_ = 0;
  std::uint8_t ended_ = 0;
  PinSet pins_ = 0;
  PinSet unpins_ = 0;  // by what was done last in this unit
  PinScan scan_;

  Names names_;
  std::map<std::uint64_t, Names::node_type> closed_;  // while it is not sure; by Owed::serial
  UnnamedStatement unnamed_;
  bool unnamed_deallocates_ = false;
  GivenUp gives_up_;                  // by the unnamed statement, when it is executed
  GivenUp giving_up_;                 // by what is under way, each when the server has done it
  TrackedSet unnamed_resets_ = 0;     // by it
  bool prepared_last_value_ = false;  // currval or lastval, some time
  bool unnamed_set_ = false;          // by the batch that is open
  std::size_t changes_ = 0;           // Owed::changes, not answered yet
  std::size_t batch_changes_ = 0;     // those of them in the batch that is open
  std::size_t deallocations_ = 0;     // Owed::deallocates, not answered yet
  bool flushed_ = false;              // what the server was sent of the open batch, by us
  std::uint64_t last_bound_ = 0;
  bool last_deallocates_ = false;
  std::string refusal_;  // of the values that are being set, by the server

  Failing failing_ = Failing::no;
  bool until_sync_ = false;  // failing: the unit is extended
  bool then_ready_ = false;  // failing: after failed_, go on as usual
  std::string failed_;       // ErrorResponse and so on
  std::string last_words_;   // a server's, when it goes down
};

}  // namespace ambassador::proxy::postgresql
