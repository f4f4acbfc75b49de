// The pipeline file that `hone init` writes.
#include <string>

#include "shared/pipeline/pipeline.hpp"

namespace hone {

std::string pipeline_template(std::string_view name) {
  std::string text = R"(# What one model is for, how it learns, when it is better, and how it travels.
# Every key is explained in docs/pipeline.md. What is commented out shows its default.

[pipeline]
name = "@NAME@"                   # a-z, 0-9, '_' and '-'; appears in paths and topics

[signal]                          # one sample, as the devices see it
shape = [1, 28, 28]               # for images: channels, height, width
dtype = "uint8"                   # uint8 | int8 | int16 | int32 | float32
scale = 0.00392156862745098       # raw * scale is what the network sees
labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]

[collect]
until = "goal"                    # "goal": devices stop uploading once it is met | "always" | "never"
# daily_bytes = "50 MiB"          # a device uploads at most this much a day; by default no bound
# flush_after = "10s"             # a partly filled batch is sent when its oldest sample is this old

[train]
recipe = "cnn"                    # cnn | mlp
layers = ["conv 16 3x3", "relu", "maxpool 2", "conv 32 3x3", "relu", "maxpool 2", "dense 128", "relu", "dense 10"]
first_at_samples = 5000           # the first model is trained when so many samples have come
when = { new_samples = 30000, every = "6h", recipe_changed = true }
cooldown = "10m"                  # at least this long from one training to the next
# epochs = 8                      # small sets get more, for at least 800 steps
# batch_size = 128
# learning_rate = 0.003

[gate]
metric = "accuracy"               # accuracy | f1 | auc (two labels)
goal = 0.985                      # met: devices may stop uploading
first_goal = 0.95                 # what the first model must reach to be shipped at all; default: goal
margin = 0.003                    # the lower confidence bound of the gain must exceed it
confidence = 0.95
holdout = 0.1                     # of the samples, never trained on
no_slice_worse_than = 0.01        # no label may lose more than this

[export]
formats = ["onnx"]

[delivery]
delta_bases = 4                   # from how many earlier releases a device can take a delta
rollout = [5, 25, 100]            # percent of the fleet, step by step
check_every = "1d"                # poll beside the MQTT hints; "never" is allowed
)";
  constexpr std::string_view kMark = "@NAME@";
  return text.replace(text.find(kMark), kMark.size(), name);
}

}  // namespace hone
