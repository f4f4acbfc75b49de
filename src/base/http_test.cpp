#include "base/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone {
namespace {

using ::testing::HasSubstr;

HttpResponse answer(int status, std::string_view body = {}) {
  return {status, {}, to_bytes(body)};
}

TEST(ErrorOf, MapsTheStatusToWhatTheCallerDoesNext) {
  const std::pair<int, Code> expected[] = {{400, Code::invalid},     {404, Code::not_found},   {405, Code::invalid},
                                           {413, Code::invalid},     {415, Code::invalid},     {422, Code::invalid},
                                           {401, Code::untrusted},   {403, Code::untrusted},   {409, Code::wrong_base},
                                           {507, Code::no_space},    {500, Code::unavailable}, {503, Code::unavailable},
                                           {429, Code::unavailable}, {302, Code::unavailable}};
  for (const auto& [status, code] : expected) EXPECT_EQ(error_of(answer(status)).code, code) << status;
}

TEST(ErrorOf, TakesItsContextFromTheBody) {
  EXPECT_EQ(error_of(answer(400, R"({"error": "the batch is too large"})")).context, "the batch is too large");
  EXPECT_THAT(error_of(answer(502, "<html>")).context, HasSubstr("502"));
  EXPECT_THAT(error_of(answer(502, R"({"error": 3})")).context, HasSubstr("502"));
  EXPECT_THAT(error_of(answer(502, "[]")).context, HasSubstr("502"));
}

TEST(ErrorOf, KeepsTheContextToOneBoundedLine) {
  const Error error = error_of(answer(400, R"({"error": "a\n\u001b[31m)" + std::string(10000, 'b') + "\"}"));
  EXPECT_LE(error.context.size(), 500U);
  EXPECT_EQ(error.context.find_first_of("\n\x1b"), std::string::npos);
}

TEST(ErrorOf, BelievesNoCodeThatContradictsTheStatus) {
  EXPECT_EQ(error_of(answer(401, R"({"error": "x", "code": "not_found"})")).code, Code::untrusted);
  EXPECT_EQ(error_of(answer(400, R"({"error": "x", "code": "no_such_code"})")).code, Code::invalid);
}

TEST(ResponseOf, IsUndoneByErrorOf) {
  for (const Code code : {Code::unavailable, Code::no_space, Code::wrong_base, Code::damaged, Code::untrusted,
                          Code::older_than_installed, Code::invalid, Code::not_found, Code::cancelled}) {
    const HttpResponse response = response_of(Error(code, "what went wrong"));
    EXPECT_FALSE(response.ok());
    EXPECT_EQ(response.headers.at("content-type"), "application/json");
    EXPECT_EQ(error_of(response).code, code) << name_of(code);
    EXPECT_EQ(error_of(response).context, "what went wrong");
  }
}

}  // namespace
}  // namespace hone
