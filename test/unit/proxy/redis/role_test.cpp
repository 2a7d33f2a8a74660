// What a server's own words say it is: in INFO, and in what it declines.
#include <catch2/catch.hpp>

#include "proxy/redis/probe.hpp"
#include "proxy/redis/reply_framer.hpp"

using namespace ambassador::proxy;
using Health = ProtocolCore::Health;

namespace {

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

const std::string kPrimary = bulk(
    "# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"
    "slave0:ip=10.0.0.2,port=6379,state=online,offset=1234,lag=0\r\nmaster_failover_state:no-failover\r\n"
    "master_replid:5d1a\r\nmaster_replid2:77c0\r\nmaster_repl_offset:1234\r\nsecond_repl_offset:900\r\n");
const std::string kReplica = bulk(
    "# Replication\r\nrole:slave\r\nmaster_host:redis-0\r\nmaster_port:6379\r\nmaster_link_status:up\r\n"
    "slave_read_repl_offset:1300\r\nslave_repl_offset:1200\r\nmaster_repl_offset:1200\r\n"
    "second_repl_offset:-1\r\n");

redis::ReplyFramer::Frame framed(const std::string& reply, redis::Heeds heeds = redis::Heeds::roles) {
  redis::ReplyFramer framer(redis::Resp::two, heeds);
  return framer.next({reply.data(), reply.size()});
}

}  // namespace

TEST_CASE("a probe is healthy when the server tells its role") {
  for (const std::string& whole : {kPrimary, kReplica}) {
    CHECK(redis::judge_role_probe(whole) == Health::healthy);
    for (std::size_t n = 0; n < whole.size(); ++n)
      REQUIRE(redis::judge_role_probe(whole.substr(0, n)) == Health::need_more);
  }
  CHECK(redis::judge_role_probe("-NOPERM this user has no permissions to run the 'info' command\r\n") ==
        Health::unhealthy);
  CHECK(redis::judge_role_probe("+PONG\r\n") == Health::unhealthy);
  CHECK(redis::judge_role_probe(bulk("role:sentinel\r\n")) == Health::unhealthy);
  CHECK(redis::judge_role_probe("$-1\r\n") == Health::unhealthy);
}

TEST_CASE("a primary tells where its history began and how long it is") {
  const Standing standing = redis::read_standing(kPrimary);
  CHECK(standing.role == Role::primary);
  CHECK(standing.term == 900);
  CHECK(standing.position == 1235);
  CHECK(redis::read_standing(bulk("role:master\r\nmaster_repl_offset:0\r\nsecond_repl_offset:-1\r\n")).term ==
        0);
}

TEST_CASE("a replica tells what it has, as long as it is linked to its primary") {
  CHECK(redis::read_standing(kReplica).role == Role::replica);
  CHECK(redis::read_standing(kReplica).position == 1201);
  std::string alone = kReplica;
  alone.replace(alone.find("status:up"), 9, "status:no");
  CHECK(redis::read_standing(alone).role == Role::replica);
  CHECK(redis::read_standing(alone).position == 0);
}

TEST_CASE("what a server declines is told from other errors") {
  for (const std::string reply :
       {"-READONLY You can't write against a read only replica.\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
        "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
        "replica?)\r\n"}) {
    INFO(reply);
    CHECK(framed(reply).declined == Decline::not_it);
    CHECK(framed(reply).complete);
    CHECK(framed(reply, redis::Heeds::nothing).declined == Decline::none);
  }
  for (const std::string reply : {"-ERR unknown command\r\n", "+READONLY \r\n", "-READONLYX y\r\n",
                                  "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n", "$9\r\n-LOADING \r\n",
                                  "*1\r\n-READONLY no\r\n"}) {
    INFO(reply);
    CHECK(framed(reply).declined == Decline::none);
  }
}

TEST_CASE("an element that was declined is part of a reply that was not") {
  redis::ReplyFramer framer(redis::Resp::two, redis::Heeds::roles);
  const std::string first = "*2\r\n:1\r\n", second = "-READONLY no\r\n+OK\r\n";
  CHECK_FALSE(framer.next({first.data(), first.size()}).complete);
  CHECK(framer.next({second.data(), second.size()}).declined == Decline::none);
}
