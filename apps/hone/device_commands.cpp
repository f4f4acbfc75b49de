#include <cstdio>
#include <memory>
#include <string>

#include "commands.hpp"
#include "shared/pipeline/toml_section.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

struct EnrollOptions {
  std::string pipeline, out, valid = "1h", format = "onnx";
  int count = 1;
};

// The first free "<folder>/<pipeline>-001.json" from `number` on: tickets that lie there may be unused.
Result<std::string> free_name(Files& files, const std::string& folder, const std::string& pipeline, int& number) {
  for (;; ++number) {
    std::string digits = std::to_string(number);
    if (digits.size() < 3) digits.insert(0, 3 - digits.size(), '0');
    std::string path = folder + "/" + pipeline + "-" + digits + ".json";
    HONE_TRY(const bool there, files.exists(path));
    if (!there) return path;
  }
}

Result<Json> enroll(Context& context, const EnrollOptions& options) {
  const auto valid = parse_duration(options.valid);
  if (!valid || valid->count() < 1000)
    return fail(Code::invalid, "--valid '" + options.valid + "' is no time of a second or more; give it as 30m, 1h or 2d");
  const bool to_file = options.out.ends_with(".json");
  if (to_file && options.count != 1)
    return fail(Code::invalid, "one file holds one ticket: give --out a folder for " + std::to_string(options.count) + " of them");
  HONE_CHECK(pipeline_path(options.pipeline, ""));
  if (to_file) {
    HONE_TRY(const bool there, context.files->exists(options.out));
    if (there) return fail(Code::invalid, options.out + " is there already: choose another file with --out");
  }

  HONE_TRY(Server server, Server::open(context));
  HONE_TRY(const Json answer, server.post("/v1/tickets", {{"pipeline", options.pipeline},
                                                          {"count", options.count},
                                                          {"valid_s", valid->count() / 1000},
                                                          {"format", options.format}}));
  HONE_TRY(const Json* tickets, get_array(answer, "tickets"));
  const std::string folder = to_file ? folder_of(options.out) : options.out.empty() ? "." : options.out;
  HONE_CHECK(context.files->make_folders(folder));
  Json paths = Json::array();
  int number = 1;
  for (const Json& ticket : *tickets) {
    std::string path = options.out;
    if (!to_file) {
      HONE_TRY(path, free_name(*context.files, folder, options.pipeline, number));
    }
    HONE_CHECK(write_private_file_atomically(*context.files, path, dump_bytes(ticket)));
    paths.push_back(path);
  }
  return Json{{"pipeline", options.pipeline}, {"tickets", paths}, {"valid_s", valid->count() / 1000}};
}

void print_enrolled(const Json& done) {
  for (const auto& path : done.at("tickets")) std::printf("%s\n", path.get<std::string>().c_str());
  std::fprintf(stderr, "Each ticket lets one device join, once, within %s. Keep it secret until then.\n",
               duration_in_words(std::chrono::seconds(done.at("valid_s").get<std::int64_t>())).c_str());
}

void print_devices(const Json& answer) {
  const Json& devices = answer.at("devices");
  if (devices.empty()) {
    std::printf("No device has joined yet. Make a ticket for one with 'hone device enroll'.\n");
    return;
  }
  Table table({"device", "pipeline", "state", ">release", ">rows sent", ">sent", ">spooled", "last seen", "last outcome"});
  for (const Json& device : devices) {
    const Json& outcome = device.at("last_outcome");
    table.row({device.at("id"), device.at("pipeline"), text_of(device.at("state")), device.at("release").dump(),
               with_commas(device.at("rows")), bytes_in_words(device.at("bytes")), with_commas(device.at("spooled")),
               when(device.at("last_seen")),
               outcome.is_null() ? "-" : text_of(outcome.at("kind")) + " " + outcome.at("release").dump()});
  }
  table.print();
}

}  // namespace

void add_device_commands(CLI::App& app, Context& context) {
  CLI::App* device = app.add_subcommand("device", "Let devices join, and see them");
  device->require_subcommand(1);

  const auto options = std::make_shared<EnrollOptions>();
  CLI::App* enroll_verb = device->add_subcommand("enroll", "Make one-time tickets with which devices join");
  enroll_verb->add_option("--pipeline", options->pipeline, "The pipeline that the devices work for")->required();
  enroll_verb->add_option("--count", options->count, "How many devices [1]")->check(CLI::Range(1, 1000));
  enroll_verb->add_option("--out", options->out, "A folder, or a file whose name ends in .json [.]");
  enroll_verb->add_option("--valid", options->valid, "How long a ticket may be used [1h]");
  enroll_verb->add_option("--format", options->format, "Which export the devices run; one that the pipeline makes: onnx, onnx-int8 [onnx]");
  on_run(enroll_verb, context, [&context, options] { return enroll(context, *options); }, print_enrolled);

  CLI::App* list_verb = device->add_subcommand("list", "Every device: what it runs, what it sent, when it was seen");
  on_run(list_verb, context, [&context]() -> Result<Json> {
    HONE_TRY(Server server, Server::open(context));
    return server.get("/v1/devices");
  }, print_devices);
}

}  // namespace hone::app
