// A folder of commands for tests: shell scripts that are written as a test needs them.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "platform/posix/posix.hpp"
#include "shared/model/run/testing_model.hpp"
#include "trainer/command/command_host.hpp"

namespace hone::trainer::testing {

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() { std::filesystem::create_directory(host.programs); }
  ~CommandsTest() override { std::filesystem::remove_all(folder); }

  // A command whose lines are those of `body`.
  void command(const std::string& name, const std::string& body) const {
    const std::string path = folder + "/commands/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  // A classifier of `signal` that the runtime can load; its path.
  [[nodiscard]] std::string model_file(const wire::Signal& signal, const std::string& name = "good.onnx") const {
    model::testing::LinearModel linear;
    linear.signal = signal;
    linear.weights.assign(signal.elements() * signal.labels.size(), 1);
    linear.bias.assign(signal.labels.size(), 0);
    const Bytes bytes = model::testing::onnx_bytes(linear);
    const std::string path = folder + "/" + name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }

  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ifstream in(folder + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] bool scratch_is_gone() const { return !std::filesystem::exists(folder + "/scratch"); }

  std::string folder = new_folder();
  std::unique_ptr<Files> files = platform::make_posix_files();
  bool stop = false;
  CommandHost host{*files, folder + "/commands", folder + "/scratch", [this] { return stop; }};

 private:
  static std::string new_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone-commands-XXXXXX").string();
    return mkdtemp(pattern.data());
  }
};

}  // namespace hone::trainer::testing
