#include <cstdio>
#include <memory>
#include <string>

#include "commands.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

// `file` is a release (its plain file) or one of its exports.
std::string smallest_delta(const Json& file) {
  const Json& deltas = file.at("deltas");
  if (deltas.empty()) return "-";
  const double bytes = deltas.front().at("bytes");  // newest base first: what most devices pull
  const Json& full = file.at("full_bytes");
  return bytes_in_words(bytes) + (full.is_number() && full.get<double>() > 0 ? " (" + percent(bytes / full.get<double>()) + ")" : "");
}

// A server that knew one format tells none.
Json exports_of(const Json& release) {
  return release.contains("exports") ? release.at("exports") : Json::array();
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
    for (const Json& file : exports_of(release))
      table.row({"", "  " + text_of(file.at("format")), "", "", "", bytes_in_words(file.at("full_bytes")), smallest_delta(file), "", ""});
  }
  table.print();
}

// One release: every file of it, and what leads there from earlier ones.
void print_release(const Json& release) {
  std::printf("release %s, %s, %s %s%s\n", release.at("seq").dump().c_str(), text_of(release.at("state")).c_str(),
              text_of(release.at("metric")).c_str(), percent(release.at("value")).c_str(),
              release.at("goal_met").get<bool>() ? ", meets the goal" : "");
  if (!release.at("note").is_null()) std::printf("%s\n", text_of(release.at("note")).c_str());
  if (release.at("full_bytes").is_null()) return;
  Table table({"file", "model", ">bytes", ">of onnx"});
  const double plain = release.at("full_bytes");
  const auto add = [&](const std::string& format, const Json& file) {
    const auto row = [&](const std::string& name, const std::string& model, double bytes) {
      table.row({name, model.substr(0, 12), with_commas(static_cast<std::int64_t>(bytes)), percent(bytes / plain)});
    };
    row(format, text_of(file.at("model")), file.at("full_bytes"));
    for (const Json& delta : file.at("deltas")) row("  delta from", text_of(delta.at("base")), delta.at("bytes"));
  };
  add("onnx", release);
  for (const Json& file : exports_of(release)) add(text_of(file.at("format")), file);
  table.print();
}

Result<Json> one_release(const Json& answer, std::uint64_t seq) {
  for (const Json& release : answer.at("releases"))
    if (seq == 0 || release.at("seq") == seq) return release;  // newest first
  return fail(Code::not_found, seq == 0 ? std::string("there is no release yet: 'hone status' says what the first training waits for")
                                        : "there is no release " + std::to_string(seq) + "; 'hone release list' shows them");
}

// `look` has the keys decision, reason and numbers.
void print_look(const Json& look) {
  const Json& numbers = look.at("numbers");
  if (numbers.contains("not_compared"))
    std::printf("  the deployed model cannot be measured, so it is no hurdle: %s\n", text_of(numbers.at("not_compared")).c_str());
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
    if (!verdict.contains("exports")) continue;
    for (const Json& file : verdict.at("exports"))
      std::printf("  The export %s %s: %s.\n", text_of(file.at("format")).c_str(),
                  file.at("ships").get<bool>() ? "ships" : "does not ship", text_of(file.at("reason")).c_str());
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

  CLI::App* one = release->add_subcommand("show", "One release: its files and deltas, with their sizes");
  one->add_option("pipeline", options->pipeline)->required();
  one->add_option("--release", options->to, "Its number [the newest]")->check(CLI::Range(1u, 1u << 30));
  on_run(one, context, [&context, options]() -> Result<Json> {
    HONE_TRY(const Json answer, get_of_pipeline(context, options->pipeline, "releases"));
    return one_release(answer, options->to);
  }, print_release);

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
