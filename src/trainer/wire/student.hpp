// The weights of an update trained for the wire, while they are trained: numbers that become integers
// whenever the network looks at them (straight-through: Bengio et al. 2013), so that what is learned is what
// will be sent. This header knows libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/wire/parts.hpp"
#include "trainer/wire/rate.hpp"
#include "trainer/wire/tensor_update.hpp"

namespace hone::trainer::wire_training {

class Student {
 public:
  // Steps are as coarse as the free model's own moves are large. Products begin at its move as far as
  // their rank reaches (its singular vectors), lattices at zero. Names and shapes agree.
  Student(const Weights& deployed, const Weights& free, const std::vector<Part>& parts, at::Device device);

  // The deployed weights moved by what is now sent; gradients flow to the latents.
  [[nodiscard]] std::vector<at::Tensor> weights() const;

  struct Trained {
    at::Tensor z;
    double haste;  // of its learning rate: fine steps are taken more at a time, or training would not get anywhere
  };
  [[nodiscard]] std::vector<Trained> latents() const;

  // Counts the integers anew and gives their estimated bits, all together.
  double count_bits();
  // Adds `lambda` times the slope of the bits, as of the last count, to the latents' gradients.
  void add_slope(double lambda);

  // What is sent now. A number nearer to zero than `dead_zone` is zero; 0.5 is what training sees.
  [[nodiscard]] Update update(double dead_zone = 0.5) const;

 private:
  struct Latent {
    at::Tensor z;             // in integer units
    double haste = 1;
    bool by_row = false;      // groups are its rows ...
    bool by_column = false;   // ... or its columns; neither: all of it is one
    at::Tensor one, more;  // slopes of its groups below and above 1
  };
  struct Own {
    std::string name;
    at::Tensor deployed;
    Part part;
    std::int32_t product_scale = 0, lattice_scale = 0;
    std::ptrdiff_t u = -1, v = -1, steps = -1;  // places in latents_
  };
  struct Sides {
    at::Tensor u, v;
  };
  static Sides sides_of(const at::Tensor& u, const at::Tensor& s, const at::Tensor& vt, std::int64_t rank, double step);
  std::ptrdiff_t add(at::Tensor z, double haste, bool by_row, bool by_column);
  void begin_product(Own& own, const at::Tensor& move);

  std::vector<Own> tensors_;
  std::vector<Latent> latents_;
};

}  // namespace hone::trainer::wire_training
