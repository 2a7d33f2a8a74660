#include "operator/admission/review.hpp"

#include <algorithm>

#include "operator/kube/base64.hpp"
#include "operator/kube/documents.hpp"
#include "operator/kube/object.hpp"

namespace ambassador::admission {

namespace {

using nlohmann::json;

constexpr const char* kApiVersion = "admission.k8s.io/v1";
constexpr const char* kKind = "AdmissionReview";

/// The text cut to `limit` bytes, not in the middle of a UTF-8 sequence.
std::string cut(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

json warnings_of(const Verdict& verdict) {
  json warnings = json::array();
  std::size_t total = 0;
  for (const auto& warning : verdict.warnings) {
    auto text = cut(warning, kMaxWarning);
    if (text.empty() || total + text.size() > kMaxWarnings) continue;
    total += text.size();
    warnings.push_back(std::move(text));
  }
  return warnings;
}

}  // namespace

const json& Review::object() const {
  static const json none;
  const auto* found = kube::at(request, {"object"});
  return found == nullptr ? none : *found;
}

Result<Review> read_review(std::string_view body) {
  auto document = kube::parse_document(body);
  if (!document.ok()) return Error{"body", document.error().what};
  if (!document->is_object()) return Error{"body", "is no JSON object"};
  if (const auto version = kube::string_at(*document, {"apiVersion"}); version != kApiVersion) {
    return Error{"apiVersion", "is \"" + cut(version, 60) + "\"; only " + kApiVersion + " is spoken here"};
  }
  if (const auto kind = kube::string_at(*document, {"kind"}); kind != kKind) {
    return Error{"kind", "is \"" + cut(kind, 60) + "\", not " + kKind};
  }
  const auto request = document->find("request");
  if (request == document->end() || !request->is_object()) return Error{"request", "is missing"};
  Review review;
  review.uid = kube::string_at(*request, {"uid"});
  if (review.uid.empty() || review.uid.size() > kMaxUid) {
    return Error{"request.uid", "must have 1 to " + std::to_string(kMaxUid) + " characters"};
  }
  review.operation = kube::string_at(*request, {"operation"});
  if (review.operation.empty()) return Error{"request.operation", "is missing"};
  review.group = kube::string_at(*request, {"kind", "group"});
  review.version = kube::string_at(*request, {"kind", "version"});
  review.kind = kube::string_at(*request, {"kind", "kind"});
  if (review.kind.empty()) return Error{"request.kind.kind", "is missing"};
  review.ns = kube::string_at(*request, {"namespace"});
  review.name = kube::string_at(*request, {"name"});
  review.subresource = kube::string_at(*request, {"subResource"});
  const auto* dry_run = kube::at(*request, {"dryRun"});
  review.dry_run = dry_run != nullptr && dry_run->is_boolean() && dry_run->get<bool>();
  review.request = std::move(*request);
  return review;
}

std::string answer_text(const std::string& uid, const Verdict& verdict) {
  json response = {{"uid", uid}, {"allowed", verdict.allowed}};
  if (!verdict.allowed) {
    response["status"] = {{"status", "Failure"},
                          {"code", verdict.code},
                          {"reason", verdict.reason},
                          {"message", verdict.message}};
  } else if (!verdict.patch.empty()) {
    response["patchType"] = "JSONPatch";
    response["patch"] = kube::base64_encode(verdict.patch.dump());
  }
  if (auto warnings = warnings_of(verdict); !warnings.empty()) response["warnings"] = std::move(warnings);
  const json answer = {{"apiVersion", kApiVersion}, {"kind", kKind}, {"response", std::move(response)}};
  // Messages quote what users wrote; a cut character must not cost the whole answer.
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace ambassador::admission
