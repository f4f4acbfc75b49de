// hone: the command line. docs/cli.md has every verb.
#include <csignal>
#include <cstdio>
#include <string>

#include "base/code_version.hpp"
#include "commands.hpp"
#include "delta_command.hpp"
#include "platform/posix/posix.hpp"

int main(int argc, char** argv) {
  using namespace hone::app;
  std::signal(SIGPIPE, SIG_IGN);
  Context context;
  context.files = hone::platform::make_posix_files();

  CLI::App app("Keeps the models on devices sharp.", "hone");
  app.set_version_flag("--version", std::string(hone::code_version()), "Print which code this is");
  app.require_subcommand(1);
  app.fallthrough();  // --json and --access may stand behind the verb too
  app.add_flag("--json", context.json, "Print the result as JSON");
  app.add_option("--access", context.access, "The server's admin.json [$HONE_ACCESS, else hone-data/admin.json]");
  app.footer("Exit status: 0 done, 1 failed, 2 wrong usage, 3 the gate said no.");
  add_serve_command(app, context);
  add_init_command(app, context);
  add_device_commands(app, context);
  add_train_commands(app, context);
  add_job_commands(app, context);
  add_eval_command(app, context);
  add_status_command(app, context);
  add_watch_command(app, context);
  add_release_commands(app, context);
  add_delta_commands(app, context.json, context.exit_code);
  add_doctor_command(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUsage;
  }
  return context.exit_code;
}
