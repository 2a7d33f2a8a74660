#include "proxy/redis/merge.hpp"

#include <algorithm>
#include <optional>

#include "proxy/redis/elements.hpp"
#include "proxy/redis/failure.hpp"
#include "proxy/redis/number.hpp"
#include "proxy/redis/reply.hpp"
#include "proxy/redis/reply_framer.hpp"

namespace ambassador::proxy::redis {
namespace {

bool is_error(const Part& part) {
  return part.failed || part.reply.starts_with('-');
}

// The error that `part` is: its server's own, or why there is none.
void append_part_error(const Part& part, std::string& out, const std::string& remark = "") {
  if (!part.failed) {
    out += part.reply;
  } else {
    append_error(out, failure_text(part.failure, part.backend_name, part.reason) + remark);
  }
}

// A server's reply is not of the kind that the command has.
void append_strange(const Part& part, std::string& out) {
  append_error(out, "ERR backend " + std::string(part.backend_name.substr(0, 128)) +
                        " gave a reply that does not fit the command");
}

// Appends the first error among `parts`; false when there is none. Where the others did their part of the
// work, a missing server's error says so.
bool append_first_error(std::span<const Part> parts, std::string& out) {
  const auto bad = std::ranges::find_if(parts, is_error);
  if (bad == parts.end()) return false;
  const auto done = std::ranges::count_if(parts, [](const Part& part) { return !is_error(part); });
  std::string remark;
  if (done > 0)
    remark = "; done by " + std::to_string(done) + " of " + std::to_string(parts.size()) + " backends";
  append_part_error(*bad, out, remark);
  return true;
}

// In RESP2 or RESP3.
bool is_null(std::string_view reply) {
  return reply.starts_with("$-1") || reply.starts_with('_');
}

std::optional<std::int64_t> integer(std::string_view reply) {
  if (!reply.starts_with(':') || !reply.ends_with("\r\n")) return std::nullopt;
  return whole_number(reply.substr(1, reply.size() - 3));
}

void in_key_order(const Gathered& gathered, std::span<const Part> parts, std::string& out) {
  std::vector<Elements> elements;
  std::vector<std::int64_t> keys(parts.size());
  for (const std::uint16_t part : gathered.part_of_key) ++keys[part];
  for (const Part& part : parts) elements.emplace_back(part.failed ? std::string_view() : part.reply);

  append_array(out, gathered.part_of_key.size());
  for (const std::uint16_t part : gathered.part_of_key) {
    if (is_error(parts[part])) {
      append_part_error(parts[part], out);
      continue;
    }
    const bool fits = elements[part].count() == keys[part];
    const std::string_view element = fits ? elements[part].next() : std::string_view();
    if (element.empty()) {
      append_strange(parts[part], out);
    } else {
      out += element;
    }
  }
}

void numbers(Merge merge, std::span<const Part> parts, std::string& out) {
  if (append_first_error(parts, out)) return;
  std::optional<std::int64_t> result;
  for (const Part& part : parts) {
    const auto number = integer(part.reply);
    if (!number) return append_strange(part, out);
    std::int64_t sum = 0;
    if (merge == Merge::sum && __builtin_add_overflow(result.value_or(0), *number, &sum)) {
      return append_strange(part, out);
    }
    result = merge == Merge::sum ? sum : std::min(result.value_or(*number), *number);
  }
  append_integer(out, result.value_or(0));
}

void logical_and(std::span<const Part> parts, std::string& out) {
  if (append_first_error(parts, out)) return;
  std::vector<std::int64_t> result;
  for (const Part& part : parts) {
    Elements elements(part.reply);
    const bool first = &part == &parts.front();
    if (elements.count() < 0 || (!first && elements.count() != static_cast<std::int64_t>(result.size()))) {
      return append_strange(part, out);
    }
    for (std::int64_t i = 0; i < elements.count(); ++i) {
      const auto number = integer(elements.next());
      if (!number) return append_strange(part, out);
      if (first) {
        result.push_back(*number);
      } else if (*number == 0) {
        result[static_cast<std::size_t>(i)] = 0;
      }
    }
  }
  append_array(out, result.size());
  for (const std::int64_t number : result) append_integer(out, number);
}

void concatenate(std::span<const Part> parts, std::string& out) {
  if (append_first_error(parts, out)) return;
  std::size_t elements = 0;
  for (const Part& part : parts) {
    const Elements array(part.reply);
    if (array.count() < 0) return append_strange(part, out);
    elements += static_cast<std::size_t>(array.count());
  }
  append_array(out, elements);
  for (const Part& part : parts) out += Elements(part.reply).all();
}

void one_succeeded(std::span<const Part> parts, std::string& out) {
  const auto good = std::ranges::find_if_not(parts, is_error);
  if (good != parts.end()) {
    out += good->reply;
  } else {
    append_part_error(parts.front(), out);
  }
}

// RANDOMKEY: from a random server on, the first that has one. A server that is away only matters when no
// other has a key.
void pick_one(std::uint32_t random, std::span<const Part> parts, std::string& out) {
  const Part* best = &parts[random % parts.size()];
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[(random + i) % parts.size()];
    if (!is_error(part) && !is_null(part.reply)) {
      best = &part;
      break;
    }
    if (is_error(part)) best = &part;
  }
  if (is_error(*best)) {
    append_part_error(*best, out);
  } else {
    out += best->reply;
  }
}

// SCAN: "*2", the server's next cursor, the keys.
void next_cursor(const Gathered& gathered, const Part& part, std::string& out) {
  if (is_error(part)) return append_part_error(part, out);
  Elements elements(part.reply);
  if (elements.count() != 2) return append_strange(part, out);
  const std::string_view bulk = elements.next();
  const std::string_view keys = elements.next();
  if (!bulk.starts_with('$') || keys.empty()) return append_strange(part, out);
  const Header header = read_header(bulk.data(), bulk.size());
  if (header.number < 0) return append_strange(part, out);
  const auto cursor =
      whole_number<std::uint64_t>(bulk.substr(header.bytes, static_cast<std::size_t>(header.number)));
  if (!cursor) return append_strange(part, out);
  const auto next = gathered.scan.after(*cursor, gathered.servers).encoded();
  if (!next) return append_strange(part, out);
  append_array(out, 2);
  append_bulk(out, std::to_string(*next));
  out += keys;
}

// `part` has the replies to MULTI, to each command (QUEUED), and to EXEC. Why the server would not do it is
// in the first error, which the client has not seen: it was told QUEUED from here.
void executed(const Gathered& gathered, const Part& part, std::string& out) {
  if (part.failed) return append_part_error(part, out);
  std::string_view rest = part.reply;
  std::string_view refused;
  for (std::uint32_t i = 0; i + 1 < gathered.replies; ++i) {
    const std::string_view reply = rest.substr(0, reply_size(rest));
    if (refused.empty() && reply.starts_with('-')) refused = reply.substr(1, reply.size() - 3);
    rest.remove_prefix(reply.size());
  }
  if (rest.empty() || reply_size(rest) != rest.size()) return append_strange(part, out);
  if (refused.empty() || !rest.starts_with('-')) {
    out += rest;
  } else if (rest.starts_with("-EXECABORT")) {
    append_error(out, "EXECABORT Transaction discarded because of: " + std::string(refused));
  } else {  // MULTI itself was refused: the commands were no transaction
    append_error(out, std::string(refused) + "; not a transaction: some commands may have been carried out");
  }
}

}  // namespace

void merge_replies(const Gathered& gathered, std::span<const Part> parts, std::string& out) {
  switch (gathered.merge) {
    case Merge::in_key_order:
      return in_key_order(gathered, parts, out);
    case Merge::sum:
    case Merge::minimum:
      return numbers(gathered.merge, parts, out);
    case Merge::logical_and:
      return logical_and(parts, out);
    case Merge::concatenate:
      return concatenate(parts, out);
    case Merge::one_succeeded:
      return one_succeeded(parts, out);
    case Merge::pick_one:
      return pick_one(gathered.random, parts, out);
    case Merge::next_cursor:
      return next_cursor(gathered, parts.front(), out);
    case Merge::executed:
      return executed(gathered, parts.front(), out);
    case Merge::confirmed:
      if (gathered.regardless || !append_first_error(parts, out)) out += gathered.text;
      return;
    case Merge::selected:
      if (parts.empty()) return append_simple(out, "OK");
      [[fallthrough]];
    case Merge::all_succeeded:
    case Merge::none:
      if (!append_first_error(parts, out)) out += parts.front().reply;
      return;
  }
}

}  // namespace ambassador::proxy::redis
