#include "delta_command.hpp"

#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/result.hpp"
#include "platform/posix/posix.hpp"
#include "shared/delta/apply_files.hpp"
#include "shared/delta/encode/encode.hpp"
#include "shared/delta/encode/hints_file.hpp"
#include "shared/delta/inspect.hpp"

namespace hone::app {
namespace {

using nlohmann::json;

Result<Bytes> read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::not_found, path + ": cannot be opened: check the path");
  Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) return fail(Code::unavailable, path + ": cannot be read: try again");
  return bytes;
}

Result<> write_whole(const std::string& path, ByteView bytes) {
  const std::string part = path + ".part";
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) return fail(Code::no_space, part + ": cannot be written: check the folder and the free space");
  }
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) return fail(Code::unavailable, path + ": " + error.message());
  return {};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Options {
  std::string base, target, patch, out, hints;
  std::string profile = "standard";
  int effort = 5;
  bool in_place = false;
  unsigned block_bytes = 0;
};

// On standard error, and only to a terminal.
std::function<void(double)> progress_bar(const char* doing) {
  if (::isatty(STDERR_FILENO) != 1) return {};
  return [doing](double share) {
    constexpr int kWidth = 40;
    const int full = static_cast<int>(share * kWidth);
    std::fprintf(stderr, "\r%s [%s%s] %3d%%", doing, std::string(static_cast<std::size_t>(full), '#').c_str(),
                 std::string(static_cast<std::size_t>(kWidth - full), ' ').c_str(), static_cast<int>(share * 100));
  };
}

Result<json> encode_files(const Options& options) {
  HONE_TRY(const Bytes base, read_whole(options.base));
  HONE_TRY(const Bytes target, read_whole(options.target));
  delta::EncodeOptions settings;
  settings.effort = options.effort;
  settings.profile = options.profile == "small" ? delta::Profile::small : delta::Profile::standard;
  settings.in_place = options.in_place;
  settings.block_log2 = static_cast<std::uint8_t>(std::bit_width(options.block_bytes) - (options.block_bytes == 0 ? 0 : 1));
  if (!options.hints.empty()) {
    HONE_TRY(const Bytes hints, read_whole(options.hints));
    HONE_TRY(settings.hints, delta::read_hints(hints));
  }
  settings.on_progress = progress_bar("encode");
  const auto start = std::chrono::steady_clock::now();
  auto made = delta::encode(base, target, settings);
  if (settings.on_progress) std::fprintf(stderr, "\n");
  HONE_TRY(const Bytes patch, std::move(made));
  const double seconds = seconds_since(start);
  HONE_CHECK(write_whole(options.out, patch));
  return json{{"base_bytes", base.size()},
              {"target_bytes", target.size()},
              {"patch_bytes", patch.size()},
              {"percent", target.empty() ? 0.0 : 100.0 * static_cast<double>(patch.size()) / static_cast<double>(target.size())},
              {"profile", options.profile},
              {"in_place", options.in_place},
              {"seconds", seconds}};
}

Result<json> apply_files(const Options& options) {
  const auto files = platform::make_posix_files();
  delta::ApplyOptions settings;
  settings.on_progress = progress_bar("apply");
  const auto start = std::chrono::steady_clock::now();
  auto applied = options.in_place ? delta::apply_in_place(*files, options.base, options.patch, settings)
                                  : delta::apply_beside(*files, options.base, options.patch, options.out, settings);
  if (settings.on_progress) std::fprintf(stderr, "\n");
  HONE_TRY(const delta::Applied done, std::move(applied));
  HONE_TRY(const auto patch, files->open(options.patch, OpenMode::read));
  HONE_TRY(const std::uint64_t patch_bytes, patch->size());
  return json{{"target_bytes", done.target_bytes},
              {"patch_bytes", patch_bytes},
              {"in_place", options.in_place},
              {"resumed", done.resumed},
              {"seconds", seconds_since(start)}};
}

Result<json> inspect_file(const Options& options) {
  HONE_TRY(const Bytes patch, read_whole(options.patch));
  Bytes base;
  if (!options.base.empty()) {
    HONE_TRY(base, read_whole(options.base));
  }
  HONE_TRY(const delta::Inspection seen, delta::inspect(patch, options.base.empty() ? nullptr : &base));
  json parts = json::array();
  for (const auto& part : seen.parts) {
    parts.push_back({{"name", part.name},
                     {"dtype", part.dtype},
                     {"mode", part.mode},
                     {"offset", part.offset},
                     {"target_bytes", part.target_bytes},
                     {"bytes", part.patch_bytes},
                     {"bits_per_weight", part.elements == 0 ? 0.0 : part.patch_bytes * 8.0 / static_cast<double>(part.elements)}});
  }
  return json{{"version", delta::kVersion},
              {"in_place", seen.header.block_log2 != 0},
              {"block_bytes", seen.header.block_bytes()},
              {"shift_bytes", seen.header.shift_bytes()},
              {"profile", seen.header.profile == delta::Profile::small ? "small" : "standard"},
              {"base_bytes", seen.header.base_bytes},
              {"base_sha256", to_hex(seen.header.base_sha256)},
              {"target_bytes", seen.header.target_bytes},
              {"target_sha256", to_hex(seen.header.target_sha256)},
              {"patch_bytes", patch.size()},
              {"parts", parts}};
}

void print_inspection(const json& seen) {
  std::printf("hone delta, version %d, profile %s\n", seen["version"].get<int>(), seen["profile"].get<std::string>().c_str());
  std::printf("base    %12llu bytes  %s\n", seen["base_bytes"].get<unsigned long long>(), seen["base_sha256"].get<std::string>().c_str());
  std::printf("target  %12llu bytes  %s\n", seen["target_bytes"].get<unsigned long long>(), seen["target_sha256"].get<std::string>().c_str());
  std::printf("patch   %12llu bytes\n", seen["patch_bytes"].get<unsigned long long>());
  if (seen["in_place"].get<bool>())
    std::printf("in place, in blocks of %llu bytes, after a move by %llu\n", seen["block_bytes"].get<unsigned long long>(),
                seen["shift_bytes"].get<unsigned long long>());
  if (seen["parts"].empty()) {
    std::printf("Give --base to see how each tensor is coded.\n");
    return;
  }
  std::printf("%-10s %-6s %12s %12s %8s  %s\n", "mode", "dtype", "target", "patch", "bits", "name");
  for (const auto& part : seen["parts"]) {
    std::printf("%-10s %-6s %12llu %12.0f %8.3f  %s\n", part["mode"].get<std::string>().c_str(),
                part["dtype"].get<std::string>().c_str(), part["target_bytes"].get<unsigned long long>(),
                part["bytes"].get<double>(), part["bits_per_weight"].get<double>(), part["name"].get<std::string>().c_str());
  }
}

void report(const Result<json>& result, bool as_json, int& exit_code, void (*print)(const json&)) {
  exit_code = result ? 0 : 1;
  if (!result) {
    if (as_json) std::printf("%s\n", json{{"error", result.error().context}, {"code", name_of(result.error().code)}}.dump().c_str());
    std::fprintf(stderr, "hone delta: %s\n", result.error().context.c_str());
  } else if (as_json) {
    std::printf("%s\n", result->dump(2).c_str());
  } else {
    print(*result);
  }
}

void print_encoded(const json& made) {
  std::printf("%llu bytes, %.2f%% of the target's %llu, in %.2f s\n", made["patch_bytes"].get<unsigned long long>(),
              made["percent"].get<double>(), made["target_bytes"].get<unsigned long long>(), made["seconds"].get<double>());
}
void print_applied(const json& done) {
  std::printf("%llu bytes rebuilt%s, their hash is right, in %.2f s\n", done["target_bytes"].get<unsigned long long>(),
              done["resumed"].get<bool>() ? " (resumed)" : "", done["seconds"].get<double>());
}

}  // namespace

void add_delta_commands(CLI::App& app, bool& json_wanted, int& exit_code) {
  const auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("delta", "Make, apply and explain deltas between two versions of a model file");
  verb->require_subcommand(1);

  auto* encode = verb->add_subcommand("encode", "Make a delta that rebuilds TARGET from BASE, byte for byte");
  encode->add_option("--base", options->base, "The file that devices have")->required();
  encode->add_option("--target", options->target, "The file that they should get")->required();
  encode->add_option("--out", options->out, "Where the delta goes")->required();
  encode->add_option("--hints", options->hints, "What a trainer knows of low-rank updates (JSON, docs/formats/delta.md)");
  encode->add_option("--profile", options->profile, "small: decodes in 16 KiB of memory; standard: in 1 MiB")
      ->check(CLI::IsMember({"small", "standard"}));
  encode->add_option("--effort", options->effort, "1 impatient .. 9 tries everything")->check(CLI::Range(1, 9));
  encode->add_flag("--in-place", options->in_place, "It can be applied over the base itself, with no room for two files");
  encode->add_option("--block-bytes", options->block_bytes, "Of an in-place delta: how much is rebuilt before it is written")
      ->check([](const std::string& text) {
        const unsigned long bytes = std::strtoul(text.c_str(), nullptr, 10);
        const bool good = std::has_single_bit(bytes) && bytes >= 4096 && bytes <= (1u << 20);
        return good ? std::string() : std::string("blocks have 4096 to 1048576 bytes, a power of two");
      });
  encode->add_flag("--json", json_wanted, "Print JSON");
  encode->callback([options, &json_wanted, &exit_code] { report(encode_files(*options), json_wanted, exit_code, print_encoded); });

  auto* apply = verb->add_subcommand("apply", "Rebuild the target; when it was interrupted, the same call goes on");
  apply->add_option("--base", options->base, "The file that the delta was made from")->required();
  apply->add_option("--patch", options->patch, "The delta")->required();
  auto* where = apply->add_option_group("where", "Where the target goes");
  where->add_option("--out", options->out, "A new file");
  where->add_flag("--in-place", options->in_place, "Over the base; needs a delta that was made --in-place");
  where->require_option(1);
  apply->add_flag("--json", json_wanted, "Print JSON");
  apply->callback([options, &json_wanted, &exit_code] { report(apply_files(*options), json_wanted, exit_code, print_applied); });

  auto* inspect = verb->add_subcommand("inspect", "Show what a delta holds");
  inspect->add_option("patch", options->patch, "The delta")->required();
  inspect->add_option("--base", options->base, "The file that it was made from, to see each tensor");
  inspect->add_flag("--json", json_wanted, "Print JSON");
  inspect->callback([options, &json_wanted, &exit_code] { report(inspect_file(*options), json_wanted, exit_code, print_inspection); });
}

}  // namespace hone::app
