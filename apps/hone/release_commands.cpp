#include <cstdio>
#include <memory>
#include <string>

#include "commands.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

std::string smallest_delta(const Json& release) {
  const Json& deltas = release.at("deltas");
  if (deltas.empty()) return "-";
  const double bytes = deltas.front().at("bytes");  // newest base first: what most devices pull
  const Json& full = release.at("full_bytes");
  return bytes_in_words(bytes) + (full.is_number() && full.get<double>() > 0 ? " (" + percent(bytes / full.get<double>()) + ")" : "");
}

void print_releases(const Json& answer) {
  const Json& releases = answer.at("releases");
  if (releases.empty()) {
    std::printf("No release yet: 'hone status' says what the first training waits for.\n");
    return;
  }
  Table table({">release", "state", "judged", ">value", "goal met", ">full", ">delta", ">live on", "note"});
  for (const Json& release : releases) {
    std::int64_t live = 0;
    for (const Json& outcome : release.at("outcomes")) live += outcome.at("kind") == "confirmed" ? 1 : 0;
    const Json& full = release.at("full_bytes");
    table.row({release.at("seq").dump(), text_of(release.at("state")), when(release.at("created")), percent(release.at("value")),
               release.at("goal_met").get<bool>() ? "yes" : "no", full.is_null() ? "-" : bytes_in_words(full),
               smallest_delta(release), with_commas(live), release.at("note").is_null() ? "" : text_of(release.at("note"))});
  }
  table.print();
}

// `look` has the keys decision, reason and numbers.
void print_look(const Json& look) {
  const Json& numbers = look.at("numbers");
  if (!numbers.contains("verdict") || !numbers.at("verdict").contains("words")) {
    std::printf("  %s\n", text_of(look.at("reason")).c_str());
    return;
  }
  for (const Json& sentence : numbers.at("verdict").at("words")) std::printf("  %s\n", text_of(sentence).c_str());
}

void print_verdicts(const Json& answer) {
  const Json& verdicts = answer.at("verdicts");
  if (verdicts.empty()) {
    std::printf("The gate has not judged a candidate yet.\n");
    return;
  }
  for (const Json& verdict : verdicts) {
    std::printf("%s  %s  %s\n", when(verdict.at("at")).c_str(), text_of(verdict.at("job")).c_str(),
                text_of(verdict.at("decision")).c_str());
    if (verdict.contains("first_look") && !verdict.at("first_look").is_null()) {
      const Json& first = verdict.at("first_look");
      std::printf(" the first look, at the model: %s\n", text_of(first.at("decision")).c_str());
      print_look(first);
      std::printf(" the second look, at its fallback: %s\n", text_of(verdict.at("decision")).c_str());
    }
    print_look(verdict);
  }
}

Result<Json> get_of_pipeline(Context& context, const std::string& pipeline, std::string_view what) {
  HONE_TRY(const std::string path, pipeline_path(pipeline, what));
  HONE_TRY(Server server, Server::open(context));
  return server.get(path);
}

}  // namespace

void add_release_commands(CLI::App& app, Context& context) {
  struct Options {
    std::string pipeline, reason;
    std::uint64_t to = 0;
  };
  const auto options = std::make_shared<Options>();

  CLI::App* release = app.add_subcommand("release", "What was published, and going back");
  release->require_subcommand(1);
  CLI::App* list = release->add_subcommand("list", "Every release of a pipeline");
  list->add_option("pipeline", options->pipeline)->required();
  on_run(list, context, [&context, options] { return get_of_pipeline(context, options->pipeline, "releases"); }, print_releases);

  CLI::App* rollback = release->add_subcommand("rollback", "Publish an older release's model again, under a higher number");
  rollback->add_option("pipeline", options->pipeline)->required();
  rollback->add_option("--to", options->to, "The release to go back to")->required()->check(CLI::Range(1u, 1u << 30));
  rollback->add_option("--reason", options->reason, "Why; stands in the release's note");
  on_run(rollback, context, [&context, options]() -> Result<Json> {
    HONE_TRY(const std::string path, pipeline_path(options->pipeline, "rollback"));
    HONE_TRY(Server server, Server::open(context));
    return server.post(path, {{"to", options->to}, {"reason", options->reason}});
  }, [options](const Json& answer) {
    std::printf("Release %s brings the model of release %llu back.\n", answer.at("release").dump().c_str(),
                static_cast<unsigned long long>(options->to));
  });

  CLI::App* gate = app.add_subcommand("gate", "What the gate decided, and why");
  gate->require_subcommand(1);
  CLI::App* show = gate->add_subcommand("show", "Every verdict of a pipeline, with its numbers");
  show->add_option("pipeline", options->pipeline)->required();
  on_run(show, context, [&context, options] { return get_of_pipeline(context, options->pipeline, "verdicts"); }, print_verdicts);
}

}  // namespace hone::app
