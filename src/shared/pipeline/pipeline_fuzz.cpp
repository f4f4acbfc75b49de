// A pipeline file is refused with a place, or gives a pipeline whose layers fit its signal.
#include <cstdint>
#include <cstdlib>

#include "shared/pipeline/layers.hpp"
#include "shared/pipeline/pipeline.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const auto pipeline = parse_pipeline(as_text({data, size}), "f.toml");
  if (!pipeline) {
    if (!pipeline.error().context.starts_with("f.toml:")) std::abort();
    return 0;
  }
  if (!wire::check(pipeline->signal)) std::abort();
  const auto last = pipeline->train.recipe == Recipe::autoencoder ? LastLayer::elements : LastLayer::labels;
  if (is_network(pipeline->train.recipe) && !shapes_of(pipeline->signal, pipeline->train.layers, last)) std::abort();
  if (pipeline->delivery.rollout.back() != 100 || !is_plain_name(pipeline->name.value)) std::abort();
  if (pipeline->recipe_fingerprint().empty()) std::abort();
  return 0;
}
