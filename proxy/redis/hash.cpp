#include "proxy/redis/hash.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "proxy/redis/bytes.hpp"
#include "proxy/redis/md5.hpp"

namespace ambassador::proxy::redis {
namespace {

// A byte as twemproxy's `char` gives it: sign-extended.
constexpr std::uint32_t signed_byte(char byte) {
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<signed char>(byte)));
}

std::uint32_t one_at_a_time(std::string_view key) {
  std::uint32_t hash = 0;
  for (const char byte : key) {
    hash += signed_byte(byte);
    hash += hash << 10;
    hash ^= hash >> 6;
  }
  hash += hash << 3;
  hash ^= hash >> 11;
  hash += hash << 15;
  return hash;
}

constexpr std::array<std::uint32_t, 256> make_crc16_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i << 8;  // CCITT polynomial 0x1021, most significant bit first
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[i] = crc & 0xffff;
  }
  return table;
}
constexpr auto kCrc16 = make_crc16_table();

std::uint32_t crc16(std::string_view key) {
  std::uint32_t crc = 0;  // not masked to 16 bits: the bits above stay
  for (const char byte : key) crc = (crc << 8) ^ kCrc16[((crc >> 8) ^ signed_byte(byte)) & 0xff];
  return crc;
}

constexpr std::array<std::uint32_t, 256> make_crc32_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;  // IEEE 802.3 polynomial, least significant bit first
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
    table[i] = crc;
  }
  return table;
}
constexpr auto kCrc32 = make_crc32_table();

std::uint32_t crc32a(std::string_view key) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char byte : key) crc = (crc >> 8) ^ kCrc32[(crc ^ signed_byte(byte)) & 0xff];
  return ~crc;
}

std::uint32_t crc32(std::string_view key) {
  return (crc32a(key) >> 16) & 0x7fff;
}

constexpr std::uint64_t kFnv64Seed = 0xcbf29ce484222325;
constexpr std::uint64_t kFnv64Prime = 0x100000001b3;
constexpr std::uint32_t kFnv32Seed = 0x811c9dc5;
constexpr std::uint32_t kFnv32Prime = 0x01000193;

std::uint32_t fnv1_64(std::string_view key) {
  std::uint64_t hash = kFnv64Seed;
  for (const char byte : key) {
    hash *= kFnv64Prime;
    hash ^= static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<signed char>(byte)));
  }
  return static_cast<std::uint32_t>(hash);
}

std::uint32_t fnv1a_64(std::string_view key) {
  auto hash = static_cast<std::uint32_t>(kFnv64Seed);  // 32 bits only, in spite of the name
  for (const char byte : key) {
    hash ^= signed_byte(byte);
    hash *= static_cast<std::uint32_t>(kFnv64Prime);
  }
  return hash;
}

std::uint32_t fnv1_32(std::string_view key) {
  std::uint32_t hash = kFnv32Seed;
  for (const char byte : key) {
    hash *= kFnv32Prime;
    hash ^= signed_byte(byte);
  }
  return hash;
}

std::uint32_t fnv1a_32(std::string_view key) {
  std::uint32_t hash = kFnv32Seed;
  for (const char byte : key) {
    hash ^= signed_byte(byte);
    hash *= kFnv32Prime;
  }
  return hash;
}

std::uint32_t hsieh(std::string_view key) {
  if (key.empty()) return 0;
  std::uint32_t hash = 0;
  const char* at = key.data();
  for (std::size_t words = key.size() / 4; words > 0; --words, at += 4) {
    hash += little_endian16(at);
    hash = (hash << 16) ^ ((little_endian16(at + 2) << 11) ^ hash);
    hash += hash >> 11;
  }
  switch (key.size() % 4) {
    case 3:
      hash += little_endian16(at);
      hash ^= hash << 16;
      hash ^= signed_byte(at[2]) << 18;  // signed here, unsigned in the one-byte tail
      hash += hash >> 11;
      break;
    case 2:
      hash += little_endian16(at);
      hash ^= hash << 11;
      hash += hash >> 17;
      break;
    case 1:
      hash += static_cast<unsigned char>(*at);
      hash ^= hash << 10;
      hash += hash >> 1;
      break;
    default:
      break;
  }
  hash ^= hash << 3;
  hash += hash >> 5;
  hash ^= hash << 4;
  hash += hash >> 17;
  hash ^= hash << 25;
  hash += hash >> 6;
  return hash;
}

std::uint32_t murmur(std::string_view key) {
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  const auto length = static_cast<std::uint32_t>(key.size());
  std::uint32_t hash = (0xdeadbeef * length) ^ length;
  const char* at = key.data();
  std::size_t left = key.size();
  for (; left >= 4; left -= 4, at += 4) {
    std::uint32_t word = little_endian32(at) * kMultiplier;
    word ^= word >> 24;
    hash = (hash * kMultiplier) ^ (word * kMultiplier);
  }
  if (left >= 3) hash ^= std::uint32_t{static_cast<unsigned char>(at[2])} << 16;
  if (left >= 2) hash ^= std::uint32_t{static_cast<unsigned char>(at[1])} << 8;
  if (left >= 1) hash = (hash ^ static_cast<unsigned char>(at[0])) * kMultiplier;
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ (hash >> 15);
}

// Bob Jenkins' lookup3 (hashlittle) with initval 13.
std::uint32_t jenkins(std::string_view key) {
  std::uint32_t a = 0xdeadbeef + static_cast<std::uint32_t>(key.size()) + 13;
  std::uint32_t b = a;
  std::uint32_t c = a;
  const char* at = key.data();
  std::size_t left = key.size();
  for (; left > 12; left -= 12, at += 12) {
    a += little_endian32(at);
    b += little_endian32(at + 4);
    c += little_endian32(at + 8);
    a = (a - c) ^ std::rotl(c, 4), c += b;
    b = (b - a) ^ std::rotl(a, 6), a += c;
    c = (c - b) ^ std::rotl(b, 8), b += a;
    a = (a - c) ^ std::rotl(c, 16), c += b;
    b = (b - a) ^ std::rotl(a, 19), a += c;
    c = (c - b) ^ std::rotl(b, 4), b += a;
  }
  if (left == 0) return c;
  std::array<char, 12> last{};
  std::memcpy(last.data(), at, left);
  a += little_endian32(last.data());
  b += little_endian32(last.data() + 4);
  c += little_endian32(last.data() + 8);
  c = (c ^ b) - std::rotl(b, 14);
  a = (a ^ c) - std::rotl(c, 11);
  b = (b ^ a) - std::rotl(a, 25);
  c = (c ^ b) - std::rotl(b, 16);
  a = (a ^ c) - std::rotl(c, 4);
  b = (b ^ a) - std::rotl(a, 14);
  c = (c ^ b) - std::rotl(b, 24);
  return c;
}

}  // namespace

std::uint32_t hash_key(config::Hash hash, std::string_view key) {
  switch (hash) {
    case config::Hash::one_at_a_time:
      return one_at_a_time(key);
    case config::Hash::md5:
      return md5(key)[0];
    case config::Hash::crc16:
      return crc16(key);
    case config::Hash::crc32:
      return crc32(key);
    case config::Hash::crc32a:
      return crc32a(key);
    case config::Hash::fnv1_64:
      return fnv1_64(key);
    case config::Hash::fnv1a_64:
      return fnv1a_64(key);
    case config::Hash::fnv1_32:
      return fnv1_32(key);
    case config::Hash::fnv1a_32:
      return fnv1a_32(key);
    case config::Hash::hsieh:
      return hsieh(key);
    case config::Hash::murmur:
      return murmur(key);
    case config::Hash::jenkins:
      return jenkins(key);
  }
  return 0;
}

}  // namespace ambassador::proxy::redis
