// The verbs, grouped as their sources are. Each adds to `app`; `context` must outlive the parse.
#pragma once

#include <CLI/CLI.hpp>

#include "context.hpp"

namespace hone::app {

void add_serve_command(CLI::App& app, Context& context);     // serve
void add_init_command(CLI::App& app, Context& context);      // init
void add_device_commands(CLI::App& app, Context& context);   // device enroll | list
void add_train_commands(CLI::App& app, Context& context);    // train
void add_job_commands(CLI::App& app, Context& context);      // job list | show | log | cancel
void add_eval_command(CLI::App& app, Context& context);      // eval
void add_status_command(CLI::App& app, Context& context);    // status
void add_watch_command(CLI::App& app, Context& context);     // watch
void add_release_commands(CLI::App& app, Context& context);  // release list | rollback, gate show
void add_doctor_command(CLI::App& app, Context& context);    // doctor

}  // namespace hone::app
