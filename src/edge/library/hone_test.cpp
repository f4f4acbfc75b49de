// The C interface as an application sees it: this test links libhone and nothing else of hone.
#include "hone/hone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "hone/hone.hpp"

extern "C" int hone_h_is_c(void);

namespace {

struct HoneTest : ::testing::Test {
  std::string folder;
  char message[HONE_MESSAGE_BYTES] = "";

  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-c-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string ticket(const std::string& text) const {
    std::ofstream(folder + "/ticket.json") << text;
    return folder + "/ticket.json";
  }
  hone_code open(const std::string& ticket_file, hone_device** device) {
    const std::string state = folder + "/state";
    hone_options options = HONE_OPTIONS_INIT;
    options.state_folder = state.c_str();
    options.ticket_file = ticket_file.empty() ? nullptr : ticket_file.c_str();
    return hone_open(&options, device, message, sizeof message);
  }
};

TEST_F(HoneTest, TheHeaderIsC) {
  EXPECT_TRUE(hone_h_is_c());
}

TEST_F(HoneTest, NamesEveryCode) {
  EXPECT_STREQ(hone_error_name(HONE_OK), "ok");
  EXPECT_STREQ(hone_error_name(HONE_NO_SPACE), "no_space");
  EXPECT_STREQ(hone_error_name(HONE_NO_MODEL), "no_model");
  EXPECT_STREQ(hone_error_name(HONE_CANCELLED), "cancelled");
  EXPECT_STREQ(hone_error_name(12345), "unknown");
  EXPECT_STREQ(hone_error_name(-1), "unknown");
  EXPECT_STREQ(hone_state_name(HONE_AUTONOMOUS), "autonomous");
  EXPECT_STREQ(hone_state_name(99), "unknown");
}

TEST_F(HoneTest, RefusesNullsWithASentence) {
  hone_device* device = nullptr;
  EXPECT_EQ(hone_open(nullptr, &device, message, sizeof message), HONE_INVALID);
  EXPECT_NE(std::strlen(message), 0U);
  hone_options options = HONE_OPTIONS_INIT;
  EXPECT_EQ(hone_open(&options, &device, message, sizeof message), HONE_INVALID) << "no state folder";
  EXPECT_EQ(hone_open(&options, nullptr, nullptr, 0), HONE_INVALID);
  EXPECT_EQ(device, nullptr);
  EXPECT_EQ(hone_observe(nullptr, "x", 1, 0, message, sizeof message), HONE_INVALID);
  hone_result result = HONE_RESULT_INIT;
  EXPECT_EQ(hone_infer(nullptr, "x", 1, &result, nullptr, 0, nullptr, 0), HONE_INVALID);
  std::size_t taken = 7;
  EXPECT_EQ(hone_observe_readings(nullptr, "x", 1, HONE_NOW, HONE_NO_LABEL, &taken, nullptr, nullptr, 0), HONE_INVALID);
  EXPECT_EQ(hone_infer_window(nullptr, &result, nullptr, 0, nullptr, 0), HONE_INVALID);
  EXPECT_EQ(hone_step(nullptr, nullptr), HONE_INVALID);
  EXPECT_EQ(hone_sync(nullptr, nullptr, 0), HONE_INVALID);
  EXPECT_EQ(hone_status(nullptr, nullptr), HONE_INVALID);
  hone_close(nullptr);
}

TEST_F(HoneTest, ANewDeviceIsToldWhatItNeeds) {
  hone_device* device = nullptr;
  EXPECT_EQ(open("", &device), HONE_INVALID);
  EXPECT_NE(std::string(message).find("hone device enroll"), std::string::npos) << message;
  EXPECT_EQ(open(folder + "/no-such-file", &device), HONE_NOT_FOUND) << message;
  EXPECT_NE(std::string(message).find("no-such-file"), std::string::npos) << message;
  EXPECT_EQ(open(ticket("{}"), &device), HONE_INVALID);
  EXPECT_NE(std::string(message).find("ticket.json"), std::string::npos) << message;
  EXPECT_EQ(open(ticket("not json"), &device), HONE_INVALID);
  EXPECT_EQ(device, nullptr);
}

TEST_F(HoneTest, CutsLongMessagesToTheCallersBuffer) {
  hone_device* device = nullptr;
  char small[8];
  std::memset(small, 'x', sizeof small);
  hone_options options = HONE_OPTIONS_INIT;
  EXPECT_EQ(hone_open(&options, &device, small, sizeof small), HONE_INVALID);
  EXPECT_EQ(std::strlen(small), 7U);
}

TEST_F(HoneTest, TheCppOwnerThrowsTheCodeAndTheSentence) {
  try {
    const hone::Device device = hone::Device::open(folder + "/state");
    FAIL() << "there is no ticket";
  } catch (const hone::Failure& failure) {
    EXPECT_EQ(failure.code(), HONE_INVALID);
    EXPECT_NE(std::string(failure.what()).find("ticket"), std::string::npos);
  }
}

}  // namespace
