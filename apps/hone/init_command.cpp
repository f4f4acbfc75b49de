#include <cstdio>
#include <memory>
#include <string>

#include "base/ids.hpp"
#include "commands.hpp"
#include "shared/pipeline/pipeline.hpp"

namespace hone::app {

void add_init_command(CLI::App& app, Context& context) {
  struct Options {
    std::string name = "my-pipeline", out;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("init", "Write a commented pipeline file to begin with");
  verb->add_option("name", options->name, "The pipeline's name [my-pipeline]");
  verb->add_option("-o,--out", options->out, "The file to write [NAME.toml]");
  on_run(verb, context, [&context, options]() -> Result<Json> {
    if (!is_plain_name(options->name))
      return fail(Code::invalid, "'" + options->name + "' cannot be a pipeline's name: use a-z, 0-9, - and _, a letter first");
    const std::string path = options->out.empty() ? options->name + ".toml" : options->out;
    HONE_TRY(const bool there, context.files->exists(path));
    if (there) return fail(Code::invalid, path + " is there already: choose another file with --out");
    HONE_CHECK(write_file_atomically(*context.files, path, as_bytes(pipeline_template(options->name))));
    return Json{{"file", path}, {"pipeline", options->name}};
  }, [](const Json& done) {
    const std::string file = done.at("file");
    std::printf("Wrote %s. Fit [signal] and [train] to your data, then: hone serve --data hone-data %s\n", file.c_str(), file.c_str());
  });
}

}  // namespace hone::app
