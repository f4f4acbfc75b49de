// Every reader of a control message, on every input: what is accepted survives another trip.
#include <cstdint>
#include <cstdlib>

#include "shared/wire/messages.hpp"

namespace {

template <class T>
void try_reader(hone::Result<T> (*read)(const hone::Json&), const hone::Json& json) {
  const auto value = read(json);
  if (!value) return;
  const hone::Json written = hone::wire::to_json(*value);
  const auto again = read(written);
  if (!again || hone::dump_bytes(hone::wire::to_json(*again)) != hone::dump_bytes(written)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone::wire;
  const auto json = hone::parse_json({data, size});
  if (!json) return 0;
  try_reader(&ticket_from, *json);
  try_reader(&enroll_request_from, *json);
  try_reader(&enroll_reply_from, *json);
  try_reader(&offer_from, *json);
  try_reader(&outcome_from, *json);
  try_reader(&batch_reply_from, *json);
  try_reader(&job_from, *json);
  try_reader(&progress_point_from, *json);
  try_reader(&heartbeat_reply_from, *json);
  try_reader(&trained_model_from, *json);
  try_reader(&evaluated_models_from, *json);
  try_reader(&access_file_from, *json);
  try_reader(&signal_from, *json);
  return 0;
}
