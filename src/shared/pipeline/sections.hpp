// One reader for each section of a pipeline file. The first thing that is wrong is kept in the
// section's TomlErrors; what was read before it stays.
#pragma once

#include "shared/pipeline/pipeline.hpp"
#include "shared/pipeline/toml_section.hpp"

namespace hone {

void read_signal(TomlSection section, TomlErrors& errors, Pipeline& pipeline);
void read_collect(TomlSection section, CollectRules& collect);
void read_train(TomlSection section, const Pipeline& pipeline, TomlErrors& errors, TrainRules& train);
void read_gate(TomlSection section, const Pipeline& pipeline, GateRules& gate);
void read_export(TomlSection section, const Pipeline& pipeline, ExportRules& exports);
void read_delivery(TomlSection section, const Pipeline& pipeline, DeliveryRules& delivery);

inline constexpr std::int64_t kSamplesMax = 1'000'000'000'000;

}  // namespace hone
